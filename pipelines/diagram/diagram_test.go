package diagram

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"composecdk/pipelines/config"
)

// blog returns two applications and three accounts.
func blog() *config.Config {
	shared := &config.Account{Name: "shared", ID: "111111111111", Roles: config.Roles{Type: config.Bootstrap}}
	dev := &config.Account{Name: "dev", ID: "222222222222", Roles: config.Roles{Type: config.Bootstrap}}
	prod := &config.Account{Name: "prod", ID: "333333333333", Roles: config.Roles{Type: config.Managed}}
	commit := func(name string) config.Source {
		return config.Source{Provider: config.CodeCommit, Repository: name, Branch: "main"}
	}
	zero := 0
	app := func(name string, s config.Source) *config.App {
		return &config.App{Name: name, Service: name, Group: "default", Source: s, Repository: config.Repository{Name: "myapps/" + name}, Scan: &config.Scan{Critical: &zero}}
	}
	return &config.Config{
		Name: "myapps", Tooling: config.Tooling{Account: shared, Region: "eu-west-1", Source: commit("myapps-platform"), File: "pipeline.yaml"},
		Accounts: []*config.Account{dev, prod, shared},
		Compose:  config.Compose{Source: commit("myapps-compose"), Images: "images/"},
		Apps:     []*config.App{app("app01", commit("blog-app-01")), app("app02", config.Source{Provider: config.Connection, Repository: "my-org/blog-app-02", Branch: "main"})},
		Environments: []*config.Environment{
			{Name: "throwaway", Type: config.Ephemeral, Waves: [][]config.Target{{{Account: dev, Region: "eu-west-1"}}}, Tests: []config.Test{{Name: "smoke"}}},
			{Name: "production", Type: config.Permanent, Waves: [][]config.Target{{{Account: prod, Region: "eu-west-1"}}}, Approval: &config.Approval{}},
		},
	}
}

// large returns 200 applications and 30 accounts.
func large() *config.Config {
	c := blog()
	c.Apps = nil
	for i := range 200 {
		name := fmt.Sprintf("app%03d", i+1)
		c.Apps = append(c.Apps, &config.App{Name: name, Service: name, Source: config.Source{Provider: config.CodeCommit, Repository: name}, Repository: config.Repository{Name: "myapps/" + name}})
	}
	var waves [][]config.Target
	for i := range 30 {
		if i%8 == 0 {
			waves = append(waves, nil)
		}
		a := &config.Account{Name: fmt.Sprintf("prod%02d", i+1), ID: fmt.Sprintf("%012d", i+1)}
		waves[len(waves)-1] = append(waves[len(waves)-1], config.Target{Account: a, Region: "eu-west-1"})
	}
	c.Environments[1].Waves = waves
	return c
}

func render(t *testing.T, c *config.Config) string {
	t.Helper()
	svg, err := SVG(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return string(svg)
}

// texts returns all that a reader sees. It fails where the picture is no XML.
func texts(t *testing.T, svg string) []string {
	t.Helper()
	var all []string
	decoder, in := xml.NewDecoder(strings.NewReader(svg)), ""
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			in = token.Name.Local
		case xml.EndElement:
			in = ""
		case xml.CharData:
			if in == "text" {
				all = append(all, strings.TrimSpace(strings.ReplaceAll(string(token), "\u00a0", " ")))
			}
		}
	}
}

func TestEverythingIsThere(t *testing.T) {
	shown := texts(t, render(t, blog()))
	for _, want := range []string{
		"shared 111111111111", "dev 222222222222", "prod 333333333333",
		"blog-app-01", "my-org/blog-app-02", "myapps-compose", "myapps-platform",
		"ci-app01", "ci-app02", "cd-myapps", "platform-myapps",
		"Source", "Build", "Scan", "Merge", "Synth", "throwaway", "deploy, test, delete", "Approval", "production",
		"image", "digest", "images/<service>.yaml", "compose files, digests", "pipeline.yaml", "templates", "change sets",
		"bootstrap roles, images from ECR", "managed roles, images from ECR",
	} {
		if !slices.Contains(shown, want) {
			t.Errorf("%q is not in the picture: %q", want, shown)
		}
	}
}

func TestManyAreFolded(t *testing.T) {
	shown := texts(t, render(t, large()))
	for _, want := range []string{"ci-app001", "ci-app002", "ci-app003 … and 197 more", "prod03 … and 27 more", "deploy in 4 waves"} {
		if !slices.Contains(shown, want) {
			t.Errorf("%q is not in the picture", want)
		}
	}
	if len(shown) > 120 {
		t.Errorf("the picture has %d texts, and nobody reads as many", len(shown))
	}
}

func TestEqualBytes(t *testing.T) {
	first := render(t, large())
	if again := render(t, large()); first != again {
		t.Error("two pictures of one configuration differ")
	}
}

func TestNamesAreText(t *testing.T) {
	for _, name := range []string{`a"b`, `<b>&amp;</b>`, `\N\G`, `">]; evil [label="`, "ü…", `%s`} {
		c := blog()
		c.Apps[0].Source.Repository, c.Accounts[0].Name, c.Environments[0].Name = name, name, name
		shown := texts(t, render(t, c))
		if !slices.Contains(shown, name) || !slices.Contains(shown, name+" 222222222222") {
			t.Errorf("%q is not shown as it is: %q", name, shown)
		}
	}
}
