package compose

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/compose/load"
)

// Every file under testdata/hostile must be refused with exactly the diagnostics
// of the .out file beside it, none of which tells what the file was after.
func TestHostileFiles(t *testing.T) {
	for _, file := range filesOf(t, "testdata/hostile/err/*.yml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			got := refusal(t, file)
			for _, secret := range []string{"leak", "root:", os.Getenv("HOME") + "/"} {
				source, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(got, secret) && !strings.Contains(string(source), secret) {
					t.Errorf("the diagnostics hold %q", secret)
				}
			}
			compareOut(t, strings.TrimSuffix(file, ".yml")+".out", got)
		})
	}
}

// Every negative case of ECS ComposeX must have a fixture of its own, reduced to
// the mistake, and be refused like it.
func TestNegativeCases(t *testing.T) {
	table, err := os.ReadFile("testdata/composex/cases.tsv")
	if err != nil {
		t.Fatal(err)
	}
	fixtures, cases := map[string]bool{}, map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n")[1:] {
		fixture, files, _ := strings.Cut(line, "\t")
		fixtures[fixture+".yml"], cases[files] = true, true
	}
	for _, file := range filesOf(t, "testdata/composex/err/*.yml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			if !fixtures[filepath.Base(file)] {
				t.Error("cases.tsv does not tell which case this is")
			}
			compareOut(t, strings.TrimSuffix(file, ".yml")+".out", refusal(t, file))
		})
	}
	reference, err := os.ReadFile(filepath.Join(corpus, "composex/cases.tsv"))
	if err != nil {
		t.Log("the corpus is not beside the repository: ", err)
		return
	}
	for line := range strings.Lines(string(reference)) {
		columns := strings.Split(line, "\t")
		if strings.HasPrefix(columns[1], "error:") && !cases[columns[0]] {
			t.Errorf("%s has no fixture", columns[0])
		}
	}
}

func filesOf(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures: ", err)
	}
	return files
}

// refusal returns what is printed of a file with errors.
func refusal(t *testing.T, file string) string {
	t.Helper()
	p, found := load.Files(context.Background(), fixtureOptions(t, file))
	if p != nil {
		_, more := Resolve(p, []*Schema{boxes, rooms, queues})
		found = append(found, more...)
	}
	if !found.HasErrors() {
		t.Error("no error")
	}
	for _, d := range found {
		if d.Severity == Error && d.Pos.Line == 0 && d.Pos.File == "" {
			t.Error("an error without a place: ", d)
		}
	}
	var b bytes.Buffer
	if err := found.Print(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// queues is the part of x-sqs that its negative case needs: this package knows
// none of the real kinds.
var queues = &Schema{
	Key: "x-sqs", Type: "AWS::SQS::Queue", Main: "QueueUrl", Returns: []string{"Arn"},
	Access: map[string][]string{"": {"RWMessages"}}, BareReferences: []string{"RedrivePolicy.deadLetterTargetArn"},
}
