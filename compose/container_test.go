package compose

import (
	"slices"
	"testing"
)

// A digest in `image` says that the image was built before, by a pipeline which
// put the digest there: building it again would deploy something else.
func TestPinnedImageIsNotBuilt(t *testing.T) {
	m := mustFamilies(t, `
services:
  web:
    image: registry.example.com/web@sha256:0bf30cce6c4a58a9d494cd2dcada2c102a9d92e449059ca3d2d7d8c15980cc55
    build: {context: ., dockerfile_inline: "FROM scratch"}
  worker:
    image: registry.example.com/worker:1
    build: {context: ., dockerfile_inline: "FROM scratch"}
`)
	if build := familyNamed(t, m, "web").Containers[0].Image.Build; build != nil {
		t.Errorf("a pinned image is built from %s", build.Context)
	}
	if familyNamed(t, m, "worker").Containers[0].Image.Build == nil {
		t.Error("an image with a tag is not built although there is a build section")
	}
}

// A service that declares no port is reached on those of its Dockerfile's last
// stage: that is where the image says on which ports it listens.
func TestPortsOfTheDockerfile(t *testing.T) {
	m := mustFamilies(t, `
services:
  web: {image: web, depends_on: [api, quiet]}
  api:
    build:
      context: .
      dockerfile_inline: |
        FROM golang AS build
        EXPOSE 1
        FROM scratch
        EXPOSE 8080 53/udp $PORT
  quiet:
    build: {context: ., dockerfile_inline: "FROM scratch\nEXPOSE 1"}
    expose: [9000]
`)
	want := []string{"web > api:53/udp", "web > api:8080/tcp", "web > quiet:9000/tcp"}
	if got := edgesOf(m); !slices.Equal(got, want) {
		t.Errorf("connections are %v, want %v", got, want)
	}
}
