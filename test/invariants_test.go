//go:build !race

package test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"composecdk/compose"
)

// invariants are what holds for every application, whatever its files say. They
// run over all golden cases and the corpus.
var invariants = []struct {
	name  string
	holds func(*testing.T, application)
}{
	{"secrets stay secret", secretsStaySecret},
	{"sidecars see nothing of the application", sidecarsAreApart},
	{"the agent reads only the secrets of the task", agentReadsOnlyItsSecrets},
	{"X-Ray is there if asked for, and only then", tracingAsAsked},
	{"every way in was asked for", waysInWereAsked},
	{"no statement is broader than it must be", statementsAreNarrow},
	{"logs end", logsEnd},
	{"deployments roll back", deploymentsRollBack},
	{"what holds data is kept", dataIsKept},
	{"tasks are private", tasksArePrivate},
	{"names are within the limits of AWS", namesAreValid},
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

// resources are all of a type, in all stacks, sorted.
func (a application) resources(kind string) []resource {
	var found []resource
	for _, stack := range slices.Sorted(maps.Keys(a.templates)) {
		all := a.templates[stack].resources
		for _, id := range slices.Sorted(maps.Keys(all)) {
			whole := all[id].(map[string]any)
			if matched, _ := regexp.MatchString("^"+kind+"$", whole["Type"].(string)); matched {
				properties, _ := whole["Properties"].(map[string]any)
				found = append(found, resource{id, properties, whole})
			}
		}
	}
	return found
}

// list is a property that is a list, or one item that stands for it.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// modelled is the container of the model behind a container definition; nil for a
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

// A value that resolves a secret must be in Secrets; Environment holds what the
// file writes, and what resources are called.
func secretsStaySecret(t *testing.T, app application) {
	for _, task := range app.resources("AWS::ECS::TaskDefinition") {
		for _, d := range list(task.properties["ContainerDefinitions"]) {
			c := app.modelled(task, d)
			for _, v := range list(at(d, "Environment")) {
				value := text(at(v, "Value"))
				if strings.Contains(value, "resolve:secretsmanager") || strings.Contains(value, "resolve:ssm-secure") {
					t.Errorf("%s: %s of %s resolves a secret", task.id, at(v, "Name"), at(d, "Name"))
				}
				if !looksSecret.MatchString(at(v, "Name").(string)) {
					continue
				}
				written := c != nil && slices.ContainsFunc(c.Environment, func(e compose.Variable) bool { return e.Name == at(v, "Name") })
				if literal, ok := at(v, "Value").(string); ok && !written && !strings.HasPrefix(literal, "arn:") {
					t.Errorf("%s: %s of %s is the literal %q, which the file does not write", task.id, at(v, "Name"), at(d, "Name"), literal)
				}
			}
		}
	}
	for stack, tm := range app.templates {
		for id, r := range tm.resources {
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

// resolved are the properties below v in which a secret is read.
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

var looksSecret = regexp.MustCompile(`(?i)(password|passwd|secret|token|api_?key|private_?key|access_?key)$`)

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

// policyStatements are those of all policies of a role.
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

// secretID is what identifies a secret in its ARN or a policy on it, without the
// field and the random end.
func secretID(v any) string {
	s := strings.TrimSuffix(text(v), `"`)
	if join, ok := at(v, "Fn::Join").([]any); ok {
		var b strings.Builder
		for _, part := range join[1].([]any) {
			if literal, ok := part.(string); ok {
				b.WriteString(literal)
			} else {
				b.WriteString(text(part))
			}
		}
		s = b.String()
	}
	s = strings.TrimPrefix(s, `"`)
	s = regexp.MustCompile(`(:[A-Za-z0-9_.-]*){1}::$`).ReplaceAllString(s, "")
	return strings.TrimSuffix(strings.TrimSuffix(s, "-??????"), "-*")
}

func agentReadsOnlyItsSecrets(t *testing.T, app application) {
	for _, task := range app.resources("AWS::ECS::TaskDefinition") {
		used := map[string]bool{}
		for _, d := range list(task.properties["ContainerDefinitions"]) {
			for _, s := range list(at(d, "Secrets")) {
				used[secretID(at(s, "ValueFrom"))] = true
			}
			if pull := at(d, "RepositoryCredentials", "CredentialsParameter"); pull != nil {
				used[secretID(pull)] = true
			}
		}
		role, ok := at(task.properties, "ExecutionRoleArn", "Fn::GetAtt", 0).(string)
		if !ok {
			t.Fatalf("%s has no execution role", task.id)
		}
		for _, s := range app.policyStatements(role) {
			for _, action := range list(at(s, "Action")) {
				if !strings.HasPrefix(action.(string), "secretsmanager:") && !strings.HasPrefix(action.(string), "ssm:") {
					continue
				}
				for _, r := range list(at(s, "Resource")) {
					if !used[secretID(r)] {
						t.Errorf("%s: the agent may read %s, which no container has; they have %v", task.id, secretID(r), slices.Sorted(maps.Keys(used)))
					}
				}
			}
		}
	}
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
// the file opens or that a load balancer has, or the VPC's for an internal one, and a group one at the end of an
// edge, a target, a volume or a binding.
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
		if at(rule, "IpProtocol") == "-1" && at(rule, "SourceSecurityGroupId") == nil {
			t.Errorf("%s: all ports are open: %s", id, text(rule))
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

// connects tells whether the model knows why a rule between two groups is there,
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
	return slices.ContainsFunc(a.model.Edges, func(e compose.Edge) bool {
		return e.From == from && e.To == to && e.Port.Number == int(port)
	})
}

// notScopable are actions for which IAM takes no resource.
var notScopable = []string{
	"ecr:GetAuthorizationToken", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
	"ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel", "logs:DescribeLogGroups",
	"xray:GetSamplingRules", "xray:GetSamplingStatisticSummaries", "xray:GetSamplingTargets",
	"xray:PutTelemetryRecords", "xray:PutTraceSegments",
}

// wholeFamilies are actions that AWS itself names with a * where a key is used:
// which of them a service calls is its own affair.
var wholeFamilies = []string{"kms:GenerateDataKey*", "kms:ReEncrypt*"}

func statementsAreNarrow(t *testing.T, app application) {
	for _, p := range app.resources("AWS::IAM::Policy") {
		if strings.Contains(p.id, "xiam") {
			continue // the file's own
		}
		for _, s := range list(at(p.properties, "PolicyDocument", "Statement")) {
			if at(s, "Effect") != "Allow" {
				continue
			}
			if at(s, "NotAction") != nil || at(s, "NotResource") != nil {
				t.Errorf("%s allows all but something: %s", p.id, text(s))
			}
			for _, action := range list(at(s, "Action")) {
				if strings.HasSuffix(action.(string), "*") && !slices.Contains(wholeFamilies, action.(string)) {
					t.Errorf("%s allows %s", p.id, action)
				}
				if slices.Contains(list(at(s, "Resource")), any("*")) && !slices.Contains(notScopable, action.(string)) && at(s, "Condition") == nil {
					t.Errorf("%s allows %s on everything", p.id, action)
				}
			}
		}
	}
}

func logsEnd(t *testing.T, app application) {
	for _, g := range app.resources("AWS::Logs::LogGroup") {
		if days, ok := g.properties["RetentionInDays"].(float64); !ok || days < 1 {
			t.Errorf("%s keeps its logs for ever", g.id)
		}
	}
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

// dataIsKept holds docs/decisions/what-is-kept.md.
func dataIsKept(t *testing.T, app application) {
	const stateful = `AWS::(RDS::DB(Cluster|Instance)|DynamoDB::(Global)?Table|EFS::FileSystem|SecretsManager::Secret|S3::Bucket|Logs::LogGroup|KMS::Key)`
	for _, r := range app.resources(stateful) {
		if r.properties["DBClusterIdentifier"] != nil && r.whole["Type"] == "AWS::RDS::DBInstance" {
			continue // the data is the cluster's
		}
		if len(resolved(r.properties, "")) > 0 && r.whole["Type"] == "AWS::SecretsManager::Secret" {
			continue // made of another one, which is kept
		}
		for _, key := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
			if policy, _ := r.whole[key].(string); policy != "Retain" && policy != "Snapshot" && policy != "RetainExceptOnCreate" {
				t.Errorf("%s: %s is %v", r.id, key, r.whole[key])
			}
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
	for _, d := range app.resources("AWS::RDS::DBInstance") {
		if d.properties["PubliclyAccessible"] == true {
			t.Errorf("%s is public", d.id)
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
	for stack, tm := range app.templates {
		const mostResources, mostBytes = 500, 1 << 20
		if len(tm.resources) > mostResources || len(tm.text) > mostBytes {
			t.Errorf("%s has %d resources and %d bytes, more than CloudFormation takes", stack, len(tm.resources), len(tm.text))
		}
		var whole struct{ Outputs map[string]any }
		if err := json.Unmarshal([]byte(tm.text), &whole); err != nil {
			t.Error(err)
		}
		const mostOutputs = 200
		if len(whole.Outputs) > mostOutputs {
			t.Errorf("%s has %d outputs, more than CloudFormation takes", stack, len(whole.Outputs))
		}
	}
}

// TestInvariants runs the rules over the golden cases; TestCorpus does over the
// files of others.
func TestInvariants(t *testing.T) {
	for _, c := range goldenCases(t) {
		if c.to.Throwaway {
			continue // keeps nothing, on purpose
		}
		t.Run(c.name, func(t *testing.T) { checkInvariants(t, synthesise(t, c.to, c.files...)) })
	}
}
