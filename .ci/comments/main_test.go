package main

import "testing"

// Each way to write a comment must be told from the others.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name      string
		predicate bool
		comment   string
		right     bool
	}{
		{"Load", false, "Load reads the compose files.", true},
		{"New", false, "New builds, or imports, a resource.", true},
		{"Load", false, "Load is the reader of files.", false},
		{"edges", false, "edges are those of a model.", false},
		{"edges", false, "edges returns those of a model.", false},
		{"edges", false, "edges returns the edges of a model.", true},
		{"edges", false, "The edges of a model.", false},
		{"ready", true, "ready reports whether all is there.", true},
		{"ready", true, "ready tells whether all is there.", false},
		{"take", true, "take removes an item, and reports whether there was one.", true},
	} {
		if got := judge(c.name, c.predicate, c.comment); (got == "") != c.right {
			t.Errorf("%s: got %q", c.comment, got)
		}
	}
}

// Own words must be found where the field has a term.
func TestForeignTerms(t *testing.T) {
	for text, want := range map[string]int{
		"the queue is made anew": 1, "a throw-away environment": 1, "stacks in a circle": 1, "files of others": 1, "the queue is replaced": 0,
	} {
		if got := foreignTerms("a.md", []byte(text)); len(got) != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}
