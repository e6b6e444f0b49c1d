// Command bench measures the cost of a synthesis for growing files of services, each with a
// queue, and compares it with an equivalent program in TypeScript (typescript/app.cts):
//
//	bench [-program bin/composecdk] [-runs 3] [SERVICES …]
//
// It fails if a promise of the project is broken: if the cost grows faster than the file, if
// 50 services take 3 s or more without validation, or if a synthesis takes more than 1.5
// times as long as in TypeScript.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/jsii-runtime-go"
)

// The promises. Times are wall-clock on 2 cores.
const (
	maxFifty    = 3 * time.Second // 50 services, whole process, without validation
	maxRatio    = 1.5             // whole process to the TypeScript process
	maxPerExtra = 1.5             // cost of a further service at the largest size to that at the next smaller one
)

// node and typescript are where make bench installs them.
const (
	node       = "node_modules/.bin/node"
	typescript = "bench/typescript/app.cts"
)

func main() {
	program := flag.String("program", "bin/composecdk", "the program that is measured")
	runs := flag.Int("runs", 3, "how often each measurement is taken; the fastest counts")
	phases := flag.String("phases", "", "measure the phases of this compose file, in this process")
	flag.Parse()
	err := error(nil)
	if *phases != "" {
		err = measurePhases(*phases)
		jsii.Close()
	} else {
		err = compare(*program, *runs, flag.Args())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// row holds the measurements of one size.
type row struct {
	services          int
	phases            phases
	ours, theirs      process
	resources, stacks int
}

func compare(program string, runs int, sizes []string) error {
	if len(sizes) == 0 {
		sizes = []string{"1", "10", "50", "100", "500"}
	}
	dir, err := os.MkdirTemp("", "bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a left-over temporary folder harms nobody
	var rows []row
	for _, size := range sizes {
		services, err := strconv.Atoi(size)
		if err != nil || services < 1 || services > 999 {
			return fmt.Errorf("%q is not a number of services from 1 to 999", size)
		}
		fmt.Fprintf(os.Stderr, "measuring %d services\n", services)
		r, err := measure(program, services, runs, dir)
		if err != nil {
			return fmt.Errorf("%d services: %w", services, err)
		}
		rows = append(rows, r)
	}
	if err := printTable(rows); err != nil {
		return err
	}
	return promises(rows)
}

// measure takes all measurements of one size; the fastest run of each counts.
func measure(program string, services, runs int, dir string) (r row, err error) {
	r.services = services
	file := filepath.Join(dir, fmt.Sprintf("%d.yaml", services))
	if err := os.WriteFile(file, []byte(composeFile(services)), 0o600); err != nil {
		return r, err
	}
	context, err := json.Marshal(map[string]any{"compose": file})
	if err != nil {
		return r, err
	}
	flags, err := featureFlags()
	if err != nil {
		return r, err
	}
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	ours, theirs := filepath.Join(dir, "ours-"+strconv.Itoa(services)), filepath.Join(dir, "theirs-"+strconv.Itoa(services))
	for i := range runs {
		p, err := run([]string{program}, "CDK_OUTDIR="+ours, "CDK_CONTEXT_JSON="+string(context))
		if err != nil {
			return r, err
		}
		r.ours = fastest(i, r.ours, p)
		p, err = run([]string{node, typescript, strconv.Itoa(services), theirs}, "CDK_CONTEXT_JSON="+flags)
		if err != nil {
			return r, err
		}
		r.theirs = fastest(i, r.theirs, p)
	}
	p, err := run([]string{self, "-phases", file})
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(p.stdout), &r.phases); err != nil {
		return r, err
	}
	r.resources, r.stacks, err = sameResources(ours, theirs)
	return r, err
}

// groups is the number of stacks of each kind, if one stack cannot hold everything. The
// TypeScript program uses the same number.
const groups = 10

// composeFile returns a compose file of n services with a queue each.
func composeFile(n int) string {
	var b strings.Builder
	b.WriteString("name: bench\nservices:\n")
	for i := range n {
		fmt.Fprintf(&b, `  service%03d:
    image: public.ecr.aws/nginx/nginx:1.27
    expose: ["8080"]
    deploy: {resources: {limits: {cpus: "0.25", memory: 512M}}}
`, i)
	}
	b.WriteString("x-sqs:\n")
	for i := range n {
		fmt.Fprintf(&b, "  queue%03d: {Services: {service%03d: {Access: RWMessages}}}\n", i, i)
	}
	if n > 50 {
		b.WriteString("x-stacks:\n")
		for i := range groups {
			fmt.Fprintf(&b, "  group%d: [services.*%d, x-sqs.*%d]\n", i, i, i)
		}
	}
	return b.String()
}

// featureFlags returns the CDK feature flags of this project: the TypeScript program gets
// the same.
func featureFlags() (string, error) {
	var config struct{ Context json.RawMessage }
	text, err := os.ReadFile("cdk.json")
	if err != nil {
		return "", err
	}
	err = json.Unmarshal(text, &config)
	return string(config.Context), err
}

func printTable(rows []row) error {
	var table strings.Builder
	table.WriteString("\t\t\tload\tconstruct\tsynth\tvalidation\twhole process\tpeak memory\t\t\t\t\n")
	table.WriteString("services\tresources\tstacks\ts\ts\ts\tfirst, s\tno validation, s\tMB\tTypeScript, s\tMB\tratio\t\n")
	for _, r := range rows {
		fmt.Fprintf(&table, "%d\t%d\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%d\t%.2f\t%d\t%.2f\t\n",
			r.services, r.resources, r.stacks, r.phases.Load, r.phases.Construct, r.phases.Synth, r.phases.Validation,
			r.ours.wall.Seconds(), r.ours.peak>>20, r.theirs.wall.Seconds(), r.theirs.peak>>20, r.ratio())
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	if _, err := io.WriteString(w, table.String()); err != nil {
		return err
	}
	return w.Flush()
}

func (r row) ratio() float64 { return r.ours.wall.Seconds() / r.theirs.wall.Seconds() }

// promises returns an error that lists the broken promises.
func promises(rows []row) error {
	var broken []string
	for _, r := range rows {
		if r.ratio() > maxRatio {
			broken = append(broken, fmt.Sprintf("%d services take %.2f times as long as in TypeScript, promised are %.1f", r.services, r.ratio(), maxRatio))
		}
		if r.services == 50 && r.ours.wall >= maxFifty {
			broken = append(broken, fmt.Sprintf("50 services take %s, promised is less than %s", r.ours.wall, maxFifty))
		}
	}
	if n := len(rows); n > 2 {
		before, last := perExtra(rows[n-3], rows[n-2]), perExtra(rows[n-2], rows[n-1])
		if last > maxPerExtra*before {
			broken = append(broken, fmt.Sprintf("a further service costs %.1f ms at %d services, and %.1f ms at %d: more than linear",
				last*1000, rows[n-1].services, before*1000, rows[n-2].services))
		}
	}
	if len(broken) > 0 {
		return fmt.Errorf("%s", strings.Join(broken, "\nbench: "))
	}
	fmt.Println("all promises kept: linear, 50 services below 3 s, at most 1.5 times TypeScript")
	return nil
}

// perExtra returns the cost of each further service between two sizes, in seconds.
func perExtra(a, b row) float64 {
	return (b.ours.wall - a.ours.wall).Seconds() / float64(b.services-a.services)
}
