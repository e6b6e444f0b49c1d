//go:build !race

package applications

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"composecdk/compose"
)

// invariants are what holds for every application, whatever its files say, as far
// as only the model or our own ways tell; package gate has what holds for any
// assembly. They run over all golden cases and the corpus.
var invariants = []struct {
	name  string
	holds func(*testing.T, application)
}{
	{"secrets are read where a credential belongs", secretsAreReadInPlace},
	{"sidecars see nothing of the application", sidecarsAreApart},
	{"X-Ray is there if asked for, and only then", tracingAsAsked},
	{"every way in was asked for", waysInWereAsked},
	{"deployments roll back", deploymentsRollBack},
	{"tasks are private", tasksArePrivate},
	{"names are of the characters that AWS takes", namesAreValid},
	{"nothing that was asked for is missing", nothingIsMissing},
}

// checkInvariants runs all rules on a synthesised application.
func checkInvariants(t *testing.T, app application) {
	t.Helper()
	for _, rule := range invariants {
		t.Run(rule.name, func(t *testing.T) { rule.holds(t, app) })
	}
}

// resource is one of a template, by its logical id.
type resource struct {
	id         string
	properties map[string]any
	whole      map[string]any
}

// resources returns all of a type, in all stacks, sorted.
func (a application) resources(kind string) []resource {
	var found []resource
	for _, stack := range slices.Sorted(maps.Keys(a.templates)) {
		all := a.templates[stack].Resources
		for _, id := range slices.Sorted(maps.Keys(all)) {
			whole := all[id].(map[string]any)
			if whole["Type"] == kind {
				properties, _ := whole["Properties"].(map[string]any)
				found = append(found, resource{id, properties, whole})
			}
		}
	}
	return found
}

// modelled returns the container of the model behind a container definition; nil for a
// sidecar.
func (a application) modelled(task resource, definition any) *compose.Container {
	for _, c := range a.familyOf(task).Containers {
		if c.Name == at(definition, "Name") {
			return c
		}
	}
	return nil
}

var notLetters = regexp.MustCompile(`[^A-Za-z0-9]`)

// familyOf finds the family of a task definition: the logical id begins with its
// name, and the containers are the same. Names such as a-b and ab look alike in
// an id.
func (a application) familyOf(task resource) *compose.Family {
	names := map[any]bool{}
	for _, d := range list(task.properties["ContainerDefinitions"]) {
		names[at(d, "Name")] = true
	}
	for _, f := range a.model.Families {
		missing := slices.ContainsFunc(f.Containers, func(c *compose.Container) bool { return !names[c.Name] })
		if !missing && strings.HasPrefix(task.id, notLetters.ReplaceAllString(f.Name, "")+"Task") {
			return f
		}
	}
	panic("no family for " + task.id)
}

// serviceFamily finds the family of a service.
func (a application) serviceFamily(service resource) *compose.Family {
	for _, task := range a.resources("AWS::ECS::TaskDefinition") {
		if task.id == at(service.properties, "TaskDefinition", "Ref") {
			return a.familyOf(task)
		}
	}
	panic("no task for " + service.id)
}

// secretsAreReadInPlace checks that a secret which CloudFormation reads goes into a property for credentials.
func secretsAreReadInPlace(t *testing.T, app application) {
	for stack, tm := range app.templates {
		for id, r := range tm.Resources {
			for _, place := range resolved(r, "") {
				if !mayResolve[place] {
					t.Errorf("%s: %s resolves a secret in %s", stack, id, place)
				}
			}
		}
	}
}

// mayResolve are the properties in which CloudFormation may read a secret: the
// login of a database, and a secret made of another one.
var mayResolve = map[string]bool{"MasterUsername": true, "MasterUserPassword": true, "SecretString": true}

// resolved returns the properties below v in which a secret is read.
func resolved(v any, property string) []string {
	var found []string
	switch v := v.(type) {
	case string:
		if strings.Contains(v, "{{resolve:secretsmanager") || strings.Contains(v, "{{resolve:ssm-secure") {
			return []string{property}
		}
	case []any:
		for _, item := range v {
			found = append(found, resolved(item, property)...)
		}
	case map[string]any:
		for key, value := range v {
			if strings.HasPrefix(key, "Fn::") {
				key = property
			}
			found = append(found, resolved(value, key)...)
		}
	}
	return found
}

func sidecarsAreApart(t *testing.T, app application) {
	for _, task := range app.resources("AWS::ECS::TaskDefinition") {
		for _, d := range list(task.properties["ContainerDefinitions"]) {
			if app.modelled(task, d) != nil {
				continue
			}
			for _, key := range []string{"Environment", "Secrets", "EnvironmentFiles", "MountPoints", "VolumesFrom"} {
				if v := at(d, key); v != nil {
					t.Errorf("%s: the sidecar %s has %s: %s", task.id, at(d, "Name"), key, text(v))
				}
			}
			if at(d, "Essential") != false {
				t.Errorf("%s: the task ends with its sidecar %s", task.id, at(d, "Name"))
			}
		}
	}
}

// policyStatements returns the statements of all policies of a role.
func (a application) policyStatements(role string) []any {
	var all []any
	for _, p := range a.resources("AWS::IAM::Policy") {
		for _, r := range list(p.properties["Roles"]) {
			if at(r, "Ref") == role {
				all = append(all, list(at(p.properties, "PolicyDocument", "Statement"))...)
			}
		}
	}
	return all
}

func tracingAsAsked(t *testing.T, app application) {
	for _, task := range app.resources("AWS::ECS::TaskDefinition") {
		f := app.familyOf(task)
		daemon := slices.ContainsFunc(list(task.properties["ContainerDefinitions"]), func(d any) bool { return at(d, "Name") == "xray-daemon" })
		allowed := strings.Contains(text(app.policyStatements(at(task.properties, "TaskRoleArn", "Fn::GetAtt", 0).(string))), "xray:")
		if asked := f.Tracing != nil; daemon != asked || allowed != asked {
			t.Errorf("%s: tracing is asked for: %v, the daemon is there: %v, the role may send: %v", task.id, asked, daemon, allowed)
		}
	}
}

// waysInWereAsked looks at every rule: a range of addresses must be a source that
// the file opens or that a load balancer has, or the VPC's for an internal one, and
// a group one at the end of an edge, a target, a volume or a binding.
func waysInWereAsked(t *testing.T, app application) {
	asked := map[string]bool{}
	for _, f := range app.model.Families {
		for _, source := range f.Ingress {
			asked[source.CIDR] = true
		}
	}
	for _, lb := range app.model.LoadBalancers {
		for _, source := range lb.Sources {
			asked[source.CIDR] = true
		}
		if !lb.Internal || len(lb.Sources) > 0 {
			continue
		}
		if vpc := app.model.Network.Existing; vpc != nil {
			asked[vpc.CIDR] = true
		} else {
			asked[app.model.Network.New.CIDR] = true
		}
	}
	check := func(id string, rule any) {
		for _, key := range []string{"CidrIp", "CidrIpv6"} {
			cidr, ok := at(rule, key).(string)
			if ok && !asked[cidr] {
				t.Errorf("%s: nobody asked for %s", id, text(rule))
			}
		}
	}
	for _, g := range app.resources("AWS::EC2::SecurityGroup") {
		for _, rule := range list(g.properties["SecurityGroupIngress"]) {
			check(g.id, rule)
		}
	}
	for _, rule := range app.resources("AWS::EC2::SecurityGroupIngress") {
		check(rule.id, rule.properties)
		if rule.properties["SourceSecurityGroupId"] != nil && !app.connects(rule.properties) {
			t.Errorf("%s: neither an edge, a binding, a volume nor a target: %s", rule.id, text(rule.properties))
		}
	}
}

// connects reports whether the model knows why a rule between two groups is there,
// by its description and port.
func (a application) connects(rule map[string]any) bool {
	description, _ := rule["Description"].(string)
	from, to, _ := strings.Cut(description, " to ")
	port, _ := rule["FromPort"].(float64)
	switch {
	case strings.HasSuffix(description, " mounts it"):
		return port == 2049
	case strings.HasPrefix(from, "load balancer "):
		return slices.ContainsFunc(a.model.LoadBalancers, func(lb *compose.LoadBalancer) bool {
			return slices.ContainsFunc(lb.TargetGroups, func(g *compose.TargetGroup) bool {
				return slices.ContainsFunc(g.Targets, func(target compose.Target) bool { return target.Family == to })
			})
		})
	case strings.HasPrefix(to, "x-"):
		return slices.ContainsFunc(a.model.Bindings, func(b *compose.Binding) bool {
			return b.Family.Name == from && string(b.Resource.Path) == to
		})
	}
	for _, f := range a.model.Families {
		for _, source := range f.Ingress {
			if source.Myself || source.SecurityGroup != "" {
				return true
			}
		}
	}
	return slices.ContainsFunc(a.model.Connections, func(e compose.Connection) bool {
		return e.From == from && e.To == to && e.Port.Number == int(port)
	})
}

func deploymentsRollBack(t *testing.T, app application) {
	for _, s := range app.resources("AWS::ECS::Service") {
		f := app.serviceFamily(s)
		on := at(s.properties, "DeploymentConfiguration", "DeploymentCircuitBreaker", "Enable") == true
		if on != f.Deployment.CircuitBreaker {
			t.Errorf("%s: the circuit breaker is on: %v", s.id, on)
		}
		scaled := f.Scaling != nil || slices.ContainsFunc(app.model.Bindings, func(b *compose.Binding) bool {
			return b.Family == f && b.Scaling != nil
		})
		if (s.properties["DesiredCount"] != nil) == scaled {
			t.Errorf("%s: with autoscaling a deployment must not set the count, and must without", s.id)
		}
	}
}

func tasksArePrivate(t *testing.T, app application) {
	for _, s := range app.resources("AWS::ECS::Service") {
		public := at(s.properties, "NetworkConfiguration", "AwsvpcConfiguration", "AssignPublicIp") != "DISABLED"
		if f := app.serviceFamily(s); public != f.AssignPublicIP {
			t.Errorf("%s: the tasks have public addresses: %v", s.id, public)
		}
	}
	for _, s := range app.resources("AWS::EC2::Subnet") {
		if s.properties["MapPublicIpOnLaunch"] == true {
			t.Errorf("%s gives out public addresses", s.id)
		}
	}
}

// limits are what AWS accepts, by the type and the path of a property.
var limits = []struct {
	kind    string
	path    []any
	pattern *regexp.Regexp
}{
	{"AWS::EC2::SecurityGroup", []any{"GroupDescription"}, groupDescription},
	{"AWS::EC2::SecurityGroupIngress", []any{"Description"}, groupDescription},
	{"AWS::EC2::SecurityGroupEgress", []any{"Description"}, groupDescription},
	{"AWS::ElasticLoadBalancingV2::LoadBalancer", []any{"Name"}, balancerName},
	{"AWS::ElasticLoadBalancingV2::TargetGroup", []any{"Name"}, balancerName},
	{"AWS::IAM::Policy", []any{"PolicyName"}, regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)},
	{"AWS::IAM::Role", []any{"Description"}, regexp.MustCompile(`^[ -~¡-ÿ\t\n\r]{0,1000}$`)},
	{"AWS::ECS::TaskDefinition", []any{"Family"}, ecsName},
	{"AWS::ApplicationAutoScaling::ScalingPolicy", []any{"PolicyName"}, regexp.MustCompile(`^[ -~]{1,256}$`)},
	{"AWS::Logs::LogGroup", []any{"LogGroupName"}, regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)},
	{"AWS::ServiceDiscovery::PrivateDnsNamespace", []any{"Name"}, regexp.MustCompile(`^[!-~]{1,253}$`)},
	{"AWS::ServiceDiscovery::Service", []any{"Name"}, regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)},
}

var (
	groupDescription = regexp.MustCompile(`^[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}$`)
	balancerName     = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?$`)
	ecsName          = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
	connectName      = regexp.MustCompile(`^[a-z0-9_][a-z0-9_-]{0,63}$`)
	sid              = regexp.MustCompile(`^[A-Za-z0-9]*$`)
)

func namesAreValid(t *testing.T, app application) {
	for _, l := range limits {
		for _, r := range app.resources(l.kind) {
			if name, ok := at(r.properties, l.path...).(string); ok && !l.pattern.MatchString(name) {
				t.Errorf("%s: %v is %q, which AWS does not accept", r.id, l.path, name)
			}
		}
	}
	for _, p := range app.resources("AWS::IAM::Policy") {
		for _, s := range list(at(p.properties, "PolicyDocument", "Statement")) {
			if name, ok := at(s, "Sid").(string); ok && !sid.MatchString(name) && !strings.Contains(p.id, "xiam") {
				t.Errorf("%s: the Sid %q is no name", p.id, name)
			}
		}
	}
	discovered := map[string]string{}
	for _, s := range app.resources("AWS::ECS::Service") {
		for _, c := range list(at(s.properties, "ServiceConnectConfiguration", "Services")) {
			for _, key := range []string{"DiscoveryName", "PortName"} {
				if name := at(c, key).(string); !connectName.MatchString(name) {
					t.Errorf("%s: %s is %q", s.id, key, name)
				}
			}
			name := at(c, "DiscoveryName").(string)
			if discovered[name] != "" {
				t.Errorf("%s and %s are both found as %s", s.id, discovered[name], name)
			}
			discovered[name] = s.id
		}
	}
	for _, task := range app.resources("AWS::ECS::TaskDefinition") {
		ports := map[string]bool{}
		for _, d := range list(task.properties["ContainerDefinitions"]) {
			if name := at(d, "Name").(string); !ecsName.MatchString(name) {
				t.Errorf("%s: no container can be named %q", task.id, name)
			}
			for _, p := range list(at(d, "PortMappings")) {
				if name, ok := at(p, "Name").(string); ok {
					if ports[name] {
						t.Errorf("%s: two ports are named %s", task.id, name)
					}
					ports[name] = true
				}
			}
			if at(d, "LogConfiguration", "Options", "awslogs-stream-prefix") == nil {
				t.Errorf("%s: the logs of %s have no prefix", task.id, at(d, "Name"))
			}
		}
	}
}

// TestInvariants runs the rules over the golden cases; TestCorpus does over the
// untrusted files.
func TestInvariants(t *testing.T) {
	for _, c := range goldenCases(t) {
		t.Run(c.name, func(t *testing.T) { checkInvariants(t, c.synthesised(t)) })
	}
}
