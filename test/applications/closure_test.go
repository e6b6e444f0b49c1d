//go:build !race

package applications

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"composecdk/compose"
	"composecdk/compose/kinds"
	"composecdk/test/fixture"
	"composecdk/test/iam"
)

// closure is the inquiry into an application.
type closure struct {
	judged
	iam.Inquiry
	pairs int
}

// TestLeastPrivilege lets an IAM simulator decide, on the policies as they are once
// deployed, that a service may do with each x-resource what its bindings declare,
// and nothing else: of all actions that IAM knows for such a resource, for every
// pair of a service and a resource, bound or not. The same for secrets, keys,
// trust policies and the resources' own policies. Each template that is changed to
// allow too much or too little must be found.
func TestLeastPrivilege(t *testing.T) {
	var all []*closure
	for _, c := range judgedCases(t) {
		all = append(all, ask(t, c))
	}
	cases := len(all)
	asked := map[string]bool{}
	for _, c := range all {
		c.Drop(func(key string) bool { asked[key] = true; return false })
	}
	mutants := slices.DeleteFunc(slices.Clone(mutants), func(m mutant) bool { return !fixture.Chosen(m.from) })
	for _, m := range mutants {
		c := ask(t, m.of(t))
		c.Drop(func(key string) bool { return asked[key] })
		all = append(all, c)
	}
	var inquiries []*iam.Inquiry
	for _, c := range all {
		inquiries = append(inquiries, &c.Inquiry)
	}
	given := iam.Decide(t, inquiries)
	pairs, allowed, denied := 0, 0, 0
	effective := map[string]bool{}
	for _, c := range all[:cases] {
		pairs += c.pairs
		for _, problem := range c.Problems(given[&c.Inquiry]) {
			t.Error(problem)
		}
		for i, q := range c.Questions {
			allowed += len(given[&c.Inquiry][i].Allowed)
			denied += len(given[&c.Inquiry][i].Asked) - len(given[&c.Inquiry][i].Allowed)
			for _, action := range q.Want {
				key, _, _ := strings.Cut(q.About, ":")
				effective[key+" "+action] = effective[key+" "+action] || slices.ContainsFunc(given[&c.Inquiry][i].Allowed, func(a string) bool { return iam.Wild(action, a) })
			}
		}
	}
	for _, action := range slices.Sorted(maps.Keys(effective)) {
		if !effective[action] {
			t.Errorf("%s is declared, but has no effect on any resource", action)
		}
	}
	caught := 0
	for i, m := range mutants {
		c := all[cases+i]
		if len(c.Problems(given[&c.Inquiry])) == 0 {
			t.Errorf("not found: %s", m.name)
			continue
		}
		caught++
	}
	if allowed == 0 || denied == 0 || pairs == 0 {
		t.Error("nothing was simulated")
	}
	t.Logf("%d pairs of a service and a resource or volume; simulations: %d allowed, %d denied; mutants: %d of %d found", pairs, allowed, denied, caught, len(mutants))
}

// ask makes the questions about a case.
func ask(t *testing.T, j judged) *closure {
	t.Helper()
	c := &closure{judged: j, Inquiry: iam.Inquiry{Resolver: iam.NewResolver(t, j.name, j.templates)}}
	resourcePolicies := c.resourcePolicies()
	var resources []xres
	for _, m := range j.model.Resources {
		resources = append(resources, xres{m, kindOf(m), c.arnOf(m), c.keyOf(m)})
	}
	for _, p := range c.All("AWS::ECS::TaskDefinition") {
		task, application, agent := c.roles(p)
		for _, r := range resources {
			c.pairs++
			policy := resourcePolicies[r.arn]
			if policy == nil && r.kind.Type == "AWS::KMS::Key" {
				policy = leftToIAM // of a key that exists
			}
			c.askBinding(application, task.family, resources, r, policy)
			if len(r.kind.services()) > 0 {
				c.Asks(agent, "the agent of "+task.family.Name+" on a resource", r.arn, policy, r.kind.services(), iam.Secure, nil)
			}
		}
		c.askKeys(application, agent, task.family, resources)
		c.askSecrets(application, agent, task)
		c.askVolumes(application, agent, task.family)
	}
	for _, r := range resources {
		c.askResourcePolicy(r, resourcePolicies[r.arn])
	}
	c.askTrust()
	return c
}

// xres is a resource of the model with what it is once deployed.
type xres struct {
	model *compose.Resource
	kind  kind
	arn   string
	key   key
}

type kind struct{ *kinds.Kind }

func kindOf(m *compose.Resource) kind {
	for _, k := range kinds.All() {
		if k.Key == m.Key {
			return kind{k}
		}
	}
	panic("no kind for " + m.Key)
}

// statements returns the statements of all profiles of a kind.
func (k kind) statements() []kinds.Statement {
	var all []kinds.Statement
	for _, scope := range slices.Sorted(maps.Keys(k.Profiles)) {
		for _, name := range slices.Sorted(maps.Keys(k.Profiles[scope])) {
			all = append(all, k.Profiles[scope][name]...)
		}
	}
	return all
}

// services returns the IAM prefixes of a kind's actions.
func (k kind) services() []string {
	var services []string
	for _, s := range k.statements() {
		for _, action := range s.Actions {
			service, _, _ := strings.Cut(action, ":")
			services = append(services, service)
		}
	}
	slices.Sort(services)
	return slices.Compact(services)
}

// places returns the ARNs of a resource and of what belongs to it, such as its indexes,
// that the kind's profiles name.
func (r xres) places() []string {
	var places []string
	for _, s := range r.kind.statements() {
		for _, pattern := range patterns(s) {
			places = append(places, strings.ReplaceAll(strings.ReplaceAll(pattern, "${ARN}", r.arn), "*", "some"))
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}

func patterns(s kinds.Statement) []string {
	if len(s.Resources) == 0 {
		return []string{"${ARN}"}
	}
	return s.Resources
}

// granted returns the statements that the bindings of a family give it for all
// resources of an ARN: one may stand twice in a file.
func (c *closure) granted(f *compose.Family, resources []xres, matches func(xres) bool) []kinds.Statement {
	var all []kinds.Statement
	for _, b := range c.model.Bindings {
		i := slices.IndexFunc(resources, func(r xres) bool { return r.model == b.Resource })
		if b.Family != f || !matches(resources[i]) {
			continue
		}
		for _, g := range b.Grants {
			all = append(all, resources[i].kind.Profiles[g.Scope][g.Profile]...)
		}
	}
	return all
}

// askBinding asks what a family may do with a resource: what the profiles of its
// bindings say, and over plain text nothing where the resource has a policy.
func (c *closure) askBinding(application int, f *compose.Family, resources []xres, r xres, policy any) {
	granted := c.granted(f, resources, func(o xres) bool { return o.arn == r.arn })
	for _, place := range r.places() {
		if len(r.kind.services()) == 0 {
			continue // nothing is allowed on it
		}
		var want []string
		for _, s := range granted {
			if slices.ContainsFunc(patterns(s), func(p string) bool { return iam.Wild(strings.ReplaceAll(p, "${ARN}", r.arn), place) }) {
				want = append(want, s.Actions...)
			}
		}
		c.Asks(application, r.kind.Key+": "+f.Name, place, policy, r.kind.services(), iam.Secure, want)
		if policy != nil && r.model.Mode == compose.Create && r.kind.Type != "AWS::KMS::Key" {
			c.Asks(application, f.Name+" without TLS", place, policy, r.kind.services(), iam.Insecure, nil)
		}
	}
}

// taskOf is a task definition, resolved, and its family.
type taskOf struct {
	family     *compose.Family
	properties map[string]any
}

// roles finds the two roles of a task definition, with all policies of the
// templates but those that the file itself writes (x-iam).
func (c *closure) roles(p iam.Placed) (task taskOf, application, agent int) {
	properties := c.Properties(p)
	task = taskOf{c.familyOf(resource{id: p.ID, properties: properties}), properties}
	role := func(property string) int {
		arn, _ := properties[property].(string)
		return c.Who(arn, c.identityPolicies(arn)...)
	}
	return task, role("TaskRoleArn"), role("ExecutionRoleArn")
}

func (c *closure) identityPolicies(role string) []any {
	var policies []any
	for _, p := range c.All("AWS::IAM::Role") {
		if c.ARN(p) != role {
			continue
		}
		for _, inline := range list(c.Properties(p)["Policies"]) {
			policies = append(policies, at(inline, "PolicyDocument"))
		}
	}
	for _, p := range c.All("AWS::IAM::Policy") {
		attached := slices.ContainsFunc(list(c.Properties(p)["Roles"]), func(name any) bool { return strings.HasSuffix(role, ":role/"+fmt.Sprint(name)) })
		if attached && !strings.Contains(p.ID, "xiam") {
			policies = append(policies, c.Properties(p)["PolicyDocument"])
		}
	}
	return policies
}

// definition finds the template's resource behind an element of the model: the
// construct that a part of it is called.
func (c *closure) definition(section, element, part string) (iam.Placed, bool) {
	name := regexp.MustCompile(`^` + notLetters.ReplaceAllString(section+element, "") + part + `[0-9A-F]{8}$`)
	var found []iam.Placed
	for stack, parsed := range c.Stacks {
		for id := range parsed.Resources {
			if name.MatchString(id) {
				found = append(found, iam.Placed{Stack: stack, ID: id})
			}
		}
	}
	if len(found) > 1 {
		c.T.Fatalf("%s: %s.%s is %v", c.name, section, element, found)
	}
	return append(found, iam.Placed{})[0], len(found) == 1
}

// arnOf returns the ARN of a resource: of the template's, or of the one that Lookup
// describes.
func (c *closure) arnOf(m *compose.Resource) string {
	if m.Mode == compose.Create {
		p, ok := c.definition(m.Key, m.Name, "Definition")
		if !ok {
			c.T.Fatalf("%s: no resource of the templates is %s", c.name, m.Path)
		}
		return c.ARN(p)
	}
	for _, scope := range append([]string{""}, m.Schema.Lookups...) {
		if target, ok := m.Lookup[scope]; ok && scope != "secret" {
			return lookedUp(m, scope, target)
		}
	}
	c.T.Fatalf("%s looks nothing up", m.Path)
	return ""
}

// lookedUp returns the ARN of what a Lookup describes. Where the name is not enough, it is
// asked for.
func lookedUp(m *compose.Resource, scope string, target compose.LookupTarget) string {
	form, name := iam.ARNForms[m.Schema.Type], target.Identifier
	if name == "" {
		name = target.Name
	}
	url := strings.Split(name, "/")
	switch {
	case target.Arn != "":
		return target.Arn
	case len(url) == 5: // https://sqs.<region>.amazonaws.com/<account>/<name>
		return "arn:aws:sqs:" + strings.Split(url[2], ".")[1] + ":" + url[3] + ":" + url[4]
	case m.Schema.Lookups != nil:
		return "arn:aws:rds:eu-west-1:111111111111:" + scope + ":unanswered"
	case strings.HasPrefix(name, "alias/"):
		return strings.Replace(form, "*", "1234abcd-12ab-34cd-56ef-1234567890ab", 1) // the CDK's own placeholder
	case name != "":
		return strings.Replace(form, "*", name, 1)
	default:
		return strings.Replace(form, "*", "unanswered", 1)
	}
}

// key is a key of the account that encrypts a resource; via is the service that
// uses it.
type key struct{ arn, alias, via string }

const keyARN = "arn:aws:kms:" + iam.HomeRegion + ":" + iam.HomeAccount + ":key/"

func (c *closure) keyOf(m *compose.Resource) key {
	_, via := kinds.KeyOf(m)
	p, created := c.definition(m.Key, m.Name, "Definition")
	if via == "" || !created || m.Mode != compose.Create {
		return key{}
	}
	// The row of the kind leads through the template as it does through the file.
	made := *m
	made.Properties = c.Properties(p)
	property, _ := kinds.KeyOf(&made)
	id, _ := property.(string)
	switch {
	case id == "" || strings.HasPrefix(id, "alias/aws/"):
		return key{}
	case strings.HasPrefix(id, "alias/"):
		return key{keyARN + "of-" + notLetters.ReplaceAllString(id, "-"), id, via}
	case strings.HasPrefix(id, "arn:"):
		return key{id, "", via}
	default:
		return key{keyARN + id, "", via}
	}
}

// leftToIAM is the policy of a key that leaves the decision to IAM, as the default
// one does.
var leftToIAM = iam.Hospitable

// askKeys asks what a family may do with each key of the case, through the service
// that uses it, through another one and directly: what its bindings to the resources
// of that key say, and only through the first. Nobody may use somebody else's key,
// and the agent none.
func (c *closure) askKeys(application, agent int, f *compose.Family, resources []xres) {
	var keys []key
	for _, k := range kinds.All() {
		for _, row := range k.Keys {
			keys = append(keys, key{keyARN + "of-somebody-else-with-" + row.Via, "alias/somebody-else", row.Via})
		}
	}
	for _, r := range resources {
		if r.key.arn != "" && !slices.ContainsFunc(keys, func(k key) bool { return k.arn == r.key.arn }) {
			keys = append(keys, r.key)
		}
	}
	for _, k := range keys {
		ways := []string{k.via}
		if !strings.Contains(k.arn, "of-somebody-else") {
			ways = append(ways, "", "glacier")
		}
		for _, via := range ways {
			context := map[string]any{}
			if via != "" {
				context["kms:ViaService"] = via + "." + iam.HomeRegion + ".amazonaws.com"
			}
			if k.alias != "" {
				context["kms:ResourceAliases"] = []string{k.alias}
			}
			var want []string
			for _, s := range c.granted(f, resources, func(r xres) bool { return r.key.arn == k.arn && r.key.via == via }) {
				want = append(want, s.KeyActions...)
			}
			for _, s := range c.granted(f, resources, func(r xres) bool { return r.arn == k.arn }) {
				want = append(want, s.Actions...) // of the key itself, whatever it is used through
			}
			c.Asks(application, "key: "+f.Name+" through "+via, k.arn, leftToIAM, []string{"kms"}, context, want)
			if via == k.via {
				c.Asks(agent, "the agent of "+f.Name+" with a key", k.arn, leftToIAM, []string{"kms"}, context, nil)
			}
		}
	}
}

// askSecrets asks which secrets the agent and the application of a task may read,
// of all that the case makes or names: the agent exactly those of its containers,
// the application those that the file gives it.
func (c *closure) askSecrets(application, agent int, task taskOf) {
	byAgent, byApplication := c.readable(task)
	for _, arn := range c.secrets() {
		service, action := "secretsmanager", "secretsmanager:GetSecretValue"
		if strings.Split(arn, ":")[2] == "ssm" {
			service, action = "ssm", "ssm:GetParameters"
		}
		for _, by := range []struct {
			who      int
			about    string
			readable map[string]bool
		}{{agent, "secret: the agent of ", byAgent}, {application, "secret: ", byApplication}} {
			var want []string
			if by.readable[arn] {
				want = []string{action}
			}
			c.Asks(by.who, by.about+task.family.Name, arn, nil, []string{service}, map[string]any{}, want)
		}
	}
}

// readable returns the secrets of the containers of a task, and those of them that the
// application may read as well.
func (c *closure) readable(task taskOf) (agent, application map[string]bool) {
	agent, application = map[string]bool{}, map[string]bool{}
	for _, d := range list(task.properties["ContainerDefinitions"]) {
		if pull, ok := at(d, "RepositoryCredentials", "CredentialsParameter").(string); ok {
			agent[secretARN(pull)] = true
		}
		for _, s := range list(at(d, "Secrets")) {
			arn := secretARN(at(s, "ValueFrom").(string))
			agent[arn] = true
			if c.givenToApplication(task.family, at(d, "Name"), at(s, "Name")) {
				application[arn] = true
			}
		}
	}
	for _, b := range c.model.Bindings {
		var options struct{ GrantTaskAccess any }
		if err := json.Unmarshal([]byte(text(b.Options)), &options); err != nil {
			c.T.Fatal(err)
		}
		if granted := options.GrantTaskAccess; b.Family == task.family && granted != nil && granted != false {
			application[c.credentials(b.Resource)] = true
		}
	}
	return agent, application
}

// givenToApplication reports whether the secret behind a variable of a container is
// one that the file gives to the task role.
func (c *closure) givenToApplication(f *compose.Family, container, variable any) bool {
	for _, m := range f.Containers {
		for _, v := range m.Secrets {
			if m.Name == container && v.Name == variable {
				return slices.ContainsFunc(c.model.Secrets, func(s *compose.Secret) bool { return s.Name == v.Secret && s.TaskRole })
			}
		}
	}
	return false
}

// credentials returns the secret of a database.
func (c *closure) credentials(m *compose.Resource) string {
	if p, ok := c.definition(m.Key, m.Name, "Secret"); ok {
		return c.ARN(p)
	}
	target := m.Lookup["secret"]
	if target.Arn != "" {
		return secretARN(target.Arn)
	}
	return strings.Replace(iam.ARNForms["AWS::SecretsManager::Secret"], "*", target.Name, 1)
}

// secrets returns the ARNs of all secrets and parameters that a case makes or names, and
// of somebody else's.
func (c *closure) secrets() []string {
	found := map[string]bool{
		strings.Replace(iam.ARNForms["AWS::SecretsManager::Secret"], "*", "of-somebody-else", 1): true,
		"arn:aws:ssm:" + iam.HomeRegion + ":" + iam.HomeAccount + ":parameter/of-somebody-else":  true,
	}
	for _, p := range c.All("AWS::SecretsManager::Secret") {
		found[c.ARN(p)] = true
	}
	for _, p := range c.All("AWS::ECS::TaskDefinition") {
		for _, d := range list(c.Properties(p)["ContainerDefinitions"]) {
			for _, s := range list(at(d, "Secrets")) {
				found[secretARN(at(s, "ValueFrom").(string))] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// secretARN returns the whole ARN of a secret, without the field that a container gets,
// and with the characters that Secrets Manager adds to its name.
func secretARN(valueFrom string) string {
	parts := strings.Split(valueFrom, ":")
	if parts[2] != "secretsmanager" {
		return valueFrom
	}
	arn := strings.Join(parts[:7], ":")
	if !regexp.MustCompile(`-[A-Za-z0-9]{6}$`).MatchString(arn) {
		arn += "-AbCdEf"
	}
	return arn
}

// askVolumes asks what a family may do with the file system of each volume: mount
// it, and write where one of its containers does, through the access point of the
// volume only.
func (c *closure) askVolumes(application, agent int, f *compose.Family) {
	for _, v := range c.model.Volumes {
		point, ok := c.definition("volumes", v.Name, "AccessPoint")
		if !ok {
			c.T.Fatalf("%s: the volume %s has no access point", c.name, v.Name)
		}
		fileSystem := strings.Replace(iam.ARNForms["AWS::EFS::FileSystem"], "*", v.External, 1)
		var policy any
		if p, made := c.definition("volumes", v.Name, "FileSystem"); made {
			fileSystem, policy = c.ARN(p), c.Properties(p)["FileSystemPolicy"]
		}
		var want []string
		for _, user := range v.Users {
			if user.Family == f.Name {
				want = append(want, "elasticfilesystem:ClientMount")
			}
			if user.Family == f.Name && user.Write {
				want = append(want, "elasticfilesystem:ClientWrite")
			}
			if user.Family == f.Name && user.Write && v.UID == "" {
				want = append(want, "elasticfilesystem:ClientRootAccess")
			}
		}
		through := func(point string) map[string]any {
			return map[string]any{"aws:SecureTransport": "true", "elasticfilesystem:AccessPointArn": point}
		}
		services := []string{"elasticfilesystem"}
		c.pairs++
		c.Asks(application, "volume: "+f.Name, fileSystem, policy, services, through(c.ARN(point)), want)
		c.Asks(application, f.Name+" with the whole file system", fileSystem, policy, services, iam.Secure, nil)
		c.Asks(agent, "the agent of "+f.Name+" with a volume", fileSystem, policy, services, through(c.ARN(point)), nil)
	}
}

// askTrust asks who may take a role of a task: ECS on behalf of tasks of this
// account and region, and nobody else. Of any other role, no administrator may.
func (c *closure) askTrust() {
	tasks := map[string]bool{}
	for _, p := range c.All("AWS::ECS::TaskDefinition") {
		for _, property := range []string{"TaskRoleArn", "ExecutionRoleArn"} {
			arn, _ := c.Properties(p)[property].(string)
			tasks[arn] = true
		}
	}
	for _, p := range c.All("AWS::IAM::Role") {
		role := c.ARN(p)
		trust := func(arn, account string, want []string, policies ...any) {
			context := map[string]any{"aws:SourceAccount": account, "aws:SourceArn": "arn:aws:ecs:" + iam.HomeRegion + ":" + account + ":task/cluster/1"}
			c.Asks(c.Who(arn, policies...), "trust: "+arn+" for "+account, role, c.Properties(p)["AssumeRolePolicyDocument"], []string{"sts"}, context, want)
		}
		trust(iam.Stranger, iam.StrangerAccount, nil, iam.Everything)
		trust(iam.Administrator, iam.HomeAccount, nil, iam.Everything)
		if tasks[role] {
			trust("ecs-tasks.amazonaws.com", iam.HomeAccount, []string{"sts:AssumeRole"})
			trust("ecs-tasks.amazonaws.com", iam.StrangerAccount, nil)
			trust("ec2.amazonaws.com", iam.HomeAccount, nil)
			trust("lambda.amazonaws.com", iam.HomeAccount, nil)
		}
	}
}

// policyTypes are the types that hold a resource's policy, with the property that
// names the resources.
var policyTypes = map[string]string{
	"AWS::S3::BucketPolicy": "Bucket", "AWS::SNS::TopicPolicy": "Topics", "AWS::SQS::QueuePolicy": "Queues",
}

// resourcePolicies returns the policies of resources by their ARN.
func (c *closure) resourcePolicies() map[string]any {
	policies := map[string]any{}
	for _, kind := range slices.Sorted(maps.Keys(policyTypes)) {
		for _, p := range c.All(kind) {
			for _, ref := range listed(c.Property(p, policyTypes[kind])) {
				id, _ := at(ref, "Ref").(string)
				policies[c.ARN(iam.Placed{Stack: p.Stack, ID: id})] = c.Properties(p)["PolicyDocument"]
			}
		}
	}
	for _, p := range c.All("AWS::KMS::Key") {
		policies[c.ARN(p)] = c.Properties(p)["KeyPolicy"]
	}
	return policies
}

// listed returns a value as a list, which one alone may stand for.
func listed(v any) []any {
	if items, ok := v.([]any); ok {
		return items
	}
	return []any{v}
}

// askResourcePolicy asks what others may do with a new resource: an administrator
// of another account nothing, an AWS service what the file says, on behalf of this
// account only.
func (c *closure) askResourcePolicy(r xres, policy any) {
	if r.model.Mode != compose.Create {
		return
	}
	if len(r.kind.services()) > 0 {
		c.Asks(c.Who(iam.Stranger, iam.Everything), "a stranger", r.arn, policy, r.kind.services(), iam.Secure, nil)
	}
	if policy == nil {
		return
	}
	want := map[string][]string{"states.amazonaws.com": nil}
	for _, a := range c.admissions(r.model) {
		want[a.service] = append(want[a.service], a.actions...)
	}
	for _, service := range slices.Sorted(maps.Keys(want)) {
		for account, allowed := range map[string][]string{iam.HomeAccount: want[service], iam.StrangerAccount: nil} {
			context := map[string]any{"aws:SecureTransport": "true", "aws:SourceAccount": account, "aws:SourceArn": sourceOf(service, account)}
			for _, place := range r.policyPlaces() {
				var here []string
				for _, action := range allowed {
					if takes(place, r.arn, action) {
						here = append(here, action)
					}
				}
				c.Asks(c.Who(service), "a service: "+service+" for "+account, place, policy, r.policyServices(), context, here)
			}
		}
	}
}

// policyServices returns the IAM prefixes of what the policy of a resource can allow.
func (r xres) policyServices() []string {
	services := r.kind.services()
	if len(services) == 0 {
		services = []string{"kms"}
	}
	return services
}

// policyPlaces returns the resource, and of a bucket also what lies in it.
func (r xres) policyPlaces() []string {
	if r.kind.Type == "AWS::S3::Bucket" {
		return []string{r.arn, r.arn + "/some"}
	}
	return []string{r.arn}
}

// takes reports whether an action is one on this place: that of an object, or that of the
// resource itself.
func takes(place, arn, action string) bool {
	return (place != arn) == strings.HasSuffix(action, "Object")
}

// sourceOf returns on behalf of what a service of an account acts.
func sourceOf(service, account string) string {
	switch service {
	case "s3.amazonaws.com", "logging.s3.amazonaws.com":
		return "arn:aws:s3:::depot-named-111111111111-eu-west-1" // the only named one; others take any
	case "delivery.logs.amazonaws.com":
		return "arn:aws:logs:" + iam.HomeRegion + ":" + account + ":delivery-source:1"
	default:
		return "arn:aws:elasticloadbalancing:" + iam.HomeRegion + ":" + account + ":loadbalancer/app/one/1"
	}
}

// admitted is what an AWS service may do with a resource.
type admitted struct {
	service string
	actions []string
}

// admissions returns the admissions that a file asks for: by naming services, by naming the resource
// where AWS sends something, and of a key by naming it for a resource that has some.
func (c *closure) admissions(m *compose.Resource) []admitted {
	var all []admitted
	if parameters, ok := m.Parameters.(*kinds.SQSParameters); ok {
		access := parameters.AwsPrincipalsAccess
		for profile, services := range map[string][]string{
			"Publish": access.Publish, "Consume": access.Consume, "RWMessages": access.PublishConsume,
		} {
			for _, service := range services {
				if !strings.Contains(service, ".") {
					service += ".amazonaws.com"
				}
				for _, s := range kindOf(m).Profiles[""][profile] {
					all = append(all, admitted{service, s.Actions})
				}
			}
		}
	}
	for _, other := range c.model.Resources {
		if other.Mode != compose.Create {
			continue
		}
		for _, row := range kindOf(other).Deliveries {
			for _, place := range kinds.Places(other, row.Path) {
				if names(place.Value, m) {
					all = append(all, admitted{row.Service, row.Actions})
				}
			}
		}
		if property, _ := kinds.KeyOf(other); other != m && names(property, m) {
			for _, a := range c.admissions(other) {
				all = append(all, admitted{a.service, []string{"kms:Decrypt", "kms:GenerateDataKey"}})
			}
		}
	}
	for _, lb := range c.model.LoadBalancers {
		if names(lb.Attributes["access_logs.s3.bucket"], m) {
			all = append(all, admitted{"logdelivery.elasticloadbalancing.amazonaws.com", []string{"s3:PutObject"}})
		}
	}
	return all
}

// names reports whether a value of the file is a reference to a resource.
func names(value any, m *compose.Resource) bool {
	written, _ := value.(string)
	ref, ok := compose.ParseRef(written)
	return ok && ref.Key == m.Key && ref.Name == m.Name
}
