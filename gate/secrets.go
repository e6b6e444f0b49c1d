package gate

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"composecdk/secretscan"
)

// secretRules keep secrets out of places that everybody with a console can read.
var secretRules = []Rule{
	{
		ID: "plain-secret", Summary: "no variable, output, label, parameter or build holds a secret in clear text",
		Source: "Security Hub ECS.8 and CodeBuild.2", check: plainSecret,
	},
	{
		ID: "resolved-secret", Summary: "CloudFormation resolves no secret into clear text",
		Source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html", check: resolvedSecret,
	},
	{
		ID: "value-from", Summary: "a secret of a container is the ARN of a secret or parameter, or the name of a parameter",
		Source: "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Secret.html", check: valueFrom,
	},
	{
		ID: "sidecar-secret", Summary: "a sidecar holds no secret of the application",
		Source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-tasks-containers.html", check: sidecarSecret,
	},
	{
		ID: "exec-unlogged", Summary: "sessions of ECS Exec are logged",
		Source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html#ecs-exec-logging", check: execUnlogged,
	},
}

// plaintext is a value that everybody who may describe the resource can read.
type plaintext struct {
	// place names the value for messages.
	place, name string
	value       any
}

// pairs lists the properties that hold lists of names and values.
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

// tables lists the properties that map names to values.
var tables = []struct {
	Type string
	Path []string
	What string
}{
	{"AWS::ECS::TaskDefinition", []string{"ContainerDefinitions", "DockerLabels"}, "label"},
	{"AWS::ECS::TaskDefinition", []string{"ContainerDefinitions", "LogConfiguration", "Options"}, "log option"},
	{"AWS::Lambda::Function", []string{"Environment", "Variables"}, "variable"},
}

// texts lists the properties whose values have no name of their own.
var texts = []struct {
	Type string
	Path []string
	What string
}{
	{"AWS::ECS::TaskDefinition", []string{"ContainerDefinitions", "Command"}, "the command"},
	{"AWS::ECS::TaskDefinition", []string{"ContainerDefinitions", "EntryPoint"}, "the entry point"},
	{"AWS::ECS::TaskDefinition", []string{"ContainerDefinitions", "HealthCheck", "Command"}, "the health check"},
	{"AWS::CodeBuild::Project", []string{"Source", "BuildSpec"}, "the buildspec"},
	{"AWS::Batch::JobDefinition", []string{"ContainerProperties", "Command"}, "the command"},
	{"AWS::AutoScaling::LaunchConfiguration", []string{"UserData"}, "the user data"},
	{"AWS::EC2::Instance", []string{"UserData"}, "the user data"},
	{"AWS::EC2::LaunchTemplate", []string{"LaunchTemplateData", "UserData"}, "the user data"},
}

// plaintexts returns the plaintext values of a resource.
func (r *Resource) plaintexts() []plaintext {
	var found []plaintext
	for _, p := range pairs {
		if r.Type != p.Type {
			continue
		}
		for _, item := range each(r.Properties, p.Path...) {
			if kind := at(item, "Type"); kind == nil || kind == "PLAINTEXT" {
				name := r.Stack.text(at(item, p.Name))
				found = append(found, plaintext{p.What + " " + name, name, at(item, p.Value)})
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
				found = append(found, plaintext{p.What + " " + name, name, values[name]})
			}
		}
	}
	for _, p := range texts {
		if r.Type != p.Type {
			continue
		}
		for _, item := range each(r.Properties, p.Path...) {
			found = append(found, plaintext{place: p.What, value: item})
		}
	}
	if r.Type == "AWS::CodeBuild::Project" {
		variables := specVariables(inlineBuildspec(r))
		for _, name := range slices.Sorted(maps.Keys(variables)) {
			found = append(found, plaintext{"variable " + name + " of the buildspec", name, variables[name]})
		}
	}
	if r.Type == "AWS::SSM::Parameter" {
		name := r.LogicalID
		if given := word(r.Properties["Name"]); given != "" {
			name = given
		}
		found = append(found, plaintext{"the value", name, r.Properties["Value"]})
	}
	return found
}

// builtSecrets checks the arguments and secrets of image builds.
func (a *Assembly) builtSecrets(found *report) {
	for _, i := range a.images {
		for _, name := range slices.Sorted(maps.Keys(i.arguments)) {
			if what := cmp.Or(secretscan.Text(i.arguments[name]), secretscan.Named(name, i.arguments[name])); what != "" {
				found.image(i, "build argument %s is %s, which stays in the image: give it as a secret of the build", name, what)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(i.secrets)) {
			if what := secretscan.Text(i.secrets[name]); what != "" {
				found.image(i, "build secret %s holds %s: name the file or the variable that holds it", name, what)
			}
		}
	}
}

func plainSecret(a *Assembly, found *report) {
	a.builtSecrets(found)
	for _, s := range a.Stacks {
		for _, r := range s.Resources {
			for _, v := range r.plaintexts() {
				if why := s.secretIn(v.name, v.value); why != "" {
					found.on(r, "%s %s: put it in Secrets Manager", v.place, why)
				}
			}
			r.commands(func(place, name, what string) {
				found.on(r, "%s gives %s the literal text of %s: put it in Secrets Manager", place, name, what)
			})
			r.unlistedSecrets(func(place, why string) { found.on(r, "%s %s: put it in Secrets Manager", place, why) })
		}
		for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
			why := s.secretIn(name, at(s.Outputs[name], "Value"))
			if what := secretscan.Text(canonical(s.Outputs[name])); why == "" && what != "" {
				why = "holds " + what
			}
			if why != "" {
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

// secretIn says why a value under a name looks like a secret, "" if it does not. It does not
// repeat the value.
func (s *Stack) secretIn(name string, value any) string {
	for _, ref := range references(value) {
		if yes(at(s.Parameters[ref.id], "NoEcho")) {
			return fmt.Sprintf("shows parameter %s, which is NoEcho", ref.id)
		}
	}
	if _, isList := value.([]any); value == nil || isList {
		return ""
	}
	if what := secretscan.Text(s.text(value)); what != "" {
		return "holds " + what
	}
	if plain, isLiteral := literal(value); isLiteral {
		if what := secretMember(membersOf(plain)); what != "" {
			return "has a field with the literal text of " + what
		}
		if what := secretscan.Named(name, plain); what != "" {
			return "has the literal text of " + what
		}
	}
	return ""
}

// dynamic matches the dynamic references that read a secret.
var dynamic = regexp.MustCompile(`\{\{resolve:(secretsmanager|ssm-secure):`)

func resolvedSecret(a *Assembly, found *report) {
	for _, s := range a.Stacks {
		for _, r := range s.Resources {
			for _, v := range r.plaintexts() {
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
	secretARN    = regexp.MustCompile(`^arn:[^:]+:secretsmanager:[^:]+:(\d{12}|x):secret:[^:]+(:[^:]*:[^:]*:[^:]*)?$`)
	parameterARN = regexp.MustCompile(`^arn:[^:]+:ssm:[^:]+:(\d{12}|x):parameter/?[^:]+$`)
	parameterRef = regexp.MustCompile(`^[A-Za-z0-9_./-]+$`)
	// fields matches the rest of a reference to a secret: nothing, or key, stage and
	// version.
	fields = regexp.MustCompile(`^(-[A-Za-z0-9?*]{6})?(:[^:]*:[^:]*:[^:]*)?$`)
	// secretAttributes maps a type to the attributes that hold the ARN of a secret, or the
	// name or ARN of a parameter.
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
				if v := at(secret, "ValueFrom"); v == nil || !task.Stack.namesSecret(v) {
					found.on(task, "secret %s of container %s comes from %q, which is neither the ARN of a secret or parameter nor the name of a parameter",
						canonical(at(secret, "Name")), canonical(at(c, "Name")), task.Stack.text(v))
				}
			}
		}
	}
}

// namesSecret reports whether ECS can read a secret from a reference, as far as the assembly
// tells.
func (s *Stack) namesSecret(v any) bool {
	text := s.text(v)
	if strings.HasPrefix(text, "arn:") {
		// a word stands for each value that is known only when deployed
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

// firstReference returns the reference at the beginning of a value.
func firstReference(v any) any {
	if parts, ok := at(v, "Fn::Join", 1).([]any); ok && len(parts) > 0 {
		return firstReference(parts[0])
	}
	if pattern := word(at(v, "Fn::Sub")); pattern != "" {
		return map[string]any{"Fn::Sub": variable.FindString(pattern)}
	}
	return v
}

// sidecars matches the images of the platform that run beside applications.
var sidecars = regexp.MustCompile(`(aws-xray-daemon|aws-appmesh-envoy|envoyproxy/envoy|ecs-service-connect-agent|aws-for-fluent-bit|fluent/fluent-bit|cloudwatch-agent|aws-otel-collector)(:|@|$)`)

// ownConfiguration matches the variables in which agents take their own configuration from a
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
