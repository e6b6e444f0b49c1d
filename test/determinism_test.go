//go:build !race

package test

import (
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const manyShapes = "testdata/rich/compose.yaml"

// TestSameBytes: two runs of the program must give the same assembly, byte for byte,
// wherever and with whatever locale, zone and number of threads they happen, and in
// whatever order the file has its keys.
func TestSameBytes(t *testing.T) {
	surroundings := []map[string]string{
		{"TZ": "Asia/Kathmandu", "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8", "GOMAXPROCS": "1"},
		{"TZ": "America/St_Johns", "LANG": "C", "GOMAXPROCS": "7", "GOGC": "1"},
	}
	for _, folder := range []string{filepath.Dir(manyShapes), blog} {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			file := projectCopy(t, folder)
			context := map[string]any{"compose": file}
			want := call{context: context}.run(t)
			if want.status != 0 {
				t.Fatalf("exit status %d:\n%s", want.status, want.stderr)
			}
			first := files(t, want.assembly)
			for i, environ := range surroundings {
				shuffleFile(t, file, uint64(i))
				got := call{context: context, environ: environ}.run(t)
				if got.status != 0 {
					t.Fatalf("exit status %d:\n%s", got.status, got.stderr)
				}
				expectSameFiles(t, first, files(t, got.assembly))
			}
			for _, text := range []string{first["manifest.json"], first["tree.json"]} {
				if strings.Contains(text, filepath.Dir(file)) {
					t.Errorf("the assembly holds a path of this machine")
				}
			}
		})
	}
}

// TestSamePipelines: two runs must give the same pipelines, byte for byte, wherever they
// happen, and in whatever order the pipeline.yaml has its keys.
func TestSamePipelines(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "replicas")
	if err := os.CopyFS(folder, os.DirFS("testdata/replicas")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "pipeline.yaml")
	run := func(environ map[string]string) map[string]string {
		t.Helper()
		got := call{context: map[string]any{"pipeline": file}, environ: environ}.run(t)
		if got.status != 0 {
			t.Fatalf("exit status %d:\n%s", got.status, got.stderr)
		}
		return files(t, got.assembly)
	}
	first := run(nil)
	shuffleFile(t, file, 1)
	expectSameFiles(t, first, run(map[string]string{"TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8", "GOMAXPROCS": "1"}))
}

// TestOrder: the order of keys in a compose file must change nothing in the assembly,
// and neither must that of lists which are sets. Each file is shuffled five times.
func TestOrder(t *testing.T) {
	synths := 0
	for _, folder := range []string{filepath.Dir(manyShapes), filepath.Join(goldenDir, "readme"), filepath.Join(goldenDir, "services"), filepath.Join(goldenDir, "x-elbv2")} {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			file := projectCopy(t, folder)
			want := files(t, synthesise(t, target{}, file).dir)
			for seed := range uint64(5) {
				shuffled := shuffleFile(t, file, seed)
				expectSameFiles(t, want, files(t, synthesise(t, target{}, file).dir))
				if t.Failed() {
					t.Fatalf("for the file\n%s", shuffled)
				}
				synths++
			}
		})
	}
	if synths < 20 {
		t.Errorf("only %d shuffled files", synths)
	}
}

// projectCopy is the compose file of a copy of a folder.
func projectCopy(t *testing.T, folder string) string {
	t.Helper()
	project := filepath.Join(t.TempDir(), filepath.Base(folder))
	if err := os.CopyFS(project, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(project, "compose.yaml")
}

// files are the contents of an assembly by their paths. The summary names files as
// seen from the working directory.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "summary.txt" {
			return err
		}
		content, err := os.ReadFile(path)
		found[strings.TrimPrefix(path, dir+"/")] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func expectSameFiles(t *testing.T, want, got map[string]string) {
	t.Helper()
	names := slices.Sorted(maps.Keys(want))
	if !slices.Equal(names, slices.Sorted(maps.Keys(got))) {
		t.Errorf("the assemblies have other files: %v and %v", names, slices.Sorted(maps.Keys(got)))
	}
	for _, name := range names {
		if want[name] != got[name] {
			t.Errorf("%s differs:\n%s", name, firstDifference(want[name], got[name]))
		}
	}
}

// shuffleFile changes the order of all that has none in a compose file.
func shuffleFile(t *testing.T, file string, seed uint64) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		t.Fatal(err)
	}
	shuffle(&document, "", rand.New(rand.NewPCG(seed, 1)))
	shuffled, err := yaml.Marshal(&document)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, shuffled, 0o600); err != nil {
		t.Fatal(err)
	}
	return string(shuffled)
}

// sets are the lists without an order. All others keep theirs: commands, env_file,
// the lists below Properties.
var sets = whole(`services\.[^.]+\.(cap_add|cap_drop|depends_on|environment|expose|links|networks|ports|profiles|secrets|security_opt|tmpfs|volumes)` +
	`|services\.[^.]+\.x-network\.Ingress\.(AwsSources|ExtSources|Services)` +
	`|services\.[^.]+\.x-iam\.(ManagedPolicyArns|Policies)` +
	`|x-elbv2\.[^.]+\.(Listeners|Listeners\.\[\]\.Targets)` +
	`|x-elbv2\.[^.]+\.MacroParameters\.Ingress\.(AwsSources|ExtSources)`)

// shuffle changes the order of the keys of every mapping, and of the items of sets.
func shuffle(node *yaml.Node, path string, random *rand.Rand) {
	size := 1
	switch node.Kind {
	case yaml.DocumentNode:
		shuffle(node.Content[0], path, random)
		return
	case yaml.MappingNode:
		size = 2
		for i := 0; i < len(node.Content); i += 2 {
			shuffle(node.Content[i+1], strings.TrimPrefix(path+"."+node.Content[i].Value, "."), random)
		}
	case yaml.SequenceNode:
		for _, item := range node.Content {
			shuffle(item, path+".[]", random)
		}
		if !sets.MatchString(path) {
			return
		}
	default:
		return
	}
	parts := slices.Collect(slices.Chunk(slices.Clone(node.Content), size))
	random.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	node.Content = slices.Concat(parts...)
}
