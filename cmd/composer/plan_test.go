package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/pipelines/config/scale"
)

const blog = "../../examples/blog/pipeline.yaml"

func TestPictureOfTheExample(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if status := run([]string{"diagram", "--pipeline", blog}, &stdout, &stderr); status != 0 {
		t.Fatalf("exit status %d: %s", status, stderr.String())
	}
	checkedIn, err := os.ReadFile("../../docs/images/blog-pipeline.svg")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(checkedIn, stdout.Bytes()) {
		t.Error("docs/images/blog-pipeline.svg is not what the example gives: make diagram")
	}
}

func TestPlanAndDiagram(t *testing.T) {
	dir := t.TempDir()
	broken, out := filepath.Join(dir, "broken.yaml"), filepath.Join(dir, "out.svg")
	write(t, broken, "Name: [1]\n")
	cases := []struct {
		name           string
		args           []string
		status         int
		stdout, stderr string
	}{
		{"a plan", []string{"plan", "-c", blog}, 0, "cd-blog", ""},
		{"a plan as JSON", []string{"plan", "--json", "-c", blog}, 0, `"Name": "cd-blog"`, ""},
		{"assumptions", []string{"plan", "--runs", "7", "--build-minutes", "9", "-c", blog}, 0, "Assumed: 7 runs", ""},
		{"minutes", []string{"plan", "--build-minutes", "9", "-c", blog}, 0, "build 9, deploy 3", ""},
		{"a checkout without compose files", []string{"plan", "--checkout", dir, "-c", blog}, 1, "Estimated: the stacks of throwaway, production", "compose.yaml"},
		{"a picture", []string{"diagram", "-c", blog, "-o", out}, 0, "", ""},
		{"a picture in no folder", []string{"diagram", "-c", blog, "-o", filepath.Join(dir, "no", "out.svg")}, 2, "", "the folder is not there"},
		{"a file with errors", []string{"diagram", "-c", broken}, 1, "", "broken.yaml:1"},
		{"a plan of a file with errors", []string{"plan", "-c", broken}, 1, "", "broken.yaml:1"},
		{"no file", []string{"plan", "-c", "nowhere.yaml"}, 2, "", "nowhere.yaml: no such file"},
		{"an argument", []string{"plan", "x"}, 2, "", "unknown command"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if status := run(c.args, &stdout, &stderr); status != c.status {
				t.Errorf("want exit status %d, got %d: %s", c.status, status, stderr.String())
			}
			if !strings.Contains(stdout.String(), c.stdout) {
				t.Errorf("standard output must hold %q, got %s", c.stdout, stdout.String())
			}
			if !strings.Contains(stderr.String(), c.stderr) {
				t.Errorf("standard error must hold %q, got %s", c.stderr, stderr.String())
			}
		})
	}
}

// 200 applications in 30 accounts must fit. With larger waves they must not, and the error
// must name the wave and the size that fits.
func TestPlanOfALargeProject(t *testing.T) {
	dir := t.TempDir()
	if err := scale.Write(dir, 200, 30); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "pipeline.yaml")
	var stdout, stderr bytes.Buffer
	if status := run([]string{"plan", "-c", file}, &stdout, &stderr); status != 0 {
		t.Errorf("exit status %d: %s", status, stderr.String())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	larger := strings.Replace(string(text), "Wave: {Size: 1,", "Wave: {Size: 4,", 1)
	if larger == string(text) {
		t.Fatal("the project has other waves than this test knows")
	}
	write(t, file, larger)
	stderr.Reset()
	if status := run([]string{"plan", "-c", file}, &stdout, &stderr); status != 1 {
		t.Errorf("want exit status 1, got %d", status)
	}
	for _, want := range []string{"Environments[1].Wave: cd-scale/production-2: 121 of 50 actions per stage [quota-exceeded]", "a target has 30 actions: Wave: {Size: 1} fits"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("%q is not in %s", want, stderr.String())
		}
	}
}
