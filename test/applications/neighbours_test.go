//go:build !race

package applications

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"composecdk/test/fixture"
)

// smallest are resources of each kind that need nothing else.
var smallest = map[string]string{
	"x-dynamodb": "{Properties: {AttributeDefinitions: [{AttributeName: id, AttributeType: S}], KeySchema: [{AttributeName: id, KeyType: HASH}]}}",
	"x-rds":      "{MacroParameters: {Engine: aurora-mysql}}",
	"x-sqs":      "{}",
	"x-kms":      "{}",
	"x-s3":       "{}",
	"x-route53":  "{Properties: {Name: example.net, HostedZoneConfig: {Comment: a}}}",
	"x-acm":      "{MacroParameters: {DomainNames: [www.example.com], HostedZoneId: Z0123456789ABCDEFGHIJ}}",
}

// TestNeighbours: to add something to a file, or to remove it again, must change
// no logical id and no property of the rest, but for what refers to it. Each case
// lists all that may change, and all of it must.
func TestNeighbours(t *testing.T) {
	base := synthesise(t, target{}, fixture.Rich)
	type addition struct{ add, changes string }
	tests := map[string]addition{
		"a service, first by name": {
			"services: {aaa: {image: 'a:1', ports: ['7000']}}",
			`\+ Services/aaa\w+`,
		},
		"a service, last by name, that calls another": {
			"services: {zzz: {image: 'z:1', depends_on: [api], x-xray: true}}",
			`\+ Services/zzz\w+`,
		},
		"a family of two": {
			"services: {m1: {image: 'm:1', deploy: {labels: {ecs.task.family: mmm}}}, m2: {image: 'm:2', deploy: {labels: {ecs.task.family: mmm}}}}",
			`\+ Services/mmm\w+`,
		},
		"a resource that a service uses": {
			"x-sqs: {another: {Services: {web: {Access: Publish}}}}",
			`\+ Data/xsqsanother\w+
~ Services/webTask[0-9A-F]{8} Properties.ContainerDefinitions
~ Services/webTaskRoleDefaultPolicy\w+ Properties.PolicyDocument`,
		},
		"a secret that a service uses": {
			"services: {worker: {secrets: [more]}}\nsecrets: {more: {external: true, name: shop/more}}",
			`~ Services/workerTask[0-9A-F]{8} Properties.ContainerDefinitions
~ Services/workerExecutionRoleDefaultPolicy\w+ Properties.PolicyDocument`,
		},
		"a target of a load balancer": {
			`x-elbv2:
  public:
    Listeners: !override
      - Port: 80
        Protocol: HTTP
        Targets:
          - {name: "web:web", access: /}
          - {name: "worker:worker", access: /work}
    Services:
      "worker:worker": {port: 9100, protocol: HTTP, healthcheck: "9100:HTTP:/:200"}`,
			`\+ Services/xelbv2public\w*worker\w+
\+ Services/xelbv2publiclistener80pathwork\w+
~ Services/workerService[0-9A-F]{8} DependsOn Properties.HealthCheckGracePeriodSeconds Properties.LoadBalancers
~ Services/workerServiceTaskCountTarget\w+ DependsOn`,
		},
		"a load balancer": {
			"services: {worker: {x-ingress: internal, ports: ['9100:9100']}}",
			`\+ Services/xingress\w+
~ Services/workerService[0-9A-F]{8} .*
~ Services/workerServiceTaskCountTarget\w+ DependsOn`,
		},
	}
	if fixture.Kind() != "" {
		clear(tests)
	}
	for _, k := range selectedKinds(t) {
		if smallest[k.Key] == "" {
			t.Errorf("smallest has no resource of %s", k.Key)
		}
		tests[k.Key+", first by name"] = addition{
			k.Key + ": {aaa: " + smallest[k.Key] + "}", `\+ Data/` + strings.ReplaceAll(k.Key, "-", "") + `aaa\w+`,
		}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			more := synthesise(t, target{}, fixture.Rich, fixture.Write(t, test.add))
			patterns := strings.Split(test.changes, "\n")
			met := map[string]bool{}
			for _, change := range changes(base, more) {
				expected := false
				for _, pattern := range patterns {
					if regexp.MustCompile("^" + pattern + "$").MatchString(change) {
						met[pattern], expected = true, true
					}
				}
				if !expected {
					t.Errorf("this changes too: %s", change)
				}
			}
			for _, pattern := range patterns {
				if !met[pattern] {
					t.Errorf("this does not change: %s", pattern)
				}
			}
		})
	}
}

// changes lists what the second application has more (+), less (-) and otherwise
// (~, with the parts that differ), as "+ Stack/LogicalId".
func changes(before, after application) []string {
	var found []string
	for _, stack := range []string{"Network", "Data", "Services"} {
		a, b := before.templates[stack].Resources, after.templates[stack].Resources
		ids := maps.Clone(a)
		if ids == nil {
			ids = map[string]any{}
		}
		maps.Copy(ids, b)
		for _, id := range slices.Sorted(maps.Keys(ids)) {
			switch name := stack + "/" + id; {
			case a[id] == nil:
				found = append(found, "+ "+name)
			case b[id] == nil:
				found = append(found, "- "+name)
			case !reflect.DeepEqual(a[id], b[id]):
				found = append(found, "~ "+name+" "+strings.Join(differing(a[id], b[id]), " "))
			}
		}
	}
	return found
}

// differing names the parts of two definitions of a resource that differ.
func differing(before, after any) []string {
	parts := func(resource any) map[string]any {
		flat := map[string]any{}
		for key, value := range resource.(map[string]any) {
			if properties, ok := value.(map[string]any); ok && key == "Properties" {
				for name, property := range properties {
					flat["Properties."+name] = property
				}
			} else {
				flat[key] = value
			}
		}
		return flat
	}
	a, b := parts(before), parts(after)
	all := maps.Clone(a)
	maps.Copy(all, b)
	var names []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !reflect.DeepEqual(a[name], b[name]) {
			names = append(names, name)
		}
	}
	return names
}
