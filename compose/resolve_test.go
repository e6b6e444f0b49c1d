package compose

import (
	"strings"
	"testing"
)

// A service whose profiles are inactive may be named wherever services are: the
// file is right for another profile, and gets a note.
func TestDisabledServicesMayBeNamed(t *testing.T) {
	m, out := resolveText(t, `
services:
  web: {image: nginx, ports: ["80:8080"]}
  debug: {image: nginx, profiles: [dev], expose: [1]}
x-elbv2:
  public:
    Listeners: [{Port: 80, Protocol: HTTP, Targets: [{name: "web:web", access: /}, {name: "debug:debug", access: /debug}]}]
    Services:
      web:web: {port: 8080, protocol: HTTP}
      debug:debug: {port: 1, protocol: HTTP}
`)
	if m == nil || len(m.LoadBalancers) != 1 || len(m.LoadBalancers[0].TargetGroups) != 1 {
		t.Fatal(out)
	}
	if strings.Contains(out, "unknown") || strings.Count(out, "[service-disabled]") != 3 {
		t.Error(out)
	}
}
