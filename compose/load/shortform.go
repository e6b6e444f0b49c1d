package load

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/format"
	"github.com/compose-spec/compose-go/v2/tree"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/go-units"
	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// shortForm is a text in which Compose packs several values. compose-go parses
// it while it merges, where the line is lost, so it is tried here first.
type shortForm struct {
	at    tree.Path
	check func(text string) error
	what  string
	hint  string
}

const (
	sizeHint     = `write a number with its unit, such as "512m" or "2g"`
	durationHint = `write a number with its unit, such as "30s" or "1m30s"`
)

var shortForms = []shortForm{
	{"services.*.ports.[]", checkPort, "a port", `write "container", "host:container" or "host:container/udp"`},
	{"services.*.ports.[].host_ip", checkIP, "an IP address", ""},
	{"services.*.ports.[].published", checkPublished, "a port or a range of ports", ""},
	{"services.*.volumes.[]", checkVolume, "a volume", `write "source:target" or "source:target:ro"`},
	{"services.*.mem_limit", checkSize, "a size", sizeHint},
	{"services.*.mem_reservation", checkSize, "a size", sizeHint},
	{"services.*.memswap_limit", checkSize, "a size", sizeHint},
	{"services.*.shm_size", checkSize, "a size", sizeHint},
	{"services.*.build.shm_size", checkSize, "a size", sizeHint},
	{"services.*.volumes.[].tmpfs.size", checkSize, "a size", sizeHint},
	{"services.*.deploy.resources.limits.memory", checkSize, "a size", sizeHint},
	{"services.*.deploy.resources.reservations.memory", checkSize, "a size", sizeHint},
	{"services.*.deploy.resources.limits.cpus", checkCPUs, "a number of CPUs", `write a number, such as "0.5"`},
	{"services.*.deploy.resources.reservations.cpus", checkCPUs, "a number of CPUs", `write a number, such as "0.5"`},
	{"services.*.stop_grace_period", checkDuration, "a duration", durationHint},
	{"services.*.healthcheck.interval", checkDuration, "a duration", durationHint},
	{"services.*.healthcheck.timeout", checkDuration, "a duration", durationHint},
	{"services.*.healthcheck.start_period", checkDuration, "a duration", durationHint},
	{"services.*.healthcheck.start_interval", checkDuration, "a duration", durationHint},
	{"services.*.deploy.update_config.delay", checkDuration, "a duration", durationHint},
	{"services.*.deploy.update_config.monitor", checkDuration, "a duration", durationHint},
	{"services.*.deploy.rollback_config.delay", checkDuration, "a duration", durationHint},
	{"services.*.deploy.rollback_config.monitor", checkDuration, "a duration", durationHint},
	{"services.*.deploy.restart_policy.delay", checkDuration, "a duration", durationHint},
	{"services.*.deploy.restart_policy.window", checkDuration, "a duration", durationHint},
	{"services.*.extra_hosts.[]", checkHost, "a host", `write "name=address"`},
	{"services.*.environment.[]", checkVariable, "a variable", `write "NAME=value"`},
}

func checkPort(text string) error {
	_, err := types.ParsePortConfig(text)
	return err
}

var publishedPorts = regexp.MustCompile(`^(\d{1,5}(-\d{1,5})?)?$`)

func checkPublished(text string) error {
	if !publishedPorts.MatchString(text) {
		return fmt.Errorf("no port")
	}
	return nil
}

func checkIP(text string) error {
	if net.ParseIP(text) == nil {
		return fmt.Errorf("no address")
	}
	return nil
}

func checkVolume(text string) error {
	_, err := format.ParseVolume(text)
	return err
}

func checkSize(text string) error {
	if text == "-1" {
		return nil
	}
	n, err := units.RAMInBytes(text)
	if err == nil && n < 0 { // it overflowed
		return fmt.Errorf("too much")
	}
	return err
}

func checkCPUs(text string) error {
	var n types.NanoCPUs
	return n.DecodeMapstructure(text)
}

func checkDuration(text string) error {
	var d types.Duration
	return d.DecodeMapstructure(text)
}

func checkHost(text string) error {
	_, err := types.NewHostsList([]string{text})
	return err
}

func checkVariable(text string) error {
	name, _, _ := strings.Cut(text, "=")
	if name == "" || strings.TrimRight(name, " ") != name {
		return fmt.Errorf("no name")
	}
	return nil
}

// checkShortForms tries every short form of a document and cuts out those that
// cannot be read.
func (l *loading) checkShortForms(s *source, doc *yaml.Node) {
	l.shortForms(s, doc, "", tree.NewPath())
}

func (l *loading) shortForms(s *source, n *yaml.Node, path diag.Path, at tree.Path) bool {
	switch n.Kind {
	case yaml.MappingNode:
		kept := n.Content[:0]
		for i := 0; i < len(n.Content); i += 2 {
			k, v := n.Content[i], n.Content[i+1]
			below := path.Key(k.Value)
			if inExtension(below) || l.shortForms(s, v, below, at.Next(k.Value)) {
				kept = append(kept, k, v)
			}
		}
		n.Content = kept
	case yaml.SequenceNode:
		if at.Matches("services.*.ports") && countPorts(n) > MostPorts {
			l.errorAt(l.place(s, n), path, "port-count", "", "these are more ports than the %d of a task", MostPorts)
			l.prune(path)
			return false
		}
		kept := n.Content[:0]
		for i, item := range n.Content {
			if l.shortForms(s, item, path.Index(i), at.Next(tree.PathMatchList)) {
				kept = append(kept, item)
			}
		}
		n.Content = kept
	case yaml.ScalarNode:
		return l.shortForm(s, n, path, at)
	}
	return true
}

var portRange = regexp.MustCompile(`(\d{1,5})-(\d{1,5})(?:/\w+)?$`)

// countPorts returns how many ports a list names, with all of its ranges: compose-go
// makes a value of each.
func countPorts(list *yaml.Node) int {
	count := 0
	for _, item := range list.Content {
		count++
		if m := portRange.FindStringSubmatch(item.Value); m != nil {
			from, _ := strconv.Atoi(m[1])
			to, _ := strconv.Atoi(m[2])
			count += max(0, to-from)
		}
	}
	return count
}

func (l *loading) shortForm(s *source, n *yaml.Node, path diag.Path, at tree.Path) bool {
	if at.Matches("services.*.build.additional_contexts.*") && n.ShortTag() != "!!str" { // compose-go trusts that it is text
		l.errorAt(l.place(s, n), path, "compose-schema", "", "must be text, not %s", describeNode(n))
		l.prune(path)
		return false
	}
	if l.holdsVariable(n) {
		if at.Matches("services.*.volumes.[]") {
			l.warnAt(l.place(s, n), path, "volume-open", "write it with type, source and target", "a volume in short form whose source is a variable is taken for a named one")
		}
		return true
	}
	if n.Tag == "!!null" || strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return true
	}
	for _, form := range shortForms {
		if !at.Matches(form.at) || form.check(n.Value) == nil {
			continue
		}
		l.errorAt(l.place(s, n), path, "compose-invalid", form.hint, "%q is not %s", diag.Shorten(n.Value), form.what)
		l.prune(path)
		return false
	}
	return true
}

// MostPorts is how many ports ECS accepts in a task definition.
const MostPorts = 100
