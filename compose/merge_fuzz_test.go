package compose

import (
	"bytes"
	"testing"
)

// Whatever the bytes of several files, merging them must answer with diagnostics
// or a model, within the budget.
func FuzzMergeBytes(f *testing.F) {
	for _, over := range []string{
		oneService,
		"services: {web: {ports: !override ['80'], environment: !reset null}}\n",
		"services: {web: {command: [a], depends_on: {web: {condition: service_started}}, deploy: {replicas: 2}}, new: {extends: web}}\n",
		"x-box: {b: {Properties: {BoxName: c}}}\nnetworks: {n: {}}\n",
		"services: !reset null\n", "services: {web: !override {build: .}}\n", "include: [a.yml]\n",
	} {
		f.Add([]byte("services: {web: {image: nginx, ports: ['81:81'], environment: [A=b], command: x}}\nx-box: {b: {}}\n"), []byte(over), []byte(over))
	}
	s := newSandbox(f)
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		s.fill(t, map[string]string{"a.yml": string(a), "b.yml": string(b), "c.yml": string(c)})
		p, _, found := s.resolve(t, "a.yml", "b.yml", "c.yml")
		checkDiagnostics(t, p, found, string(a)+string(b)+string(c))
	})
}

// Merging a valid file with itself must change nothing, once or twice; and three
// files must give the same model whether all are merged at once or the first two
// are written out first.
func FuzzMerge(f *testing.F) {
	f.Add([]byte{}, []byte{1}, []byte{2})
	f.Add(everyChoice(), bytes.Repeat([]byte{3, 1, 4}, 90), bytes.Repeat([]byte{1, 5, 9, 2}, 70))
	for i := range 6 {
		f.Add(bytes.Repeat([]byte{4, byte(i)}, 80), bytes.Repeat([]byte{byte(i), 1, 2}, 80), bytes.Repeat([]byte{2, 1, byte(i), 0}, 50))
	}
	s := newSandbox(f)
	f.Fuzz(func(t *testing.T, one, two, three []byte) {
		files := map[string]string{}
		for name, decisions := range map[string][]byte{"a.yml": one, "b.yml": two, "c.yml": three} {
			c := &choices{left: decisions}
			files[name] = document(t, c, generate(c))
		}
		s.fill(t, files)
		_, once, found := s.resolve(t, "a.yml")
		if once == nil {
			t.Fatalf("%v\n%s", found, files["a.yml"])
		}
		if _, twice, found := s.resolve(t, "a.yml", "a.yml"); twice == nil || render(twice) != render(once) {
			t.Fatalf("merged with itself: %v\n%s", found, files["a.yml"])
		}
		if _, ab, _ := s.resolve(t, "a.yml", "b.yml"); ab != nil {
			if _, abb, found := s.resolve(t, "a.yml", "b.yml", "b.yml"); abb == nil || render(abb) != render(ab) {
				t.Fatalf("the second merged twice: %v\n%s\n%s", found, files["a.yml"], files["b.yml"])
			}
		}
		p, ab, _ := s.resolve(t, "a.yml", "b.yml")
		_, all, found := s.resolve(t, "a.yml", "b.yml", "c.yml")
		if ab == nil || all == nil { // what each says alone may exclude what another one says
			checkDiagnostics(t, p, found, files["a.yml"]+files["b.yml"]+files["c.yml"])
			return
		}
		if text, steps := s.canonical(t, p, "ab.yml", "c.yml"); render(steps) != render(all) {
			t.Fatalf("in two steps: got\n%s\nwant\n%s\nof\n%s\nand\n%s", render(steps), render(all), text, files["c.yml"])
		}
	})
}
