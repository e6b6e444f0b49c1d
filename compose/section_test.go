package compose

import (
	"context"
	"path/filepath"
	"testing"

	"composecdk/compose/load"
	"composecdk/test/folder"
)

// A section that the caller sets must replace what the files say, under either of
// its names, leave the rest of a service, skip services of no file, and be found
// where the caller says that it is written.
func TestSections(t *testing.T) {
	dir := folder.New(t, map[string]string{
		"compose.yaml": `
services:
  web: {image: nginx, ports: ["80:80"]}
  a_b: {build: .}
x-aws-vpc: vpc-0a
x-cluster: {Lookup: shared}
x-cloudmap:
  one: {ZoneName: one.internal}
  two: {ZoneName: two.internal, Lookup: true}
`,
		"Dockerfile": "FROM scratch\n",
	})
	digest := "r.example.com/a@sha256:0123456789012345678901234567890123456789012345678901234567890123"
	at := func(line int) Pos { return Pos{File: "pipeline.yaml", Line: line, Column: 1} }
	p, found := load.Files(context.Background(), load.Options{
		Files: []string{filepath.Join(dir, "compose.yaml")}, Root: dir,
		Sections: []load.Section{
			{Keys: []string{"x-vpc"}, Value: map[string]any{"Properties": map[string]any{"VpcCidr": "10.1.0.0/16", "SingleNat": true}}, Pos: at(1)},
			{Keys: []string{"x-cluster", "Lookup"}, Pos: at(2)},
			{Keys: []string{"x-cloudmap", "*", "Lookup"}, Value: map[string]any{"NamespaceId": "ns-0a"}, Pos: at(3)},
			{Keys: []string{"services", "a_b", "image"}, Value: digest, Pos: at(4)},
			{Keys: []string{"services", "none", "image"}, Value: digest, Pos: at(5)},
		},
	})
	if p == nil {
		t.Fatal(found)
	}
	m, more := Resolve(p, nil)
	if found.HasErrors() || more.HasErrors() {
		t.Fatal(found, more)
	}
	if at := p.Pos("services"); at.Line != 2 || filepath.Base(at.File) != "compose.yaml" {
		t.Errorf("the services are said to stand at %s", at)
	}
	if v := m.Network.New; v == nil || v.CIDR != "10.1.0.0/16" || v.NATGateways != 1 {
		t.Errorf("the VPC is %+v", m.Network)
	}
	if m.Cluster.Existing != "" {
		t.Errorf("the cluster is %s", m.Cluster.Existing)
	}
	for _, n := range m.Namespaces {
		if n.Name != DefaultNamespace && n.Existing != "ns-0a" {
			t.Errorf("namespace %s is %+v", n.Name, n)
		}
	}
	if len(m.Families) != 2 {
		t.Fatalf("there are %d families", len(m.Families))
	}
	if image := m.family("a_b").Containers[0].Image; image.Reference != digest || image.Build != nil {
		t.Errorf("the image is %+v", image)
	}
	if c := m.family("web").Containers[0]; c.Image.Reference != "nginx" || len(c.Ports) != 1 {
		t.Errorf("web became %+v", c)
	}
	for path, line := range map[Path]int{"x-vpc": 1, "x-vpc.Properties.VpcCidr": 1, "x-cloudmap.one.Lookup": 3, "services.a_b.image": 4} {
		if got := p.Pos(path); got != at(line) {
			t.Errorf("%s is at %s", path, got)
		}
	}
	if got := p.Pos("x-cloudmap.one.ZoneName"); got.Line != 8 || filepath.Base(got.File) != "compose.yaml" {
		t.Errorf("the zone is at %s", got)
	}
}

// The section of the pipelines must not be filled with variables, and be told as no
// part of the application.
func TestPipelinesAreNoPartOfTheApplication(t *testing.T) {
	dir := folder.New(t, map[string]string{"compose.yaml": "services: {web: {image: nginx}}\nx-cicd: {Defaults: {Group: \"${Team}\"}}\n"})
	p, found := load.Files(context.Background(), load.Options{Files: []string{filepath.Join(dir, "compose.yaml")}, Root: dir})
	if p == nil || len(found) != 1 || found[0].Code != "section-pipelines" || p.Extensions["x-cicd"] != nil {
		t.Errorf("got %v", found)
	}
}
