package compose

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"composecdk/compose/diag"
	"composecdk/compose/load"
)

// readNetwork loads a file and runs the part of Resolve that fills the network,
// the cluster and the namespaces.
func readNetwork(t *testing.T, opts load.Options) (*Model, Diagnostics) {
	t.Helper()
	p, found := load.Files(context.Background(), opts)
	if p == nil {
		t.Fatalf("no project: %v", found)
	}
	r := &resolver{Reporter: &diag.Reporter{Positions: p}, project: p, model: &Model{Name: p.Name}}
	r.families()
	r.Found = slices.Clone(found)
	r.network()
	return r.model, r.Found.Sort()
}

// Every file under testdata/network must give the diagnostics and the model of
// the .out file beside it.
func TestNetworkFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/network/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures: ", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			m, found := readNetwork(t, fixtureOptions(t, file))
			if isErr := strings.Contains(file, "error"); found.HasErrors() != isErr {
				t.Errorf("errors: %v, want %v", found.HasErrors(), isErr)
			}
			var out strings.Builder
			for _, d := range found {
				out.WriteString(d.String() + "\n")
				if d.Hint != "" {
					out.WriteString("    = " + d.Hint + "\n")
				}
			}
			model, err := json.MarshalIndent(struct {
				Network    Network
				Cluster    Cluster
				Namespaces []*Namespace
			}{m.Network, m.Cluster, m.Namespaces}, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			if !found.HasErrors() {
				out.WriteString("---\n" + string(model) + "\n")
			}
			compareOut(t, strings.TrimSuffix(file, ".yml")+".out", out.String())
		})
	}
}

// The reference's own use-cases of a VPC, a cluster and namespaces must be
// understood without an error.
func TestNetworkUseCases(t *testing.T) {
	base := corpus + "/composex/use-cases/"
	if _, err := os.Stat(base); err != nil {
		t.Skip("the corpus, ../shared/corpus, is not beside the repository")
	}
	files := []string{"yelb.yaml", "vpc/new_with_flowlogs.yml"}
	for _, pattern := range []string{"vpc/lookup*", "vpc/n*_*s.yaml", "vpc/new_vpc.yml", "ecs/cluster*.yml", "networking/*.yaml", "volumes/efs_with_lookup_vpc.yml"} {
		found, err := filepath.Glob(base + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			name, _ := filepath.Rel(base, file)
			files = append(files, name)
		}
	}
	for _, name := range files {
		t.Run(name, func(t *testing.T) {
			paths := []string{"blog.features.yml", name}
			if name == "yelb.yaml" || name == "vpc/new_with_flowlogs.yml" {
				paths = paths[1:]
			}
			for i := range paths {
				paths[i] = base + paths[i]
			}
			_, found := readNetwork(t, load.Options{Files: paths, ProjectName: "blog"})
			for _, d := range found {
				if d.Severity == Error && strings.HasPrefix(string(d.Path), "x-") {
					t.Error(d)
				}
			}
		})
	}
}

// The subnets of a tier must fill its share of the range, whatever the number of
// zones.
func TestSubnetPrefix(t *testing.T) {
	for _, test := range []struct{ vpc, zones, want int }{
		{16, 1, 18}, {16, 2, 19}, {16, 3, 20}, {16, 4, 20}, {24, 2, 27}, {25, 2, 28},
	} {
		if got := SubnetPrefix(test.vpc, test.zones); got != test.want {
			t.Errorf("/%d in %d zones: got /%d, want /%d", test.vpc, test.zones, got, test.want)
		}
	}
}
