package compose

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/compose/diag"
	"composecdk/compose/load"
)

// corpus lies beside the repository where it is worked on.
const corpus = "../../shared/corpus"

// notLoadable are the corpus files that must not load, and why.
var notLoadable = map[string]string{
	"../../shared/corpus/awesome-compose/plex/compose.yaml": "its volume starts with a variable that has no value and no default",
}

// stricter are the codes for which files are refused that ECS ComposeX renders, and
// why: what it makes of them cannot be deployed.
var stricter = map[string]string{
	"port-conflict": "ECS registers no task definition in which two containers have the same port",
}

// Every file that ECS ComposeX renders must load without errors, and so must
// every plain Compose file of the awesome-compose collection. The families
// of what ComposeX renders must have no error but for what is not built yet.
func TestCorpusLoads(t *testing.T) {
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("the corpus is not beside the repository: ", err)
	}
	for name, files := range corpusCases(t) {
		t.Run(name, func(t *testing.T) {
			p, found := load.Files(context.Background(), load.Options{Files: files, ProjectName: "corpus"})
			if reason := notLoadable[name]; reason != "" {
				if !found.HasErrors() {
					t.Errorf("loads, though %s", reason)
				}
				return
			}
			for _, d := range found.Sort() {
				if d.Severity == Error {
					t.Error(d)
				}
			}
			if p == nil || strings.HasPrefix(name, corpus) {
				return
			}
			r := &resolver{Reporter: &diag.Reporter{Positions: p}, project: p, model: &Model{Name: p.Name}}
			r.tags()
			r.families()
			r.connections()
			for _, d := range r.Found {
				unbuilt := strings.HasPrefix(d.Code, "unsupported-") || d.Code == "namespace-unknown" // of a part that did not run
				if d.Severity == Error && !unbuilt && stricter[d.Code] == "" {
					t.Error(d)
				}
			}
		})
	}
}

func corpusCases(t *testing.T) map[string][]string {
	t.Helper()
	cases := map[string][]string{"seeds": {filepath.Join(corpus, "seeds/myapps-compose.yml")}}
	table, err := os.ReadFile(filepath.Join(corpus, "composex/cases.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n")[1:] {
		columns := strings.Split(line, "\t")
		if columns[1] != "ok" {
			continue
		}
		var files []string
		for _, f := range strings.Fields(columns[0]) {
			files = append(files, filepath.Join(corpus, "composex", f))
		}
		cases[columns[0]] = files
	}
	err = filepath.WalkDir(filepath.Join(corpus, "awesome-compose"), func(path string, d os.DirEntry, err error) error {
		base := filepath.Base(path)
		if err == nil && (strings.HasPrefix(base, "compose") || strings.HasPrefix(base, "docker-compose")) &&
			(strings.HasSuffix(base, ".yaml") || strings.HasSuffix(base, ".yml")) {
			cases[path] = []string{path}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return cases
}
