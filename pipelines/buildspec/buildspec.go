// Package buildspec writes the buildspecs of the pipelines' projects. What they run
// are the shell scripts of this folder, which are constant: all that a file of
// somebody says reaches them as an environment variable, or as a word that Quote has
// made, so that none of it is ever read as shell.
//
// A buildspec is YAML, and JSON is YAML, which is why they are written as JSON. See
// https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
package buildspec

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Spec is a buildspec.
type Spec struct {
	Version   string           `json:"version"`
	Env       Env              `json:"env"`
	Phases    map[string]Phase `json:"phases"`
	Artifacts *Artifacts       `json:"artifacts,omitempty"`
}

// Env is the environment of a build.
type Env struct {
	Shell string `json:"shell"`
	// Exported are variables that a pipeline's later actions can use.
	Exported []string `json:"exported-variables,omitempty"`
}

// Phase is one of a build's phases: a build stops after one that failed, but for
// post_build, which follows build in any case, and is not used here.
type Phase struct {
	Commands []string `json:"commands"`
}

// Artifacts are the files that a build hands over.
type Artifacts struct {
	Files []string `json:"files"`
}

// Info is the artifact with which a build says which image it pushed, in the form
// of the original blueprint: service_name, repo_name and, in image_tag, the digest.
const Info = "build_info.yml"

// exported are the variables that a build of an image hands over: the scan needs the
// tag.
var exported = []string{"SERVICE_NAME", "REPOSITORY_URI", "IMAGE_DIGEST", "IMAGE_TAG"}

var (
	//go:embed scripts/login.sh
	login string
	//go:embed scripts/build.sh
	build string
	//go:embed scripts/copy.sh
	copyImage string
	//go:embed scripts/push.sh
	push string
	//go:embed scripts/confirm.sh
	confirm string
	//go:embed scripts/merge-git.sh
	mergeGit string
	//go:embed scripts/merge-s3.sh
	mergeS3 string
)

// Image is what a build of an image is told.
type Image struct {
	// Service and Repository are what the build says that the image is for.
	Service, Repository string
	// Tests are commands that run first. A pipeline that tests nothing has none.
	Tests []string
	// Arguments are build arguments by name.
	Arguments map[string]string
}

// Build returns the buildspec that tests an application, builds its image, pushes it, and
// asks ECR for its digest. Its environment variables are REPOSITORY and
// REPOSITORY_URI of the image, DOCKERFILE, BUILD_CONTEXT, and BUILD_TARGET, which may
// be empty.
func Build(i Image) Spec {
	words := []string{}
	for _, name := range slices.Sorted(maps.Keys(i.Arguments)) {
		words = append(words, "--build-arg", Quote(name+"="+i.Arguments[name]))
	}
	return i.spec("arguments=(" + strings.Join(words, " ") + ")\n" + build)
}

// Copy returns the buildspec that takes an image from another repository, SOURCE_IMAGE,
// in place of building one.
func Copy(i Image) Spec { return i.spec(copyImage) }

func (i Image) spec(produce string) Spec {
	s := newSpec(login, produce, push, "printf '%s\\n' ", Quote(i.info()), ` "image_tag: $IMAGE_DIGEST" >`+Info+"\n")
	if len(i.Tests) > 0 {
		s.Phases["pre_build"] = Phase{Commands: i.Tests}
	}
	s.Env.Exported = exported
	s.Artifacts = &Artifacts{Files: []string{Info}}
	return s
}

// info returns what build_info.yml says before there is a digest.
func (i Image) info() string {
	return "service_name: " + literal(i.Service) + "\nrepo_name: " + literal(i.Repository)
}

// literal returns a text as YAML, of which JSON is a part.
func literal(text string) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		panic(err) // a string: cannot happen
	}
	return strings.TrimSpace(out.String())
}

// MergeGit returns the buildspec that commits the digest of a build to the repository
// COMPOSE_URL, branch BRANCH, in its folder IMAGES. SERVICE_NAME, REPOSITORY and
// REPOSITORY_URI come from the pipeline, and only the digest from the build. The
// program composer is the object COMPOSER.
func MergeGit() Spec { return newSpec(confirm, mergeGit) }

// MergeS3 does the same to the zip file COMPOSE_OBJECT.
func MergeS3() Spec { return newSpec(confirm, mergeS3) }

// newSpec returns a buildspec whose phase build is one script: a shell of its own, which
// stops at the first command that fails, in a pipe as well.
func newSpec(scripts ...string) Spec {
	return Spec{
		Version: "0.2",
		Env:     Env{Shell: "bash"},
		Phases:  map[string]Phase{"build": {Commands: []string{Script(scripts...)}}},
	}
}

// Script returns a command of a buildspec: parts of a script, run in one shell that stops
// at the first command that fails.
func Script(parts ...string) string {
	return "set -euo pipefail\n" + strings.Join(parts, "")
}

// String returns the text of the buildspec.
func (s Spec) String() string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(s); err != nil {
		panic(err) // strings only: cannot happen
	}
	return text.String()
}

// Quote returns a text as one word of a POSIX shell, whatever it contains. A shell knows
// no NUL, and ends the word there; no file that is read here can hold one.
func Quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
