package compose

import (
	"bytes"
	"testing"

	"composecdk/compose/load"
)

// everyChoice returns enough bytes for the largest generated project, each value once.
func everyChoice() []byte {
	var all []byte
	for i := range 512 {
		all = append(all, byte(i*7+i/5))
	}
	return all
}

// What is written down must be what is read: the model of a generated file holds
// what was generated, however it was written; and the file in its canonical form
// gives the same model again.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte{})
	f.Add(everyChoice())
	for i := range 12 {
		f.Add(bytes.Repeat([]byte{byte(4 - i%5), byte(i), 1, byte(3 * i), 2}, 60))
	}
	s := newSandbox(f)
	f.Fuzz(func(t *testing.T, decisions []byte) {
		c := &choices{left: decisions}
		services := generate(c)
		text := document(t, c, services)
		s.fill(t, map[string]string{"compose.yml": text})
		p, m, found := s.resolve(t, "compose.yml")
		if m == nil {
			t.Fatalf("%v\n%s", found, text)
		}
		if got, want := modelMeaning(m), meaning(services); got != want {
			t.Fatalf("got\n%s\nwant\n%s\nof\n%s", got, want, text)
		}
		again, m2 := s.canonical(t, p, "compose.yml")
		if got, want := render(m2), render(m); got != want {
			t.Fatalf("the canonical form gives another model: got\n%s\nwant\n%s\nof\n%s\ncanonical\n%s", got, want, text, again)
		}
	})
}

// canonical writes a project in compose-go's canonical form over a file of the
// folder, and resolves that.
func (s sandbox) canonical(t *testing.T, p *load.Project, file string, more ...string) (text string, m *Model) {
	t.Helper()
	written, err := p.MarshalYAML()
	if err != nil {
		t.Fatal(err)
	}
	// what was a variable's dollar sign is a dollar sign by now
	text = dollars(string(written))
	s.write(t, file, text)
	_, m, found := s.resolve(t, append([]string{file}, more...)...)
	if m == nil {
		t.Fatalf("the canonical form does not load: %v\n%s", found, text)
	}
	return text, m
}
