package imageupdate

import (
	"os"
	"strings"
	"testing"
)

func TestParseImage(t *testing.T) {
	cases := []struct{ text, want string }{
		{ref, ""},
		{"app@" + hash, ""},
		{"localhost:5000/a/b@" + hash, ""},
		{"app", `"app" has no digest: write REPOSITORY@sha256:`},
		{"app:latest", `"app:latest" has no digest`},
		{"app@latest", `"latest" is no digest`},
		{"app@" + strings.ToUpper(hash), "is no digest"},
		{"app@" + hash + "0", "is no digest"},
		{"app@" + hash + "\n", "is no digest"},
		{"app@sha512:" + strings.Repeat("0", 128), "is no digest"},
		{"app:1@" + hash, "has a tag and a digest: leave out the tag"},
		{"App@" + hash, "is no image: invalid reference format"},
		{"@" + hash, "is no image"},
		{"a b@" + hash, "is no image"},
		{"a\"@" + hash, "is no image"},
		{"a@b@" + hash, "is no digest"},
		{"-a@" + hash, "is no image"},
		{"a: b@" + hash, "is no image"},
	}
	for _, c := range cases {
		t.Run(c.text, func(t *testing.T) { wantError(t, second(ParseImage(c.text)), c.want) })
	}
}

func second[T any](_ T, err error) error { return err }

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("want %q, got %v", want, err)
	}
}

// A build may set the digest only: for another service or repository it must be refused.
func TestBuildInfo(t *testing.T) {
	cases := []struct{ name, text, repository, want string }{
		{"ours", "service_name: web\nrepo_name: myapps/web\nimage_tag: " + hash, registry, ""},
		{"the URI as a name", "service_name: web\nrepo_name: " + registry + "\nimage_tag: " + hash, registry, ""},
		{"nothing but the digest", "image_tag: " + hash, registry, ""},
		{"the repository of the file", "repo_name: " + registry + "\nimage_tag: " + hash, "", ""},
		{"the original's", "service_name: web\nrepo_name: blog-web\nimage_tag: latest", registry, `image_tag is "latest": it must be the digest`},
		{"no digest", "service_name: web", registry, `image_tag is "": it must be the digest`},
		{"two lines", "image_tag: \"" + hash + "\\nx\"", registry, "it must be the digest"},
		{"another service", "service_name: other\nimage_tag: " + hash, registry, `service_name is "other", and not "web": this build is for another service`},
		{"another repository", "repo_name: myapps/other\nimage_tag: " + hash, registry, `repo_name is "myapps/other", not the name of ` + registry},
		{"no registry", "repo_name: blog-web\nimage_tag: " + hash, "", `repo_name is "blog-web", which names no registry`},
		{"no repository", "image_tag: " + hash, "", `repo_name is "", which names no registry`},
		{"a list", "[]", registry, "it is no build_info.yml: yaml: "},
		{"twice", "image_tag: a\nimage_tag: b", registry, "it is no build_info.yml: yaml: "},
		{"binary", "\x00\x01", registry, "it is no build_info.yml: "},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			info, err := ParseBuildInfo([]byte(c.text))
			var got Image
			if err == nil {
				got, err = info.Image("web", c.repository)
			}
			wantError(t, err, c.want)
			if err == nil && got != image {
				t.Errorf("want %s, got %s", image, got)
			}
		})
	}
}

// The original's file must be read, and refused for its tag only.
func TestBuildInfoOfTheOriginal(t *testing.T) {
	text, err := os.ReadFile("testdata/original_build_info.yml")
	if err != nil {
		t.Fatal(err)
	}
	info, err := ParseBuildInfo(text)
	if want := (BuildInfo{"app01", "blog-app-01", "latest"}); err != nil || info != want {
		t.Fatalf("want %v, got %v, %v", want, info, err)
	}
	info.ImageTag = hash
	if got, err := info.Image("app01", "111111111111.dkr.ecr.eu-west-1.amazonaws.com/blog-app-01"); err != nil || got.Digest != hash {
		t.Errorf("got %v, %v", got, err)
	}
}
