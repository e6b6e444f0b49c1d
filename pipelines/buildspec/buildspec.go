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

// Spec holds a buildspec of CodeBuild.
type Spec struct {
	Version   string           `json:"version"`
	Env       Env              `json:"env"`
	Phases    map[string]Phase `json:"phases"`
	Artifacts *Artifacts       `json:"artifacts,omitempty"`
}

// Env holds the environment of a build.
type Env struct {
	Shell string `json:"shell"`
	// Exported are variables that a pipeline's later actions can use.
	Exported []string `json:"exported-variables,omitempty"`
}

// Phase holds the commands of a phase. A failed phase ends the build, except that
// post_build follows in any case; it is not used here.
type Phase struct {
	Commands []string `json:"commands"`
}

// Artifacts lists the output files of a build.
type Artifacts struct {
	Files []string `json:"files"`
}

// Info names the file in which a build reports the image it pushed, in the form of the
// original blueprint: service_name, repo_name and, in image_tag, the digest.
const Info = "build_info.yml"

// exported names the variables that a build of an image exports: the scan needs the tag.
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

// Image describes a build of an image.
type Image struct {
	// Service and Repository go into Info.
	Service, Repository string
	// Tests are commands that run first; may be empty.
	Tests []string
	// Arguments are build arguments by name.
	Arguments map[string]string
}

// Build returns the buildspec that tests an application, builds its image, pushes it,
// and asks ECR for its digest. It reads the environment variables REPOSITORY and
// REPOSITORY_URI of the image, DOCKERFILE, BUILD_CONTEXT, and BUILD_TARGET, which may be
// empty.
func Build(i Image) Spec {
	words := []string{}
	for _, name := range slices.Sorted(maps.Keys(i.Arguments)) {
		words = append(words, "--build-arg", Quote(name+"="+i.Arguments[name]))
	}
	return i.spec("arguments=(" + strings.Join(words, " ") + ")\n" + build)
}

// Copy returns the buildspec that copies the image SOURCE_IMAGE of another repository
// instead of building one.
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

// info returns the content of Info but for the digest.
func (i Image) info() string {
	return "service_name: " + literal(i.Service) + "\nrepo_name: " + literal(i.Repository)
}

// literal quotes a text for YAML, of which JSON is a part.
func literal(text string) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		panic(err) // a string: cannot happen
	}
	return strings.TrimSpace(out.String())
}

// MergeGit returns the buildspec that commits the digest of a build to the folder IMAGES
// of the repository COMPOSE_URL, branch BRANCH. The pipeline sets SERVICE_NAME,
// REPOSITORY and REPOSITORY_URI; only the digest comes from the build. The program
// composer is the object COMPOSER.
func MergeGit() Spec { return newSpec(confirm, mergeGit) }

// MergeS3 does the same to the zip file COMPOSE_OBJECT.
func MergeS3() Spec { return newSpec(confirm, mergeS3) }

// newSpec returns a buildspec whose phase build is one Script.
func newSpec(scripts ...string) Spec {
	return Spec{
		Version: "0.2",
		Env:     Env{Shell: "bash"},
		Phases:  map[string]Phase{"build": {Commands: []string{Script(scripts...)}}},
	}
}

// Script joins parts of a script to one command of a buildspec. It runs in one shell,
// which stops at the first command that fails, in a pipe too.
func Script(parts ...string) string {
	return "set -euo pipefail\n" + strings.Join(parts, "")
}

// String returns the buildspec as text.
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

// Quote quotes a text as one word of a POSIX shell. A shell ends the word at a NUL; no
// file that is read here can hold one.
func Quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
