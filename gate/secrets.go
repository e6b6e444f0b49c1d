package gate

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
)

// secretRules keep secrets out of what everybody with a console can read.
var secretRules = []Rule{
	{
		ID: "plain-secret", Says: "no variable, output, label, parameter or build holds what looks like a secret",
		Source: "Security Hub ECS.8 and CodeBuild.2", check: plainSecret,
	},
	{
		ID: "resolved-secret", Says: "CloudFormation reads no secret into what is shown in clear text",
		Source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html", check: resolvedSecret,
	},
	{
		ID: "value-from", Says: "a secret of a container is the ARN of one, of a parameter, or the name of a parameter",
		Source: "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Secret.html", check: valueFrom,
	},
	{
		ID: "sidecar-secret", Says: "a sidecar holds no secret of the application",
		Source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-tasks-containers.html", check: sidecarSecret,
	},
	{
		ID: "exec-unlogged", Says: "sessions of ECS Exec are logged",
		Source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html#ecs-exec-logging", check: execUnlogged,
	},
}

// shown is a value that a template shows to everybody who may describe what it
// makes.
type shown struct {
	// place says where it is, for people.
	place, name string
	value       any
}

// pairs are lists of names and values in the properties of a type.
var pairs = []struct {
	Type        string
	Path        []string
	Name, Value string
	What        string
}{
	{"AWS::ECS::TaskDefinition", []string{"ContainerDefinitions", "Environment"}, "Name", "Value", "variable"},
	{"AWS::CodeBuild::Project", []string{"Environment", "EnvironmentVariables"}, "Name", "Value", "build variable"},
	{"AWS::Batch::JobDefinition", []string{"ContainerProperties", "Environment"}, "Name", "Value", "variable"},
	{"AWS::AppRunner::Service", []string{"SourceConfiguration", "ImageRepository", "ImageConfiguration", "RuntimeEnvironmentVariables"}, "Name", "Value", "variable"},
}

// maps of names to values in the properties of a type.
var tables = []struct {
	Type string
	Path []string
	What string
}{
	{"AWS::ECS::TaskDefinition", []string{"ContainerDefinitions", "DockerLabels"}, "label"},
	{"AWS::ECS::TaskDefinition", []string{"ContainerDefinitions", "LogConfiguration", "Options"}, "log option"},
	{"AWS::Lambda::Function", []string{"Environment", "Variables"}, "variable"},
}

// texts are values without a name of their own in the properties of a type.
var texts = []struct {
	Type string
	Path []string
	What string
}{
	{"AWS::ECS::TaskDefinition", []string{"ContainerDefinitions", "Command"}, "the command"},
	{"AWS::ECS::TaskDefinition", []string{"ContainerDefinitions", "EntryPoint"}, "the entry point"},
	{"AWS::ECS::TaskDefinition", []string{"ContainerDefinitions", "HealthCheck", "Command"}, "the health check"},
	{"AWS::CodeBuild::Project", []string{"Source", "BuildSpec"}, "the buildspec"},
}

// shows are the values that a resource shows.
func (r *Resource) shows() []shown {
	var found []shown
	for _, p := range pairs {
		if r.Type != p.Type {
			continue
		}
		for _, item := range each(r.Properties, p.Path...) {
			if kind := at(item, "Type"); kind == nil || kind == "PLAINTEXT" {
				name := r.Stack.text(at(item, p.Name))
				found = append(found, shown{p.What + " " + name, name, at(item, p.Value)})
			}
		}
	}
	for _, p := range tables {
		if r.Type != p.Type {
			continue
		}
		for _, item := range each(r.Properties, p.Path...) {
			values, _ := item.(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(values)) {
				found = append(found, shown{p.What + " " + name, name, values[name]})
			}
		}
	}
	for _, p := range texts {
		if r.Type != p.Type {
			continue
		}
		for _, item := range each(r.Properties, p.Path...) {
			found = append(found, shown{place: p.What, value: item})
		}
	}
	if r.Type == "AWS::SSM::Parameter" {
		name := r.LogicalID
		if given := word(r.Properties["Name"]); given != "" {
			name = given
		}
		found = append(found, shown{"the value", name, r.Properties["Value"]})
	}
	return found
}

func plainSecret(a *Assembly, found *report) {
	for _, s := range a.Stacks {
		for _, r := range s.Resources {
			for _, v := range r.shows() {
				if why := s.secretIn(v.name, v.value); why != "" {
					found.on(r, "%s %s: put it in Secrets Manager", v.place, why)
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
			if why := s.secretIn(name, at(s.Outputs[name], "Value")); why != "" {
				found.stack(s, "output %s %s: put it in Secrets Manager", name, why)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.Parameters)) {
			if why := s.secretIn(name, at(s.Parameters[name], "Default")); why != "" {
				found.stack(s, "the default of parameter %s %s: put it in Secrets Manager", name, why)
			}
		}
	}
}

// secretIn says why a value under a name looks like a secret, "" where it does not.
// The value itself is not repeated.
func (s *Stack) secretIn(name string, value any) string {
	if id := word(at(value, "Ref")); yes(at(s.Parameters[id], "NoEcho")) {
		return fmt.Sprintf("shows parameter %s, which is not to be echoed", id)
	}
	if _, isList := value.([]any); value == nil || isList {
		return ""
	}
	text := s.text(value)
	for _, form := range secretForms {
		if form.pattern.MatchString(text) && !documented.MatchString(text) {
			return "holds " + form.what
		}
	}
	plain, isLiteral := literal(value)
	if !isLiteral || harmless.MatchString(plain) {
		return ""
	}
	for _, n := range secretNames {
		if n.matches(name, plain) {
			return fmt.Sprintf("has the literal text of %s", n.what)
		}
	}
	return ""
}

// secretForms are texts that are secrets whatever they are called.
var secretForms = []struct {
	what    string
	pattern *regexp.Regexp
}{
	{"an AWS access key", regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{16}\b`)},
	{"a private key", regexp.MustCompile(`-----BEGIN ([A-Z]+ )*PRIVATE KEY`)},
	{"a token of GitHub", regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40})`)},
	{"a token of GitLab", regexp.MustCompile(`\bglpat-[A-Za-z0-9_-]{20}`)},
	{"a token of npm", regexp.MustCompile(`\bnpm_[A-Za-z0-9]{36}\b`)},
	{"a token of Slack", regexp.MustCompile(`\bxox[abeoprs]-[A-Za-z0-9-]{10,}`)},
	{"a key of Google", regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{35}\b`)},
	{"a key of Stripe", regexp.MustCompile(`\b[rs]k_live_[A-Za-z0-9]{16,}`)},
	{"a signed token (JWT)", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}`)},
	{"a password in a URL", regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^\s/?#@:]*:[^\s/?#@$:{}<]+@`)},
	{"a password in a connection string", regexp.MustCompile(`(?i)[;?&](password|pwd)=[^;&\s${<]+`)},
}

// documented are the stand-ins of AWS's documentation.
var documented = regexp.MustCompile(`EXAMPLE`)

// harmless are values that are no secrets under any name: nothing, a switch, an
// ARN, a path to where the secret is, a URL, a stand-in for another value.
var harmless = regexp.MustCompile(`(?i)^(|true|false|yes|no|on|off|none|null|enabled|disabled|arn:.*|(file://)?/[\w.@/-]*|\./[\w./-]*|[a-z][a-z0-9+.-]*://.*|\{\{resolve:.*|\$\{?\w+\}?|<[^<>]*>)$`)

// secretName is what the names of secrets look like.
type secretName struct {
	what string
	// end is that of the name in lower case, without what is no letter, and word
	// one of the words that it is made of, the last one.
	end, word *regexp.Regexp
	// unless are values that such a name may well have.
	unless *regexp.Regexp
	// random says that only a value that looks random is meant.
	random bool
}

var (
	nothing = regexp.MustCompile(`^$`)
	amount  = regexp.MustCompile(`^[0-9.]+[a-z]{0,2}$`)
	// plainName is the name of something: a secret that is kept elsewhere, say.
	plainName = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$`)
)

var secretNames = []secretName{
	{what: "a password", end: regexp.MustCompile(`(password|passwd|passwort|passphrase|passcode|pwd)$`), word: regexp.MustCompile(`^(pass|pw)$`), unless: nothing},
	{what: "a token", end: regexp.MustCompile(`token$`), unless: amount},
	{what: "a secret", end: regexp.MustCompile(`(secret|secretkeybase)$`), unless: plainName},
	{what: "credentials", end: regexp.MustCompile(`(credentials?|creds)$`), unless: plainName},
	{what: "a key", end: regexp.MustCompile(`(api|private|secret|access|encryption|signing)key$`), unless: words},
	{what: "a random key", end: regexp.MustCompile(`(key|salt|auth|seed)$`), unless: words, random: true},
}

// words are the names of fields and files, and small numbers.
var words = regexp.MustCompile(`^([0-9.]{1,5}|[a-z]+([_.-][a-z]+)*|[A-Z]?[a-z]+([A-Z][a-z]+)*|[A-Z]+(_[A-Z]+)*)$`)

// matches says whether a name and its value are those of a secret.
func (n secretName) matches(name, value string) bool {
	words := wordsOf(name)
	if len(words) == 0 || n.unless.MatchString(value) || n.random && !random(value) {
		return false
	}
	return n.end.MatchString(strings.Join(words, "")) || n.word != nil && n.word.MatchString(words[len(words)-1])
}

var (
	camel     = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	separator = regexp.MustCompile(`[^A-Za-z]+`)
)

// wordsOf are the words of a name in any spelling, in lower case, without digits.
func wordsOf(name string) []string {
	spaced := separator.ReplaceAllString(camel.ReplaceAllString(name, "$1 $2"), " ")
	return strings.Fields(strings.ToLower(spaced))
}

var oneWord = regexp.MustCompile(`^[A-Za-z0-9+/=_-]{16,512}$`)

// random says whether a text looks as if a machine had drawn it: one long word of
// letters and digits, with 3.5 bits or more to a character.
func random(text string) bool {
	if !oneWord.MatchString(text) || !strings.ContainsAny(text, "0123456789") {
		return false
	}
	counts := map[rune]float64{}
	for _, r := range text {
		counts[r]++
	}
	var bits float64
	for _, r := range slices.Sorted(maps.Keys(counts)) {
		p := counts[r] / float64(len(text))
		bits -= p * math.Log2(p)
	}
	return bits >= 3.5
}

// dynamic are references with which CloudFormation reads a secret.
var dynamic = regexp.MustCompile(`\{\{resolve:(secretsmanager|ssm-secure):`)

func resolvedSecret(a *Assembly, found *report) {
	for _, s := range a.Stacks {
		for _, r := range s.Resources {
			for _, v := range r.shows() {
				if dynamic.MatchString(s.text(v.value)) {
					found.on(r, "%s reads a secret into clear text: name it in the secrets of the container or build", v.place)
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
			if dynamic.MatchString(s.text(at(s.Outputs[name], "Value"))) {
				found.stack(s, "output %s reads a secret into clear text: output its ARN", name)
			}
		}
	}
}

var (
	secretARN    = regexp.MustCompile(`^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:[^:]+(:[^:]*:[^:]*:[^:]*)?$`)
	parameterARN = regexp.MustCompile(`^arn:[^:]*:ssm:[^:]*:[^:]*:parameter/?[^:]+$`)
	parameterRef = regexp.MustCompile(`^[A-Za-z0-9_./-]+$`)
	// fields are what may follow a reference to a secret: nothing, or key, stage and
	// version.
	fields = regexp.MustCompile(`^(-[A-Za-z0-9?*]{6})?(:[^:]*:[^:]*:[^:]*)?$`)
	// secretAttributes are the references whose value is the ARN of a secret, or the
	// name or ARN of a parameter, by type.
	secretAttributes = map[string][]string{
		"AWS::SecretsManager::Secret":                 {"", "Id"},
		"AWS::SecretsManager::SecretTargetAttachment": {"", "Id"},
		"AWS::SSM::Parameter":                         {"", "Id"},
		"AWS::RDS::DBCluster":                         {"MasterUserSecret.SecretArn"},
		"AWS::RDS::DBInstance":                        {"MasterUserSecret.SecretArn"},
		"AWS::DocDB::DBCluster":                       {"MasterUserSecret.SecretArn"},
		"AWS::Redshift::Cluster":                      {"MasterPasswordSecretArn"},
	}
)

func valueFrom(a *Assembly, found *report) {
	for _, task := range a.Of("AWS::ECS::TaskDefinition") {
		for _, c := range each(task.Properties, "ContainerDefinitions") {
			for _, secret := range append(each(c, "Secrets"), each(c, "LogConfiguration", "SecretOptions")...) {
				if v := at(secret, "ValueFrom"); !task.Stack.namesSecret(v) {
					found.on(task, "secret %s of container %s comes from %q, which is neither the ARN of a secret or parameter nor the name of a parameter",
						canonical(at(secret, "Name")), canonical(at(c, "Name")), task.Stack.text(v))
				}
			}
		}
	}
}

// namesSecret says whether ECS can read a secret from a value, as far as the
// assembly tells.
func (s *Stack) namesSecret(v any) bool {
	text := s.text(v)
	if strings.HasPrefix(text, "arn:") {
		// what a deployment fills in stands for a word
		text = variable.ReplaceAllString(text, "x")
		return secretARN.MatchString(text) || parameterARN.MatchString(text)
	}
	if !strings.HasPrefix(text, "${") {
		return parameterRef.MatchString(variable.ReplaceAllString(text, "x"))
	}
	first := variable.FindString(text)
	r, attribute := s.Target(firstReference(v))
	if r == nil || !strings.HasPrefix(r.Type, "AWS::") {
		return true
	}
	return slices.Contains(secretAttributes[r.Type], attribute) && fields.MatchString(strings.TrimPrefix(text, first))
}

// firstReference is what a value that begins with a reference begins with.
func firstReference(v any) any {
	if parts, ok := at(v, "Fn::Join", 1).([]any); ok && len(parts) > 0 {
		return firstReference(parts[0])
	}
	if pattern := word(at(v, "Fn::Sub")); pattern != "" {
		return map[string]any{"Fn::Sub": variable.FindString(pattern)}
	}
	return v
}

// sidecars are images that run beside applications, on behalf of the platform.
var sidecars = regexp.MustCompile(`(aws-xray-daemon|aws-appmesh-envoy|envoyproxy/envoy|ecs-service-connect-agent|aws-for-fluent-bit|fluent/fluent-bit|cloudwatch-agent|aws-otel-collector)(:|@|$)`)

// ownConfiguration is the variable in which agents take their configuration from a
// parameter.
var ownConfiguration = regexp.MustCompile(`_CONFIG_CONTENT$`)

func sidecarSecret(a *Assembly, found *report) {
	for _, task := range a.Of("AWS::ECS::TaskDefinition") {
		for _, c := range each(task.Properties, "ContainerDefinitions") {
			image := task.Stack.text(at(c, "Image"))
			if at(c, "FirelensConfiguration") == nil && !sidecars.MatchString(image) {
				continue
			}
			for _, secret := range each(c, "Secrets") {
				if name := word(at(secret, "Name")); !ownConfiguration.MatchString(name) {
					found.on(task, "sidecar %s has secret %s: give it to the container that uses it", canonical(at(c, "Name")), name)
				}
			}
		}
	}
}

func execUnlogged(a *Assembly, found *report) {
	for _, service := range a.Of("AWS::ECS::Service") {
		if !yes(service.Properties["EnableExecuteCommand"]) {
			continue
		}
		cluster, _ := service.Stack.Target(service.Properties["Cluster"])
		if cluster == nil {
			continue
		}
		configuration := at(cluster.Properties, "Configuration", "ExecuteCommandConfiguration")
		switch logging := at(configuration, "Logging"); {
		case logging == "NONE":
			found.on(service, "its Exec sessions are not logged: Logging of cluster %s is NONE", cluster.LogicalID)
		case logging == "OVERRIDE" && at(configuration, "LogConfiguration") == nil:
			found.on(service, "its Exec sessions are not logged: Logging of cluster %s is OVERRIDE, without a LogConfiguration", cluster.LogicalID)
		}
	}
}
