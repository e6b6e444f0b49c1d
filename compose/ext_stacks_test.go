package compose

import (
	"fmt"
	"maps"
	"testing"
)

// A group must hold what its patterns match, "*" what no other group names, and
// nothing the rest: by the name of each alone, whatever else there is.
func TestStacks(t *testing.T) {
	const (
		services = "services: {web: {image: nginx, volumes: ['files:/files']}, api: {image: nginx, secrets: [token]}, api-2: {image: nginx}%s}\n"
		rest     = `
volumes: {files: {}}
secrets: {token: {environment: TOKEN}}
x-box: {a: {}, b: {}%s}
x-stacks:
  apis: [services.api*, secrets.token]
  boxes: ["x-box.[b-y]"]
  "*": ["services.*", volumes.files]
`
	)
	want := map[Path]string{
		"services.web": "web", "services.api": "apis", "services.api-2": "apis",
		"secrets.token": "apis", "volumes.files": "volumes-files", "x-box.b": "boxes",
	}
	if got := resourcesOf(t, fmt.Sprintf(services+rest, "", "")).Stacks; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	want["services.api-3"], want["x-box.c"] = "apis", "boxes"
	if got := resourcesOf(t, fmt.Sprintf(services+rest, ", api-3: {image: nginx}", ", c: {}, z: {}")).Stacks; !maps.Equal(got, want) {
		t.Errorf("with more of all: got %v, want %v", got, want)
	}
}
