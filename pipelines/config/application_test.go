package config

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/compose"
	"composecdk/compose/load"
)

// loaded returns the example's configuration.
func loaded(t *testing.T) *Config {
	t.Helper()
	c, found := Load(Options{File: example})
	if c == nil {
		t.Fatal(render(found))
	}
	return c
}

// checkout returns a compose repository with the given files, besides one compose file.
func checkout(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{"compose.yaml": `
services:
  app01: {build: .}
  app02: {image: other}
x-cluster: {Lookup: elsewhere}
x-cloudmap: {private: {ZoneName: blog.internal, Lookup: true}}
`, "Dockerfile": "FROM scratch\n"}
	for name, content := range files {
		all[name] = content
	}
	for name, content := range all {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	registry = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/"
	digest   = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

func imageFile(service, image string) string {
	return "services:\n  " + service + ":\n    image: " + image + "\n"
}

// The images that were handed over, and the network of each target, must be what is
// deployed, whatever the compose files say.
func TestApplication(t *testing.T) {
	c := loaded(t)
	dir := checkout(t, map[string]string{
		"images/app01.yaml": imageFile("app01", registry+"blog/app01"+digest),
		"images/app02.yaml": imageFile("app02", registry+"blog/app02"+digest),
	})
	models := map[string]*compose.Model{}
	for _, e := range c.Environments {
		target := e.Targets()[0]
		if e.Type == Permanent {
			target.Namespace = "ns-0a0a0a0a"
		}
		opts, found := c.Application(e, target, dir, true)
		if len(found) > 0 {
			t.Fatal(render(found))
		}
		p, found := load.Files(context.Background(), opts)
		if p == nil || found.HasErrors() {
			t.Fatal(render(found))
		}
		m, found := compose.Resolve(p, nil)
		if found.HasErrors() {
			t.Fatal(render(found))
		}
		for _, f := range m.Families {
			for _, container := range f.Containers {
				if want := registry + "blog/" + container.Service + digest; container.Image.Reference != want || container.Image.Build != nil {
					t.Errorf("%s: %s has the image %+v", e.Name, container.Service, container.Image)
				}
			}
		}
		models[e.Name] = m
	}
	throwaway, production := models["throwaway"], models["production"]
	if v := throwaway.Network.New; v == nil || v.CIDR != "10.99.0.0/16" || v.NATGateways != 1 || strings.Join(v.AvailabilityZones, " ") != "eu-west-1a eu-west-1b" {
		t.Errorf("the ephemeral VPC is %+v", throwaway.Network)
	}
	if throwaway.Cluster.Existing != "" || throwaway.Namespaces[0].Lookup {
		t.Error("the ephemeral environment uses what exists")
	}
	if v := production.Network.Existing; v == nil || v.ID != "vpc-0123456789abcdef0" || len(v.Subnets) != 3 {
		t.Errorf("the VPC of production is %+v", production.Network)
	}
	if production.Cluster.Existing != "production" {
		t.Errorf("the cluster of production is %q", production.Cluster.Existing)
	}
	if n := production.Namespaces[0]; n.Existing != "ns-0a0a0a0a" || n.Zone != "blog.internal" {
		t.Errorf("the namespace of production is %+v", n)
	}
}

// A new VPC must have as many NAT gateways as the file says.
func TestNATGateways(t *testing.T) {
	for n, want := range map[int]string{0: "DisableNat", 1: "SingleNat", 2: ""} {
		p := (&NewVPC{NATGateways: n}).properties([]string{"eu-west-1a", "eu-west-1b"})
		if len(p) != 2 && p[want] != true || (want == "") != (len(p) == 2) {
			t.Errorf("%d: %v", n, p)
		}
	}
}

// Compose files that the checkout lacks must be told at the keys that name them.
func TestMissingFiles(t *testing.T) {
	c := loaded(t)
	c.Environments[1].ComposeFiles = []string{"production.yaml"}
	if found := c.MissingFiles(filepath.Join("testdata", "none")); len(found) != 2 || !hasError(found, "compose-missing") ||
		found[0].Path != "Compose.Files[0]" || found[1].Path != "Environments[1].ComposeFiles[0]" {
		t.Error(render(found))
	}
	c.Environments[1].ComposeFiles = nil
	if found := c.MissingFiles(filepath.Dir(example)); len(found) > 0 {
		t.Error(render(found))
	}
}

// What is not exactly the digest of an image of the application's own repository
// must be refused, and so must everything else in the file.
func TestImagesFiles(t *testing.T) {
	c := loaded(t)
	good := imageFile("app01", registry+"blog/app01"+digest)
	for _, f := range []struct{ content, code string }{
		{good, ""},
		{imageFile("app02", registry+"blog/app02"+digest), "image-service"},
		{good + "  app02:\n    image: " + registry + "blog/app02" + digest, "image-service"},
		{imageFile("app01", registry+"blog/app02"+digest), "image-foreign"},
		{imageFile("app01", "docker.io/evil"+digest), "image-foreign"},
		{imageFile("app01", "222222222222.dkr.ecr.eu-west-1.amazonaws.com/blog/app01"+digest), "image-foreign"},
		{imageFile("app01", registry+"blog/app01:latest"), "image-foreign"},
		{imageFile("app01", registry+"blog/app01"+digest+"0"), "image-foreign"},
		{imageFile("app01", registry+"blog/app01-more"+digest), "image-foreign"},
		{imageFile("app01", `"`+registry+"blog/app01"+digest+`\n"`), "image-foreign"},
		{"services: {}\n", "image-foreign"},
		{good + "    privileged: true\n", "key-unknown"},
		{good + "x-iam: {}\nvolumes: {}\n", "key-unknown"},
		{"services: [a]\n", "type"},
		{"[]\n", "yaml-root"},
		{"", "file-empty"},
		{good + "---\n" + good, "yaml-documents"},
	} {
		dir := checkout(t, map[string]string{"images/app01.yaml": f.content})
		_, _, found := c.image(c.Apps[0], dir, true)
		if f.code == "" && len(found) > 0 || f.code != "" && !hasError(found, f.code) {
			t.Errorf("%s: got %q, want %s", f.content, render(found), f.code)
		}
	}
}

func hasError(found compose.Diagnostics, code string) bool {
	for _, d := range found {
		if d.Code == code && d.Severity == compose.Error {
			return true
		}
	}
	return false
}

// A link must not lead to a file outside of the checkout.
func TestImagesLink(t *testing.T) {
	c := loaded(t)
	outside := checkout(t, map[string]string{"app01.yaml": imageFile("app01", registry+"blog/app01"+digest)})
	for _, link := range []string{"images", "images/app01.yaml"} {
		dir := checkout(t, nil)
		target := outside
		if link != "images" {
			target = filepath.Join(outside, "app01.yaml")
			if err := os.Mkdir(filepath.Join(dir, "images"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
		if _, _, found := c.image(c.Apps[0], dir, true); !hasError(found, "path-outside") {
			t.Errorf("%s: %s", link, render(found))
		}
	}
}

// An image that is not there must be an error in the pipeline that deploys it, which
// names the one that will write it; elsewhere a warning, so that all can be
// synthesised, and the platform pipeline can make what builds the first one.
func TestImageMissing(t *testing.T) {
	c := loaded(t)
	dir := checkout(t, nil)
	_, _, found := c.image(c.Apps[0], dir, true)
	if !hasError(found, "image-none") || !strings.Contains(render(found), "ci-app01") {
		t.Error(render(found))
	}
	image, _, found := c.image(c.Apps[0], dir, false)
	if want := registry + "blog/app01@sha256:" + strings.Repeat("0", 64); image != want || found.HasErrors() || len(found) != 1 {
		t.Error(image, render(found))
	}
	c.Unreleased = true
	if _, _, found := c.image(c.Apps[0], dir, true); found.HasErrors() || len(found) != 1 {
		t.Error(render(found))
	}
}

// What the compose files hold must fit the configuration.
func TestCheck(t *testing.T) {
	c := loaded(t)
	container := func(service, image string) *compose.Container {
		return &compose.Container{Service: service, Image: compose.Image{Reference: image}}
	}
	model := func(containers ...*compose.Container) *compose.Model {
		return &compose.Model{Families: []*compose.Family{{Containers: containers}}}
	}
	app01, app02 := container("app01", registry+"blog/app01"+digest), container("app02", registry+"blog/app02"+digest)
	built := &compose.Container{Service: "built", Image: compose.Image{Build: &compose.Build{}}}
	throwaway, production := c.Environments[0], c.Environments[1]
	outputs := []string{"AlbEndpoint"}
	namespaces := func(m *compose.Model, ids ...string) *compose.Model {
		for _, id := range ids {
			m.Namespaces = append(m.Namespaces, &compose.Namespace{Existing: id})
		}
		return m
	}
	for _, k := range []struct {
		name      string
		e         *Environment
		namespace string
		m         *compose.Model
		outputs   []string
		want      string
	}{
		{"good", throwaway, "", model(app01, app02, container("proxy", "nginx:1")), outputs, ""},
		{"good", production, "", model(app01, app02, container("proxy", "nginx"+digest)), nil, ""},
		{"service", production, "", model(app01, container("app-02", "nginx"+digest)), nil, "service-unknown did you mean app-02?"},
		{"nothing", production, "", model(container("proxy", "nginx"+digest)), nil, "service-unknown"},
		{"tag", production, "", model(app01, app02, container("proxy", "nginx:1")), nil, "image-tag"},
		{"built", production, "", model(app01, app02, built), nil, "service-unbuilt"},
		{"output", throwaway, "", model(app01, app02), []string{"AlbEndpoints"}, "output-unknown did you mean AlbEndpoints?"},
		{"output", throwaway, "", model(app01, app02), []string{"A", "B"}, "output-unknown there are A, B"},
		{"namespace", production, "ns-1", namespaces(model(app01, app02), "ns-1"), nil, ""},
		{"namespace", production, "ns-1", namespaces(model(app01, app02), "", "ns-2"), nil, "namespace-unused"},
		{"namespace", production, "ns-1", namespaces(model(app01, app02), "ns-1", "ns-1"), nil, "namespace-several"},
	} {
		target := k.e.Targets()[0]
		target.Namespace = k.namespace
		found := Check(c, k.e, target, k.m, k.outputs)
		got := ""
		for _, d := range found {
			got += d.Code + " " + d.Hint
			if d.Pos.Line == 0 {
				t.Errorf("%s has no place", d.Code)
			}
		}
		if k.want == "" && got != "" || !strings.Contains(got, k.want) || len(found) > 1 && k.name != "nothing" {
			t.Errorf("%s: got %s, want %s", k.name, got, k.want)
		}
	}
}
