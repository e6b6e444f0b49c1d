package main

import (
	"os"
	"testing"
)

func TestMerge(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "a.yml", "services: {web: {image: \"${A}\"}}\n")
	write(t, "b.yml", "services: {web: {ports: [\"80\"]}}\nx-sqs: {q: {}}\n")
	write(t, "c.yml", "services: {web: {imag: a}}\n")
	const merged = "services:\n    web:\n        image: ${A}\n        ports:\n            - mode: ingress\n              protocol: tcp\n              target: 80\nx-sqs:\n    q: {}\n"
	cases := []struct {
		name           string
		args           []string
		status         int
		stdout, stderr string
	}{
		{"two files", []string{"a.yml", "b.yml"}, 0, merged, ""},
		{"to a file", []string{"a.yml", "b.yml", "-o", "out.yml"}, 0, "", ""},
		{"a wrong file", []string{"a.yml", "c.yml"}, 1, "", "c.yml:1:18: services.web.imag: \"imag\" is not a key"},
		{"no file", []string{"nowhere.yml"}, 1, "", "nowhere.yml"},
		{"nothing", nil, 2, "", "merge needs compose files"},
		{"no place", []string{"a.yml", "-o", "nowhere/x"}, 2, "", "-o nowhere/x: it cannot be written"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { wantRun(t, append([]string{"merge"}, c.args...), c.status, c.stdout, c.stderr) })
	}
	if text, err := os.ReadFile("out.yml"); err != nil || string(text) != merged {
		t.Errorf("got %q, %v", text, err)
	}
}
