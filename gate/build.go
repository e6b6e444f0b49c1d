package gate

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	buildspecGuide = "https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html"
	codeBuildHub   = "https://docs.aws.amazon.com/securityhub/latest/userguide/codebuild-controls.html"
)

// buildRules hold for CodeBuild projects.
var buildRules = []Rule{
	{
		ID: "buildspec-invalid", Summary: "an inline buildspec is YAML with a version and phases that have commands",
		Source: buildspecGuide, check: eachBuild(validBuildspec),
	},
	{
		ID: "build-downloads-shell", Summary: "a build runs no script straight from the network",
		Source: "https://docs.aws.amazon.com/codebuild/latest/userguide/security.html", check: eachBuild(noPipedShell),
	},
	{
		ID: "build-privileged", Summary: "only a build that runs Docker is privileged",
		Source: codeBuildHub + "#codebuild-5", check: eachBuild(privilegedForDocker),
	},
	{
		ID: "build-timeout", Summary: "a build and its time in the queue are limited",
		Source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-codebuild-project.html", check: eachBuild(buildTimeouts),
	},
	{
		ID: "build-logs", Summary: "a build writes logs",
		Source: codeBuildHub + "#codebuild-4", check: eachBuild(buildLogs),
	},
	{
		ID: "build-credentials", Summary: "the address of a source repository holds no credentials",
		Source: codeBuildHub + "#codebuild-1", check: eachBuild(sourceCredentials),
	},
	{
		ID: "build-log-group", Summary: "a build logs to a group of the template, not to one that CodeBuild makes and keeps for ever",
		Source: codeBuildHub + "#codebuild-4", check: eachBuild(ownLogGroup),
	},
	{
		ID: "build-pipefail", Summary: "a command that fails in front of a pipe fails the build",
		Source: buildspecGuide, check: eachBuild(pipesFail),
	},
	{
		ID: "build-unpinned", Summary: "a build installs tools of exact versions",
		Source: "https://docs.aws.amazon.com/wellarchitected/latest/framework/sec_appsec_automate_testing_throughout_lifecycle.html", check: eachBuild(unpinned),
	},
	{
		ID: "build-privileged-push", Summary: "a privileged build, which runs commands from a repository, may push to no repository",
		Source: "https://docs.aws.amazon.com/codebuild/latest/userguide/security-best-practices.html", check: privilegedPush,
	},
}

// build is a project with its inline buildspec.
type build struct {
	*Resource
	// spec is "" if the buildspec is a file of the source, or is not known before
	// deployment.
	spec string
}

func eachBuild(check func(b build, found *report)) func(*Assembly, *report) {
	return func(a *Assembly, found *report) {
		for _, r := range a.Of("AWS::CodeBuild::Project") {
			check(build{Resource: r, spec: inlineBuildspec(r)}, found)
		}
	}
}

// inlineBuildspec returns the text of an inline buildspec: a text of several lines, or of
// YAML or JSON. Any other text names a file.
func inlineBuildspec(r *Resource) string {
	spec, _ := text(at(r.Properties, "Source", "BuildSpec"), "placeholder")
	if notAFile.MatchString(strings.TrimSpace(spec)) {
		return spec
	}
	return ""
}

var notAFile = regexp.MustCompile(`^[{\[]|^version:|\n|: `)

var phases = []string{"install", "pre_build", "build", "post_build"}

func validBuildspec(b build, found *report) {
	if b.spec == "" {
		if at(b.Properties, "Source", "Type") == "NO_SOURCE" && at(b.Properties, "Source", "BuildSpec") == nil {
			found.on(b.Resource, "it has neither a source nor a BuildSpec: CodeBuild has nothing to run")
		}
		return
	}
	if problem := buildspecProblem(b.spec); problem != "" {
		found.on(b.Resource, "its buildspec %s", problem)
	}
}

// buildspecProblem returns an error message, "" if the buildspec is valid.
func buildspecProblem(spec string) string {
	var root any
	if err := yaml.Unmarshal([]byte(spec), &root); err != nil {
		return fmt.Sprintf("is not YAML: %s", strings.ReplaceAll(err.Error(), "\n", " "))
	}
	fields, ok := root.(map[string]any)
	if !ok {
		return "is not a mapping of keys"
	}
	if version := fmt.Sprint(fields["version"]); version != "0.1" && version != "0.2" {
		return fmt.Sprintf("has the version %s: CodeBuild knows 0.2 and the older 0.1", version)
	}
	if fields["phases"] == nil && fields["batch"] != nil {
		return ""
	}
	found, ok := fields["phases"].(map[string]any)
	if !ok || len(found) == 0 {
		return "has no phases"
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if !slices.Contains(phases, name) {
			return fmt.Sprintf("has the phase %q: the phases are %s", name, strings.Join(phases, ", "))
		}
		if problem := phaseProblem(name, found[name]); problem != "" {
			return problem
		}
	}
	return ""
}

func phaseProblem(name string, phase any) string {
	fields, ok := phase.(map[string]any)
	if !ok {
		return fmt.Sprintf("has nothing in phase %s", name)
	}
	commands, ok := fields["commands"].([]any)
	if fields["commands"] == nil && fields["runtime-versions"] != nil {
		return ""
	}
	if !ok || len(commands) == 0 {
		return fmt.Sprintf("has no list of commands in phase %s", name)
	}
	for i, command := range commands {
		if _, isText := command.(string); !isText {
			return fmt.Sprintf("has in phase %s as command %d the value %v, which is no text: a colon needs quotes", name, i+1, command)
		}
	}
	return ""
}

// downloads match commands that run a script straight from the network.
var downloads = []*regexp.Regexp{
	regexp.MustCompile(`\b(curl|wget)\b[^;&\n]*\|\s*(sudo\s+(-\S+\s+)*)?(env\s+(\S+=\S*\s+)*)?(\S*/)?(ba|z|da|k|a)?sh\b`),
	regexp.MustCompile(`\b(curl|wget)\b[^;&\n]*\|\s*(sudo\s+(-\S+\s+)*)?(\S*/)?(python[0-9.]*|node|perl|ruby|php)\b`),
	regexp.MustCompile(`\b((ba|z|da|k|a)?sh|source|eval)\b[^;&|\n]*(<\(|\$\(|` + "`" + `)\s*(curl|wget)\b`),
	regexp.MustCompile(`(^|[\s;&])\.\s+<\(\s*(curl|wget)\b`),
}

func noPipedShell(b build, found *report) {
	for _, pattern := range downloads {
		if match := pattern.FindString(b.spec); match != "" {
			found.on(b.Resource, "its buildspec runs a downloaded script without a check: %q", strings.TrimSpace(match))
			return
		}
	}
}

// usesDocker matches the programs that need Docker, and build tools that may call it.
var usesDocker = regexp.MustCompile(`\b(docker|buildx|podman|buildah|pack|earthly|dagger|cdk|cdk-assets|sam|make|just|task|bazel|gradlew?|mvnw?|npm|npx|yarn|pnpm|tox|nox)\b|\.(sh|py|js|ts|rb)\b|\./\w`)

func privilegedForDocker(b build, found *report) {
	if yes(at(b.Properties, "Environment", "PrivilegedMode")) && b.spec != "" && !usesDocker.MatchString(b.spec) {
		found.on(b.Resource, "it is privileged, and its buildspec runs no Docker")
	}
}

func buildTimeouts(b build, found *report) {
	for _, limit := range []struct{ property, otherwise string }{
		{"TimeoutInMinutes", "a build that hangs is paid for an hour"},
		{"QueuedTimeoutInMinutes", "a build that cannot start waits for eight hours"},
	} {
		if b.Properties[limit.property] == nil {
			found.on(b.Resource, "it has no %s: %s", limit.property, limit.otherwise)
		}
	}
}

func buildLogs(b build, found *report) {
	config := b.Properties["LogsConfig"]
	disabled := func(kind string) bool { return at(config, kind, "Status") == "DISABLED" }
	if disabled("CloudWatchLogs") && (at(config, "S3Logs") == nil || disabled("S3Logs")) {
		found.on(b.Resource, "its logs are switched off")
	}
}

var credentials = regexp.MustCompile(`^https?://([^/@\s:]*:[^/@\s]+|\w{20,})@`)

func sourceCredentials(b build, found *report) {
	sources := append([]any{b.Properties["Source"]}, list(b.Properties["SecondarySources"])...)
	for _, source := range sources {
		location, _ := text(at(source, "Location"), "placeholder")
		if credentials.MatchString(location) {
			found.on(b.Resource, "the address of its source holds credentials: use a connection or a secret")
		}
	}
}

func ownLogGroup(b build, found *report) {
	logs := at(b.Properties, "LogsConfig", "CloudWatchLogs")
	if at(logs, "Status") != "DISABLED" && at(logs, "GroupName") == nil {
		found.on(b.Resource, "it names no log group, so that CodeBuild makes one, which keeps its logs for ever")
	}
}

// commands returns the commands of an inline buildspec, in the order in which they run.
func (b build) commands() []string {
	var root any
	if yaml.Unmarshal([]byte(b.spec), &root) != nil {
		return nil // another rule reports it
	}
	var found []string
	for _, phase := range phases {
		for _, key := range []string{"commands", "finally"} {
			for _, command := range each(root, "phases", phase, key) {
				found = append(found, word(command))
			}
		}
	}
	return found
}

var (
	quoted = regexp.MustCompile(`'[^']*'|"[^"]*"`)
	// pipe matches the command after a pipe. A login is exempt: it fails on wrong input
	// itself.
	pipe  = regexp.MustCompile(`(?:^|[^|\\&])\|&?\s*([^|&\s][^|;&\n]*)`)
	login = regexp.MustCompile(`^\S*(docker|helm|podman|oras|crane|cosign)\b.*\blogin\b`)
)

func pipesFail(b build, found *report) {
	for _, command := range b.commands() {
		if strings.Contains(command, "pipefail") {
			return
		}
		bare := quoted.ReplaceAllString(command, "q")
		if strings.Contains(bare, "case ") || strings.Contains(bare, "[[") {
			continue // | is an argument here
		}
		for _, match := range pipe.FindAllStringSubmatch(bare, -1) {
			if !login.MatchString(match[1]) {
				found.on(b.Resource, "its buildspec ignores a failure in front of a pipe: %q needs set -o pipefail", command)
				return
			}
		}
	}
}

var (
	// installs match the install commands of package managers, with their options and names.
	installs = regexp.MustCompile(`\b(?:npm\s+(?:i|install|add)\s+(?:[^;&|\n]*\s)?(?:-g|--global)|pip[0-9.]*\s+install)\b[^;&|\n]*`)
	// latest matches a tool in its newest version.
	latest = regexp.MustCompile(`\b(?:npm|npx|yarn|pnpm|go)\s[^;&|\n]*?(\S+@latest)\b`)
	// pinned matches a name with an exact version, literal or in a variable.
	pinned = regexp.MustCompile(`\w(@|==)(\$|v?\d+\.\d+\.\d+)`)
	// notATool matches the arguments of an install command that are no tools: options,
	// files, folders, addresses, variables and the words of the command itself.
	notATool = regexp.MustCompile(`^-|^[^@].*/|^\.|\.(tgz|whl|txt)$|^\$|^(npm|pip[0-9.]*|i|install|add)$`)
)

func unpinned(b build, found *report) {
	for _, command := range b.commands() {
		var names []string
		for _, match := range latest.FindAllStringSubmatch(command, -1) {
			names = append(names, match[1])
		}
		for _, install := range installs.FindAllString(command, -1) {
			for _, name := range strings.Fields(install) {
				if name = strings.Trim(name, `'"`); !notATool.MatchString(name) && !pinned.MatchString(name) {
					names = append(names, name)
				}
			}
		}
		if len(names) > 0 {
			found.on(b.Resource, "its buildspec installs %s, whose version changes without notice: pin it, as in tool@1.2.3", strings.Join(unique(names), ", "))
		}
	}
}

func privilegedPush(a *Assembly, found *report) {
	statements := a.allowing(identity)
	for _, r := range a.Of("AWS::CodeBuild::Project") {
		role, _ := r.Stack.Target(r.Properties["ServiceRole"])
		if role == nil || !yes(at(r.Properties, "Environment", "PrivilegedMode")) {
			continue
		}
		if slices.ContainsFunc(statements, func(s statement) bool { return (s.on == role || attached(s.on, role)) && s.does("codecommit:GitPush") }) {
			found.on(r, "it is privileged, and its role %s may push to a repository: push in a project of its own", role.LogicalID)
		}
	}
}
