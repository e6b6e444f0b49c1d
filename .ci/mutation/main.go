// Mutation measures how well the tests of a package notice a change of its code. Gremlins
// lists the mutants and tells which of them no test reaches; this program finds out which of
// the others make a test fail.
//
//	go run .ci/mutation/main.go [-below 85] [-files REGEXP] DIR…
//
// Gremlins builds a test binary for each mutant, which takes hours here. This program builds
// one binary with all mutants of a package, each behind a number that the environment
// switches on, and runs for a mutant only the tests that reach it, until one fails. It
// builds a mutant on its own if it cannot be written that way.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

var workers int

func main() {
	below := flag.Float64("below", 85, "fail below this score")
	files := flag.String("files", "", "test only the mutants of files whose name matches")
	flag.IntVar(&workers, "workers", runtime.NumCPU(), "how many mutants to test at the same time")
	gremlins := flag.String("gremlins", "gremlins", "the program gremlins")
	flag.Parse()
	failed := false
	for _, dir := range flag.Args() {
		score, err := measure(filepath.Clean(dir), *gremlins, *files)
		if err != nil {
			fmt.Fprintln(os.Stderr, "mutation:", err)
			os.Exit(2)
		}
		failed = failed || score < *below
	}
	if failed {
		fmt.Printf("mutation: below %g %%\n", *below)
		os.Exit(1)
	}
}

// mutant is one change of the code, as gremlins lists it.
type mutant struct {
	Type   string
	Status string
	Line   int
	Column int

	file   string
	id     int  // counts from 1
	unseen bool // gremlins takes it for not covered
}

// The verdicts on a mutant, in gremlins' words.
const (
	runnable   = "RUNNABLE"
	killed     = "KILLED"
	lived      = "LIVED"
	notCovered = "NOT COVERED"
	notViable  = "NOT VIABLE"
	timedOut   = "TIMED OUT"
)

// measure tests the mutants of the package in dir, prints the results and returns the score
// in percent.
func measure(dir, gremlins, files string) (float64, error) {
	chosen, err := regexp.Compile(files)
	if err != nil {
		return 0, err
	}
	temp, err := os.MkdirTemp("", "mutation-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(temp) //nolint:errcheck // a left-over temporary folder harms nobody
	w := &workplace{temp: temp, root: filepath.Join(temp, "module", "tree"), dir: dir}
	if err := w.copyTree(); err != nil {
		return 0, err
	}
	all, err := w.list(gremlins)
	if err != nil {
		return 0, err
	}
	all = slices.DeleteFunc(all, func(m *mutant) bool { return !chosen.MatchString(m.file) })
	if err := w.build(all); err != nil {
		return 0, err
	}
	if err := w.record(all); err != nil {
		return 0, err
	}
	w.test(all)
	return report(dir, all), nil
}

// workplace is a copy of the module, so that the working tree stays as it is.
type workplace struct {
	temp, root, dir string
	binary          string
	alone           []*mutant        // mutants that the binary cannot hold
	tests           map[int][]string // the tests that reach each mutant
	took            map[string]time.Duration
	mutex           sync.Mutex
	kills           map[string]int // by test
}

func (w *workplace) copyTree() error {
	list, err := exec.Command("git", "ls-files", "-coz", "--exclude-standard").Output()
	if err != nil {
		return fmt.Errorf("git ls-files: %w", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(list), "\x00"), "\x00") {
		info, err := os.Lstat(name)
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted, but still in the index
		}
		if err != nil {
			return err
		}
		if err := copyFile(name, filepath.Join(w.root, name), info); err != nil {
			return err
		}
	}
	// the project's folder ends at the working tree
	return os.Mkdir(filepath.Join(w.root, ".git"), 0o755)
}

// copyFile copies a file, or a link as a link.
func copyFile(from, to string, info os.FileInfo) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if info.Mode()&os.ModeSymlink != 0 {
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, info.Mode().Perm())
}

// run runs a command in the copy. An error includes its output.
func (w *workplace) run(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = w.root
	cmd.Env = append(os.Environ(), "GOFLAGS=-count=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// list returns the mutants that gremlins finds.
func (w *workplace) list(gremlins string) ([]*mutant, error) {
	answer := filepath.Join(w.temp, "mutants.json")
	if err := w.run(gremlins, "unleash", "--dry-run", "--output", answer, "./"+w.dir); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(answer)
	if err != nil {
		return nil, err
	}
	var listed struct {
		Files []struct {
			Name      string `json:"file_name"`
			Mutations []*mutant
		}
	}
	if err := json.Unmarshal(content, &listed); err != nil {
		return nil, err
	}
	var all []*mutant
	for _, f := range listed.Files {
		for _, m := range f.Mutations {
			// Go's coverage has no block for the condition of a case, nor for what
			// initialises a package, and gremlins calls all mutants there not
			// covered: which of them the tests reach is recorded instead.
			m.unseen = m.Status == notCovered
			m.Status = runnable
			m.file = f.Name
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b *mutant) int {
		return strings.Compare(a.place(), b.place())
	})
	for i, m := range all {
		m.id = i + 1
	}
	return all, nil
}

func (m *mutant) place() string {
	return fmt.Sprintf("%s:%06d:%06d %s", m.file, m.Line, m.Column, m.Type)
}

// build writes all mutants into the copy and builds its tests. It leaves out the mutants
// that the compiler refuses.
func (w *workplace) build(all []*mutant) error {
	w.binary = filepath.Join(w.temp, "all.test")
	pkg := filepath.Join(w.root, w.dir)
	sources, err := readSources(pkg)
	if err != nil {
		return err
	}
	helper := filepath.Join(pkg, "zz_mutants.go")
	if err := os.WriteFile(helper, helpers(sources), 0o644); err != nil {
		return err
	}
	alone := map[*mutant]bool{}
	for {
		if err := writeMutants(pkg, sources, all, alone); err != nil {
			return err
		}
		err := w.run("go", "test", "-c", "-vet=off", "-gcflags=-e", "-o", w.binary, "./"+w.dir)
		if err == nil {
			break
		}
		before := len(alone)
		for _, m := range named(err.Error(), all) {
			alone[m] = true
		}
		if len(alone) == before {
			return err
		}
	}
	w.alone = slices.SortedFunc(maps.Keys(alone), func(a, b *mutant) int { return a.id - b.id })
	// mutants built on their own need the original sources
	if err := writeMutants(pkg, sources, nil, nil); err != nil {
		return err
	}
	return os.Remove(helper)
}

// writeMutants writes the sources with all mutants except some.
func writeMutants(dir string, sources map[string]source, all []*mutant, but map[*mutant]bool) error {
	for name, source := range sources {
		var in []*mutant
		for _, m := range all {
			if m.file == name && !but[m] {
				in = append(in, m)
			}
		}
		text, err := source.with(in)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

var compilerPlace = regexp.MustCompile(`(?m)^[^:\s]*?([^/:\s]+\.go):(\d+):`)

// named returns the mutants on the lines that compiler messages name.
func named(messages string, all []*mutant) []*mutant {
	var found []*mutant
	for _, place := range compilerPlace.FindAllStringSubmatch(messages, -1) {
		for _, m := range all {
			if m.file == place[1] && strconv.Itoa(m.Line) == place[2] {
				found = append(found, m)
			}
		}
	}
	return found
}

// source is a file of the package in its original form.
type source struct {
	name string
	text []byte
}

func readSources(dir string) (map[string]source, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	sources := map[string]source{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		sources[filepath.Base(name)] = source{filepath.Base(name), text}
	}
	return sources, nil
}

// edit replaces a range of the text.
type edit struct {
	from, to int
	text     string
}

// with returns the text of the file with each mutant as a call of a helper. It keeps line
// numbers.
func (s source) with(mutants []*mutant) ([]byte, error) {
	if len(mutants) == 0 {
		return s.text, nil
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, s.name, s.text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	// ids of the mutants at a place: gremlins gives two to some operators
	ids := func(pos token.Pos) map[string]int {
		at, found := files.Position(pos), map[string]int{}
		for _, m := range mutants {
			if m.Line == at.Line && m.Column == at.Column {
				found[m.Type] = m.id
			}
		}
		return found
	}
	offset := func(pos token.Pos) int { return files.Position(pos).Offset }
	var opening, closing []edit
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			at := ids(n.OpPos)
			if len(at) == 0 {
				return true
			}
			name, first, second := helperOf(n.Op, at)
			opening = append(opening, edit{offset(n.Pos()), offset(n.Pos()), fmt.Sprintf("%s(%d, %d, ", name, first, second)})
			if name != "mutantNot" {
				opening = append(opening, edit{offset(n.OpPos), offset(n.OpPos) + len(n.Op.String()), ","})
			}
			closing = append(closing, edit{offset(n.End()), offset(n.End()), ")"})
		case *ast.UnaryExpr:
			if at := ids(n.OpPos); len(at) > 0 && n.Op == token.SUB {
				_, first, second := helperOf(n.Op, at)
				opening = append(opening, edit{offset(n.OpPos), offset(n.OpPos) + 1, fmt.Sprintf("mutantNegative(%d, %d, ", first, second)})
				closing = append(closing, edit{offset(n.End()), offset(n.End()), ")"})
			}
		case *ast.IncDecStmt:
			if at := ids(n.TokPos); len(at) > 0 {
				sign := map[token.Token]string{token.INC: "+=", token.DEC: "-="}[n.Tok]
				opening = append(opening, edit{offset(n.TokPos), offset(n.TokPos) + 2, fmt.Sprintf(" %s mutantOne(%d)", sign, at["INCREMENT_DECREMENT"])})
			}
		}
		return true
	})
	// at one place the inner end comes before the outer one, and ends before beginnings
	slices.Reverse(closing)
	edits := slices.Concat(closing, opening)
	slices.SortStableFunc(edits, func(a, b edit) int { return a.from - b.from })
	var out bytes.Buffer
	last := 0
	for _, e := range edits {
		out.Write(s.text[last:e.from])
		out.WriteString(e.text)
		last = e.to
	}
	out.Write(s.text[last:])
	return out.Bytes(), nil
}

// helperOf names the helper of an operator and orders the numbers of its mutants.
func helperOf(op token.Token, ids map[string]int) (name string, first, second int) {
	switch op {
	case token.EQL, token.NEQ:
		return "mutantNot", ids["CONDITIONALS_NEGATION"], 0
	case token.LSS, token.LEQ, token.GTR, token.GEQ:
		name = map[token.Token]string{
			token.LSS: "mutantLess", token.LEQ: "mutantLessOrEqual", token.GTR: "mutantGreater", token.GEQ: "mutantGreaterOrEqual",
		}[op]
		return name, ids["CONDITIONALS_NEGATION"], ids["CONDITIONALS_BOUNDARY"]
	}
	name = map[token.Token]string{
		token.ADD: "mutantAdd", token.SUB: "mutantSub", token.MUL: "mutantMul", token.QUO: "mutantQuo", token.REM: "mutantRem",
	}[op]
	return name, ids["ARITHMETIC_BASE"], ids["INVERT_NEGATIVES"]
}

//go:embed helpers.txt
var helperText string

// helpers returns a Go file with the helper functions, for the package of the sources.
func helpers(sources map[string]source) []byte {
	for _, s := range sources {
		if clause := packageClause.Find(s.text); clause != nil {
			return append(slices.Clone(clause), helperText...)
		}
	}
	return nil
}

var packageClause = regexp.MustCompile(`(?m)^package \w+\n`)

// command runs the binary for some tests with an environment of its own, in a
// bounded memory: a mutant may loop.
func (w *workplace) command(ctx context.Context, binary string, tests []string, env ...string) *exec.Cmd {
	args := []string{"-c", `ulimit -v 16000000; exec "$0" "$@"`, binary, "-test.failfast", "-test.run", "^(" + strings.Join(tests, "|") + ")$"}
	cmd := exec.CommandContext(ctx, "sh", args...)
	cmd.Dir = filepath.Join(w.root, w.dir)
	cmd.Env = slices.Concat(os.Environ(), []string{"GOGC=400"}, env) // a run is short
	return cmd
}

// record runs each test by itself to learn which mutants it reaches.
func (w *workplace) record(all []*mutant) error {
	cmd := exec.Command(w.binary, "-test.list", ".")
	cmd.Dir = filepath.Join(w.root, w.dir)
	names, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("listing the tests: %w", err)
	}
	w.tests, w.took, w.kills = map[int][]string{}, map[string]time.Duration{}, map[string]int{}
	viable := map[int]bool{}
	for name := range strings.FieldsSeq(string(names)) {
		reached := filepath.Join(w.temp, "reached")
		start := time.Now()
		cmd := w.command(context.Background(), w.binary, []string{name}, "MUTANT_RECORD="+reached)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s fails without any mutant: %w\n%s", name, err, out)
		}
		w.took[name] = time.Since(start)
		content, err := os.ReadFile(reached)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for line := range strings.FieldsSeq(string(content)) {
			text, isString := strings.CutPrefix(line, "-")
			id, err := strconv.Atoi(text)
			if err != nil {
				return err
			}
			viable[id] = !isString
			w.tests[id] = append(w.tests[id], name)
		}
		if err := os.Remove(reached); err != nil {
			return err
		}
	}
	for _, m := range all {
		if m.Status != runnable || slices.Contains(w.alone, m) {
			continue
		}
		switch ok, reached := viable[m.id]; {
		case !reached:
			m.Status = notCovered
		case !ok:
			m.Status = notViable
		}
	}
	return nil
}

// test gives each mutant its verdict.
func (w *workplace) test(all []*mutant) {
	if len(w.alone) > 0 {
		fmt.Printf("  %d mutants of %s are built one by one …\n", len(w.alone), w.dir)
	}
	for _, m := range w.alone {
		m.Status = w.testAlone(m)
	}
	queue := make(chan *mutant)
	var running sync.WaitGroup
	var done sync.Mutex
	count, told := 0, time.Now()
	for range workers {
		running.Go(func() {
			for m := range queue {
				m.Status = w.verdict(m)
				done.Lock()
				if count++; time.Since(told) > 10*time.Second {
					told = time.Now()
					fmt.Printf("  mutant %d of %d of %s …\n", m.id, len(all), w.dir)
				}
				done.Unlock()
			}
		})
	}
	for _, m := range all {
		if m.Status == runnable {
			queue <- m
		}
	}
	close(queue)
	running.Wait()
}

// verdict runs the tests that reach a mutant: first the tests that killed most, last the
// slow ones.
func (w *workplace) verdict(m *mutant) string {
	for _, tests := range w.stages(m) {
		limit := 20 * time.Second
		for _, t := range tests {
			limit += 10 * w.took[t]
		}
		status, killer := outcome(limit, func(ctx context.Context) *exec.Cmd {
			return w.command(ctx, w.binary, tests, "MUTANT="+strconv.Itoa(m.id))
		})
		if status != lived {
			w.mutex.Lock()
			w.kills[killer]++
			w.mutex.Unlock()
			return status
		}
	}
	return lived
}

// stages returns the tests that reach a mutant, in the order of running them.
func (w *workplace) stages(m *mutant) [][]string {
	const first, slow = 3, time.Second
	w.mutex.Lock()
	defer w.mutex.Unlock()
	tests := slices.Clone(w.tests[m.id])
	slices.SortStableFunc(tests, func(a, b string) int { return w.kills[b] - w.kills[a] })
	var stages [3][]string
	for _, t := range tests {
		switch {
		case w.took[t] > slow:
			stages[2] = append(stages[2], t)
		case len(stages[0]) < first:
			stages[0] = append(stages[0], t)
		default:
			stages[1] = append(stages[1], t)
		}
	}
	return slices.DeleteFunc(stages[:], func(tests []string) bool { return len(tests) == 0 })
}

var failedTest = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// outcome returns the status of a mutant after a run of tests, and the failed test.
func outcome(limit time.Duration, command func(context.Context) *exec.Cmd) (status, killer string) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := command(ctx)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return timedOut, ""
	case err != nil:
		if m := failedTest.FindSubmatch(out.Bytes()); m != nil {
			killer = string(m[1])
		}
		return killed, killer
	}
	return lived, ""
}

// testAlone builds and tests one mutant as gremlins does.
func (w *workplace) testAlone(m *mutant) string {
	file := filepath.Join(w.root, w.dir, m.file)
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	defer os.WriteFile(file, text, 0o644) //nolint:errcheck // the next build shows it
	at := 0
	for range m.Line - 1 {
		at += bytes.IndexByte(text[at:], '\n') + 1
	}
	at += m.Column - 1
	was, now := operator(m.Type, string(text[at:]))
	changed := string(text[:at]) + now + string(text[at+len(was):])
	if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
		return err.Error()
	}
	binary := filepath.Join(w.temp, "alone.test")
	if err := w.run("go", "test", "-c", "-vet=off", "-o", binary, "./"+w.dir); err != nil {
		return notViable
	}
	status, _ := outcome(5*time.Minute, func(ctx context.Context) *exec.Cmd { return w.command(ctx, binary, []string{".*"}) })
	return status
}

// operator returns the operator at the beginning of the text, and its replacement in a
// mutant.
func operator(kind, text string) (was, now string) {
	changes := map[string][][2]string{
		"ARITHMETIC_BASE":       {{"+", "-"}, {"-", "+"}, {"*", "/"}, {"/", "*"}, {"%", "*"}},
		"INVERT_NEGATIVES":      {{"-", "+"}},
		"INCREMENT_DECREMENT":   {{"++", "--"}, {"--", "++"}},
		"CONDITIONALS_BOUNDARY": {{"<=", "<"}, {">=", ">"}, {"<", "<="}, {">", ">="}},
		"CONDITIONALS_NEGATION": {{"==", "!="}, {"!=", "=="}, {"<=", ">"}, {">=", "<"}, {"<", ">="}, {">", "<="}},
	}
	for _, c := range changes[kind] {
		if strings.HasPrefix(text, c[0]) {
			return c[0], c[1]
		}
	}
	return "", ""
}

// report prints the surviving mutants and the sums, and returns the score in percent.
func report(dir string, all []*mutant) float64 {
	sum, unseen := map[string]int{}, 0
	for _, m := range all {
		sum[m.Status]++
		if m.unseen && m.Status == killed {
			unseen++
		}
		if m.Status != killed && m.Status != notViable {
			fmt.Printf("%12s %s at %s/%s:%d:%d\n", m.Status, m.Type, dir, m.file, m.Line, m.Column)
		}
	}
	percent := func(part, whole int) float64 { return 100 * float64(part) / float64(max(whole, 1)) }
	score := percent(sum[killed], sum[killed]+sum[lived]+sum[notCovered])
	fmt.Printf("%s: killed %d (%d of them where gremlins sees no coverage), lived %d, not covered %d, timed out %d, not viable %d; efficacy %.1f %%, score %.1f %%\n",
		dir, sum[killed], unseen, sum[lived], sum[notCovered], sum[timedOut], sum[notViable],
		percent(sum[killed], sum[killed]+sum[lived]), score)
	return score
}
