package imageupdate

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/distribution/reference"
	"go.yaml.in/yaml/v4"
)

// Image is an immutable container image, REPOSITORY@sha256:….
type Image struct{ Repository, Digest string }

// String returns the image in the form of a compose file.
func (i Image) String() string { return i.Repository + "@" + i.Digest }

var digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// ParseImage reads REPOSITORY@sha256:…. It refuses a tag: beside a digest it has no effect,
// and may be wrong.
func ParseImage(text string) (Image, error) {
	repository, hash, ok := strings.Cut(text, "@")
	if !ok {
		return Image{}, fmt.Errorf("%q has no digest: write REPOSITORY@sha256:… with 64 hexadecimal digits, as a tag can be moved to another image", text)
	}
	return newImage(repository, hash)
}

func newImage(repository, hash string) (Image, error) {
	if !digest.MatchString(hash) {
		return Image{}, fmt.Errorf("%q is no digest: it must be sha256: and 64 hexadecimal digits, as a tag can be moved to another image", hash)
	}
	i := Image{repository, hash}
	named, err := reference.ParseNormalizedNamed(i.String())
	if err != nil {
		return Image{}, fmt.Errorf("%q is no image: %w", i, err)
	}
	if _, tagged := named.(reference.Tagged); tagged {
		return Image{}, fmt.Errorf("%q has a tag and a digest: leave out the tag", i)
	}
	return i, nil
}

// BuildInfo is a build_info.yml of the original: a build's description of its image.
type BuildInfo struct {
	ServiceName string `yaml:"service_name"`
	RepoName    string `yaml:"repo_name"`
	ImageTag    string `yaml:"image_tag"`
}

// ParseBuildInfo reads a build_info.yml.
func ParseBuildInfo(text []byte) (BuildInfo, error) {
	var info BuildInfo
	if err := yaml.Unmarshal(text, &info); err != nil {
		return info, fmt.Errorf("it is no build_info.yml: %s", strings.Join(strings.Fields(err.Error()), " "))
	}
	return info, nil
}

// Image returns the image of a service with the digest of the build. An empty repository
// stands for the file's repo_name. It is an error if the build is for another service or
// repository: a build may set the digest only.
func (b BuildInfo) Image(service, repository string) (Image, error) {
	if b.ServiceName != "" && b.ServiceName != service {
		return Image{}, fmt.Errorf("service_name is %q, and not %q: this build is for another service", b.ServiceName, service)
	}
	if !digest.MatchString(b.ImageTag) {
		return Image{}, fmt.Errorf("image_tag is %q: it must be the digest, sha256: and 64 hexadecimal digits, as a tag can be moved to another image", b.ImageTag)
	}
	switch {
	case repository == "" && !strings.Contains(b.RepoName, "/"):
		return Image{}, fmt.Errorf("repo_name is %q, which names no registry: give the URI of the repository with --repository", b.RepoName)
	case repository == "":
		repository = b.RepoName
	case b.RepoName != "" && b.RepoName != repository && b.RepoName != repositoryName(repository):
		return Image{}, fmt.Errorf("repo_name is %q, not the name of %s: this build pushed elsewhere", b.RepoName, repository)
	}
	return newImage(repository, b.ImageTag)
}

// repositoryName returns the URI of a repository without its registry.
func repositoryName(uri string) string {
	_, name, _ := strings.Cut(uri, "/")
	return path.Clean(name)
}
