package imageupdate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const (
	registry = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/myapps/web"
	hash     = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	ref      = registry + "@" + hash
)

var image = Image{registry, hash}

// Every byte outside of the image must stay; @ stands for the image in the expected text.
func TestSetImage(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"plain", "services:\n  web:\n    image: nginx:1 # why\n", "services:\n  web:\n    image: @ # why\n"},
		{"order, comments, blank lines", "# top\nx-a: 1\n\nservices:\n\n  # b\n  b: {image: b}\n  web:   # w\n    ports: [ 80,81 ]\n    image:   nginx\n\n    # end\nvolumes:  {}\n", "# top\nx-a: 1\n\nservices:\n\n  # b\n  b: {image: b}\n  web:   # w\n    ports: [ 80,81 ]\n    image:   @\n\n    # end\nvolumes:  {}\n"},
		{"single quotes", "services: {web: {'image' : 'it''s'}}", "services: {web: {'image' : '@'}}"},
		{"double quotes", `services: {web: {image: "a\"b\\"}}`, `services: {web: {image: "@"}}`},
		{"JSON", `{"services":{"web":{"image":"a","ports":[]}}}`, `{"services":{"web":{"image":"@","ports":[]}}}`},
		{"JSON without an image", `{"services":{"web":{"build":"."}}}`, `{"services":{"web":{"image": "@", "build":"."}}}`},
		{"flow", "services: {web: {image: a:1, ports: []}}\n", "services: {web: {image: @, ports: []}}\n"},
		{"flow over lines", "services: {web: {\n  image: a:1\n  }}\n", "services: {web: {\n  image: @\n  }}\n"},
		{"flow without an image", "services: {web: {build: .}}\n", "services: {web: {image: @, build: .}}\n"},
		{"flow, empty", "services: {web: {}}\n", "services: {web: {image: @}}\n"},
		{"flow behind an anchor", "services: {web: &w !!map {build: .}}\n", "services: {web: &w !!map {image: @, build: .}}\n"},
		{"CRLF", "services:\r\n  web:\r\n    image: a\r\n    build: .\r\n", "services:\r\n  web:\r\n    image: @\r\n    build: .\r\n"},
		{"CRLF without an image", "services:\r\n  web:\r\n    # why\r\n    build: .\r\n", "services:\r\n  web:\r\n    image: @\r\n    # why\r\n    build: .\r\n"},
		{"CR", "services:\r  web:\r    build: .\r", "services:\r  web:\r    image: @\r    build: .\r"},
		{"a byte order mark", "\uFEFFservices: {web: {image: a}}", "\uFEFFservices: {web: {image: @}}"},
		{"tabs in comments", "services:\n  web:\t# a\tb\n    image: a\t# c\n", "services:\n  web:\t# a\tb\n    image: @\t# c\n"},
		{"characters of several bytes", "services:\n  é: {image: b}\n  ü€: {web: a}\n  web: {x-ü€𝄞: ä, image: a}\n", "services:\n  é: {image: b}\n  ü€: {web: a}\n  web: {x-ü€𝄞: ä, image: @}\n"},
		{"other line breaks", "services:\n  web:\n    x-a: \"a\u2028b\u0085c\"\n    image: a\n", "services:\n  web:\n    x-a: \"a\u2028b\u0085c\"\n    image: @\n"},
		{"without an image: the comment stays with its key", "services:\n  web:\n    # how\n    # it is built\n    build: .\n", "services:\n  web:\n    image: @\n    # how\n    # it is built\n    build: .\n"},
		{"without an image: a comment of the service", "services:\n  web: # first\n    build: .\n", "services:\n  web: # first\n    image: @\n    build: .\n"},
		{"without an image: an anchor on its own line", "services:\n  web:\n    &w\n    build: .\n", "services:\n  web:\n    &w\n    image: @\n    build: .\n"},
		{"without a last line break", "services:\n  web:\n    build: .", "services:\n  web:\n    image: @\n    build: ."},
		{"an empty image", "services:\n  web:\n    image:\n    build: .\n", "services:\n  web:\n    image: @\n    build: .\n"},
		{"an empty image with a comment", "services:\n  web:\n    image: # none\n", "services:\n  web:\n    image: @ # none\n"},
		{"an empty image in flow style", "services: {web: {image: , a: b}}", "services: {web: {image: @ , a: b}}"},
		{"an empty image after a quoted key", "services: {web: {\"image\":}}", "services: {web: {\"image\": @}}"},
		{"null", "services: {web: {image: ~}}", "services: {web: {image: @}}"},
		{"the next line", "services:\n  web:\n    image:\n      a\n", "services:\n  web:\n    image:\n      @\n"},
		{"a complex key", "services:\n  web:\n    ? image\n    : a\n", "services:\n  web:\n    ? image\n    : @\n"},
		{"a variable", "services: {web: {image: \"${REGISTRY:-x}/web:${TAG?}\"}}", "services: {web: {image: \"@\"}}"},
		{"a number", "services: {web: {image: 12}}", "services: {web: {image: @}}"},
		{"its own anchor", "services: {web: {image: &i !!str a}}", "services: {web: {image: &i !!str @}}"},
		{"an alias", "x-i: &i a\nservices: {web: {image: *i , build: .}, b: {image: *i }}", "x-i: &i a\nservices: {web: {image: @ , build: .}, b: {image: *i }}"},
		{"an image that is merged", "x-a: &a {image: a}\nservices:\n  web:\n    <<: *a\n  b: *a\n", "x-a: &a {image: a}\nservices:\n  web:\n    image: @\n    <<: *a\n  b: *a\n"},
		{"others merge the service, with images of their own", "services:\n  web: &w {image: a, build: .}\n  b: {<<: *w, image: b}\n", "services:\n  web: &w {image: @, build: .}\n  b: {<<: *w, image: b}\n"},
		{"text that looks like the service", "x-a: |\n  services:\n    web:\n      image: a\nservices:\n  a:\n    command: |\n      web:\n        image: a\n  web:\n    environment: {image: a}\n    image: a\n", "x-a: |\n  services:\n    web:\n      image: a\nservices:\n  a:\n    command: |\n      web:\n        image: a\n  web:\n    environment: {image: a}\n    image: @\n"},
		{"the last document", "services: {web: {image: a}}\n---\nservices: {web: {image: b}}\n...\n---\nx-a: 1\n", "services: {web: {image: a}}\n---\nservices: {web: {image: @}}\n...\n---\nx-a: 1\n"},
		{"the last document with an image", "services: {web: {image: a}}\n---\nservices: {web: {build: .}}\n", "services: {web: {image: @}}\n---\nservices: {web: {build: .}}\n"},
		{"a document that overrides", "%YAML 1.1\n---\nservices: {web: !override {image: a}}\n", "%YAML 1.1\n---\nservices: {web: !override {image: @}}\n"},
		{"nothing to do", "services: {web: {image: " + ref + "}}", "services: {web: {image: @}}"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := SetImage("compose.yml", []byte(c.text), "web", image)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.ReplaceAll(c.want, "@", ref); string(got) != want {
				t.Errorf("want %q, got %q", want, got)
			}
		})
	}
}

// An edit that would change more than the image must be refused, with the position of the
// reason.
func TestSetImageRefuses(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"no service", "services: {we: {image: a}}", `compose.yml: services.web: there is no service "web" in the file [service-missing] did you mean "we"?`},
		{"no services", "x-a: 1", `compose.yml: services.web: there is no service "web" in the file [service-missing]`},
		{"nothing", "", `compose.yml: services.web: there is no service "web" in the file [service-missing]`},
		{"a list", "[services]", `compose.yml: services.web: there is no service "web" in the file [service-missing]`},
		{"not YAML", "services: {\n", "compose.yml:2:1: did not find expected node content [yaml-syntax]"},
		{"not text", "services: {web: {image: a\xff}}", "compose.yml: services.web: a compose file is text in UTF-8 of at most 1024 KiB [file-form]"},
		{"UTF-16", "\xff\xfea\x00", "compose.yml: services.web: a compose file is text in UTF-8 of at most 1024 KiB [file-form]"},
		{"too large", "# " + strings.Repeat("x", 1<<20), "compose.yml: services.web: a compose file is text in UTF-8 of at most 1024 KiB [file-form]"},
		{"an empty service", "services:\n  web:\n", "compose.yml:2:3: services.web: the service is no mapping that an image could be set in [service-form]"},
		{"a service by an alias", "x-a: &a {image: a}\nservices:\n  web: *a\n", "compose.yml:3:3: services.web: the service is an alias that an image could be set in [service-form] write it as {<<: *a, image: …}"},
		{"twice", "services:\n  web: {image: a}\n  web: {image: b}\n", `compose.yml:3:3: services.web: "web" is written twice [key-twice]`},
		{"an image twice", "services:\n  web:\n    image: a\n    'image': b\n", `compose.yml:4:5: services.web: "image" is written twice [key-twice]`},
		{"folded", "services:\n  web:\n    image: >-\n      a\n", "compose.yml:3:12: services.web: the image is written over several lines [image-form] write it on one line"},
		{"several lines", "services:\n  web:\n    image: a\n      b\n", "compose.yml:3:12: services.web: the image is written over several lines [image-form] write it on one line"},
		{"quoted over lines", "services:\n  web:\n    image: \"a\n      b\"\n", "compose.yml:3:12: services.web: the image is written over several lines [image-form] write it on one line"},
		{"a mapping", "services: {web: {image: {a: b}}}", "compose.yml:1:25: services.web: the image is no plain text [image-form]"},
		{"a reset", "services: {web: {image: !reset a}}", "compose.yml:1:25: services.web: the image is no plain text [image-form]"},
		{"an anchor of nothing", "services:\n  web:\n    image: &a\n    build: .\n", "compose.yml:3:5: services.web: the image is empty [image-form] write image: and the image on one line"},
		{"a key without a value", "services: {web: {image}}", "compose.yml:1:18: services.web: the image is empty [image-form] write image: and the image on one line"},
		{"others merge the service", "services:\n  web: &w {image: a}\n  b: {<<: *w}\n", `compose.yml:3:11: services.web: the alias *w repeats the image of "web" here, which would change with it [image-shared] give each an image of its own`},
		{"others are the service", "services:\n  web: &w {build: .}\n  b: *w\n", `compose.yml:3:6: services.web: the alias *w repeats the image of "web" here, which would change with it [image-shared] give each an image of its own`},
		{"others have its image", "services:\n  web: {image: &i a}\n  b: {image: *i }\n", `compose.yml:3:14: services.web: the alias *i repeats the image of "web" here, which would change with it [image-shared] give each an image of its own`},
		{"a key of the service in the line of another", "services:\n  web:\n    ? build\n    : .\n", "compose.yml:3:7: services.web: the service has no image, and no place for one [service-form] write its keys on lines of their own"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := SetImage("compose.yml", []byte(c.text), "web", image)
			var refusal *Refusal
			if !errors.As(err, &refusal) || got != nil {
				t.Fatalf("want a refusal, got %v and %q", err, got)
			}
			if found := strings.TrimSpace(refusal.Error() + " " + refusal.Hint); found != c.want {
				t.Errorf("want %s\n got %s", c.want, found)
			}
		})
	}
}

// Whatever the file, the result must be a refusal, or the file with another image: all other
// values stay, as do comments.
func FuzzSetImage(f *testing.F) {
	for _, text := range []string{
		"services:\n  web:\n    image: nginx:1 # why\n", "services: {web: {image: 'a', b: *c}}", "\uFEFFservices:\r\n  web:\r\n    # c\r\n    build: .\r\n",
		"a: &a {image: a}\n---\nservices:\n  web: &w\n    <<: *a\n  b: {<<: [*w], image: c}\n", "services:\n  web:\n    ? image\n    : >-\n     a\n",
		`{"services":{"web":{"build":"."}}}`, "services:\n  web:\n    image: &x !!str \"a\\\"\"\n  b: |\n    web:\n", "services: {web: {image: , a: b}}\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := SetImage("compose.yml", text, "web", image)
		var refusal *Refusal
		if err != nil {
			if !errors.As(err, &refusal) || got != nil {
				t.Fatalf("want a refusal, got %v", err)
			}
			return
		}
		if !bytes.Contains(text, []byte(ref)) && !spliced(text, got) {
			t.Fatalf("more than the image has changed: %q became %q", text, got)
		}
		again, err := SetImage("compose.yml", got, "web", image)
		if err != nil || !bytes.Equal(again, got) {
			t.Fatalf("want nothing more to do in %q, got %q, %v", got, again, err)
		}
		if before, ok := others(text); ok {
			if after, _ := others(got); after != before {
				t.Fatalf("%q was %s, and %q is %s", text, before, got, after)
			}
		}
	})
}

// insertions match the text that an edit adds before and after the image.
var insertions = []struct{ before, after *regexp.Regexp }{
	{regexp.MustCompile(` $`), regexp.MustCompile(`^`)},
	{regexp.MustCompile(` *image: $`), regexp.MustCompile("^(\r\n|[\r\n\u0085\u2028\u2029])")},
	{regexp.MustCompile(`image: $`), regexp.MustCompile(`^(, )?`)},
	{regexp.MustCompile(`"image": "$`), regexp.MustCompile(`^", `)},
}

// spliced reports whether an edit only replaced a part of one line by the image, or inserted
// the key or the value.
func spliced(text, got []byte) bool {
	head, tail, found := bytes.Cut(got, []byte(ref))
	if removed := len(text) - len(head) - len(tail); found && removed >= 0 && bytes.HasPrefix(text, head) && bytes.HasSuffix(text, tail) {
		return !bytes.ContainsAny(text[len(head):len(head)+removed], "\r\n")
	}
	for _, i := range insertions {
		if b, a := i.before.Find(head), i.after.Find(tail); b != nil && a != nil && bytes.Equal(text, slices.Concat(head[:len(head)-len(b)], tail[len(a):])) {
			return true
		}
	}
	return false
}

// others returns the content of a file without the image of the service; ok is false if it
// cannot be read.
func others(text []byte) (string, bool) {
	var b strings.Builder
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var doc any
		err := decoder.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return b.String(), true
		}
		if err != nil {
			return "", false
		}
		switch web := below(below(doc, "services"), "web").(type) {
		case map[string]any:
			delete(web, "image")
		case map[any]any:
			delete(web, "image")
		}
		fmt.Fprintf(&b, "%#v\n", doc)
	}
}

// below returns a value of a mapping, whatever the type of its other keys.
func below(mapping any, key string) any {
	switch mapping := mapping.(type) {
	case map[string]any:
		return mapping[key]
	case map[any]any:
		return mapping[key]
	}
	return nil
}
