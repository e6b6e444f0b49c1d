package compose

import (
	"fmt"
	"slices"
	"testing"
)

func edgesOf(m *Model) []string {
	var all []string
	for _, e := range m.Connections {
		all = append(all, fmt.Sprintf("%s > %s:%d/%s", e.From, e.To, e.Port.Number, e.Port.Protocol))
	}
	return all
}

// Ports must open only for those who declare that they need them: from the
// consumer's side, to container ports, never within a family.
func TestConnections(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{
			"depends_on opens published and exposed ports by the container's number",
			`
services:
  web: {image: nginx, depends_on: [api], ports: ["80:80"]}
  api: {image: nginx, ports: ["9000:8080"], expose: ["53/udp"]}
`,
			[]string{"web > api:53/udp", "web > api:8080/tcp"},
		},
		{
			"the default network opens nothing",
			`
services:
  web: {image: nginx, expose: [80]}
  api: {image: nginx, expose: [80]}
`, nil,
		},
		{
			"a declared network opens both ways",
			`
services:
  web: {image: nginx, expose: [80], networks: [back]}
  api: {image: nginx, expose: [81], networks: [back, other]}
  off: {image: nginx, expose: [82], networks: [other2]}
networks: {back: {}, other: {}, other2: {}}
`,
			[]string{"api > web:80/tcp", "web > api:81/tcp"},
		},
		{
			"x-network.Ingress.Services opens to the named service, some ports",
			`
services:
  web: {image: nginx, expose: [80]}
  api: {image: nginx, expose: [81, 82], x-network: {Ingress: {Services: [{Name: web, Ports: [82]}]}}}
`,
			[]string{"web > api:82/tcp"},
		},
		{
			"links open, once",
			`
services:
  web: {image: nginx, links: [api], depends_on: [api]}
  api: {image: nginx, expose: [81]}
`,
			[]string{"web > api:81/tcp"},
		},
		{
			"containers of one task may reach each other in another copy of it",
			`
services:
  web: {image: nginx, depends_on: [api], deploy: {labels: {ecs.task.family: "one,two"}}}
  api: {image: nginx, expose: [81], deploy: {labels: {ecs.task.family: one}}}
`,
			[]string{"one > one:81/tcp", "two > one:81/tcp"},
		},
		{
			"what has ended is not called",
			`
services:
  web:
    image: nginx
    depends_on: {seed: {condition: service_completed_successfully}}
    deploy: {labels: {ecs.task.family: shop}}
  seed: {image: nginx, expose: [81], deploy: {labels: {ecs.task.family: shop}}}
`,
			nil,
		},
		{
			"a family may be named",
			`
services:
  web: {image: nginx, depends_on: [back]}
  api: {image: nginx, expose: [81], deploy: {labels: {ecs.task.family: back}}}
`,
			[]string{"web > back:81/tcp"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := edgesOf(mustFamilies(t, c.text)); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
