package compose

import (
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// imagePorts are the ports on which well-known images listen. Docker lets every
// service of a network reach them, so files seldom expose them.
var imagePorts = map[string]int{
	"elasticsearch": 9200, "mariadb": 3306, "memcached": 11211, "mongo": 27017, "mysql": 3306, "nats": 4222,
	"pgvector": 5432, "postgis": 5432, "postgres": 5432, "rabbitmq": 5672, "redis": 6379, "timescaledb": 5432, "valkey": 6379,
}

// assumedPorts returns the ports of a service whose file declares none: the ports that
// its Dockerfile exposes, or the usual one of a well-known image.
func (r *resolver) assumedPorts(path Path, s types.ServiceConfig) []Port {
	if s.Build != nil {
		return r.exposedPorts(path.Key("build"), s)
	}
	number := imagePorts[imageName(s.Image)]
	if number == 0 {
		return nil
	}
	at := path.Key("image")
	r.Notef(at, "port-assumed", "%q declares no port; those who depend on it reach port %d, the usual one of the image", s.Name, number)
	return []Port{{Number: number, Protocol: "tcp", Path: at}}
}

// imageName returns the last part of an image's path: postgres for
// docker.io/library/postgres:16@sha256:….
func imageName(reference string) string {
	name, _, _ := strings.Cut(reference, "@")
	name = name[strings.LastIndexByte(name, '/')+1:]
	name, _, _ = strings.Cut(name, ":")
	return name
}

// exposedPorts returns the ports that the last stage of the Dockerfile exposes.
func (r *resolver) exposedPorts(path Path, s types.ServiceConfig) []Port {
	var all []Port
	for _, word := range r.project.Dockerfile(s.Build).Exposed {
		exposed, err := parseExposed(word)
		if err != nil {
			continue // a variable of the Dockerfile is no port
		}
		for _, port := range exposed {
			port.Path = path
			all = r.addPort(all, port)
		}
	}
	for _, port := range all {
		r.Notef(path, "port-assumed", "%q declares no port; those who depend on it reach port %d/%s, which its Dockerfile exposes",
			s.Name, port.Number, port.Protocol)
	}
	return all
}
