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

// buildRules are what must hold for projects of CodeBuild.
var buildRules = []Rule{
	{
		ID: "buildspec-invalid", Says: "an inline buildspec is YAML with a version and phases that have commands",
		Source: buildspecGuide, check: eachBuild(validBuildspec),
	},
	{
		ID: "build-downloads-shell", Says: "a build runs no script straight from the network",
		Source: "https://docs.aws.amazon.com/codebuild/latest/userguide/security.html", check: eachBuild(noPipedShell),
	},
	{
		ID: "build-privileged", Says: "only a build that runs Docker is privileged",
		Source: codeBuildHub + "#codebuild-5", check: eachBuild(privilegedForDocker),
	},
	{
		ID: "build-timeout", Says: "a build and its time in the queue are limited",
		Source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-codebuild-project.html", check: eachBuild(buildTimeouts),
	},
	{
		ID: "build-logs", Says: "a build writes logs",
		Source: codeBuildHub + "#codebuild-4", check: eachBuild(buildLogs),
	},
	{
		ID: "build-credentials", Says: "the address of a source repository holds no credentials",
		Source: codeBuildHub + "#codebuild-1", check: eachBuild(sourceCredentials),
	},
}

// build is a project with the buildspec that is written into it.
type build struct {
	*Resource
	// spec is "" where the buildspec is a file of the source, or cannot be read here.
	spec string
}

func eachBuild(check func(b build, found *report)) func(*Assembly, *report) {
	return func(a *Assembly, found *report) {
		for _, r := range a.Of("AWS::CodeBuild::Project") {
			check(build{Resource: r, spec: inlineBuildspec(r)}, found)
		}
	}
}

// inlineBuildspec is the text of a buildspec: what has more lines than one, or what
// only YAML or JSON can be; anything else names a file.
func inlineBuildspec(r *Resource) string {
	spec, _ := text(at(r.Properties, "Source", "BuildSpec"), "placeholder")
	if notAFile.MatchString(strings.TrimSpace(spec)) {
		return spec
	}
	return ""
}

var notAFile = regexp.MustCompile(`^[{\[]|^version:|\n|: `)

// phases are those that a buildspec can have.
var phases = []string{"install", "pre_build", "build", "post_build"}

func validBuildspec(b build, found *report) {
	if b.spec == "" {
		if at(b.Properties, "Source", "Type") == "NO_SOURCE" && at(b.Properties, "Source", "BuildSpec") == nil {
			found.on(b.Resource, "it has neither a source nor a BuildSpec: nothing says what to run")
		}
		return
	}
	if problem := buildspecProblem(b.spec); problem != "" {
		found.on(b.Resource, "its buildspec %s", problem)
	}
}

// buildspecProblem says what is wrong with a buildspec, "" where nothing is.
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
		return fmt.Sprintf("has the version %s: CodeBuild knows 0.2, and 0.1 of old", version)
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
			return fmt.Sprintf("has in phase %s as command %d no text but %v: a colon needs quotes", name, i+1, command)
		}
	}
	return ""
}

// downloads are ways to run what the network answers.
var downloads = []*regexp.Regexp{
	regexp.MustCompile(`\b(curl|wget)\b[^;&\n]*\|\s*(sudo\s+(-\S+\s+)*)?(env\s+(\S+=\S*\s+)*)?(\S*/)?(ba|z|da|k|a)?sh\b`),
	regexp.MustCompile(`\b(curl|wget)\b[^;&\n]*\|\s*(sudo\s+(-\S+\s+)*)?(\S*/)?(python[0-9.]*|node|perl|ruby|php)\b`),
	regexp.MustCompile(`\b((ba|z|da|k|a)?sh|source|eval)\b[^;&|\n]*(<\(|\$\(|` + "`" + `)\s*(curl|wget)\b`),
	regexp.MustCompile(`(^|[\s;&])\.\s+<\(\s*(curl|wget)\b`),
}

func noPipedShell(b build, found *report) {
	for _, pattern := range downloads {
		if match := pattern.FindString(b.spec); match != "" {
			found.on(b.Resource, "its buildspec runs what it downloads, unseen: %q", strings.TrimSpace(match))
			return
		}
	}
}

// usesDocker are the programs that need Docker, and those that may call them.
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
