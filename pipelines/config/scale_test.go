package config

import (
	"context"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"composecdk/compose"
	"composecdk/compose/load"
	"composecdk/pipelines/config/scale"
)

// busy returns how long the process has computed: unlike a clock it does not run on while
// others do.
func busy(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// Projects of many applications and accounts must load without a word, in a second
// or two, with all that they ask for.
func TestScale(t *testing.T) {
	for _, size := range []struct{ apps, accounts, targets, groups int }{{60, 12, 9, 3}, {200, 30, 27, 10}} {
		dir := t.TempDir()
		if err := scale.Write(dir, size.apps, size.accounts); err != nil {
			t.Fatal(err)
		}
		start := busy(t)
		c, found := Load(Options{File: filepath.Join(dir, "pipeline.yaml"), Untrusted: true})
		if c == nil || found.HasErrors() || found.Count(compose.Warning) > 0 {
			t.Fatal(render(found))
		}
		groups := map[string]bool{}
		for _, a := range c.Apps {
			groups[a.Group] = true
		}
		production := c.Environments[1]
		if len(c.Apps) != size.apps || len(c.Accounts) != size.accounts || len(production.Targets()) != size.targets ||
			len(production.Waves[0]) != 1 || production.Waves[0][0].Account.Tags["tier"] != "canary" || len(groups) != size.groups {
			t.Errorf("%d applications, %d accounts, %d targets, %d groups, first %v", len(c.Apps), len(c.Accounts), len(production.Targets()), len(groups), production.Waves[0])
		}
		opts, found := c.Application(production, production.Targets()[0], dir, true)
		if len(found) > 0 {
			t.Fatal(render(found))
		}
		p, found := load.Files(context.Background(), opts)
		if p == nil || found.HasErrors() {
			t.Fatal(render(found))
		}
		m, found := compose.Resolve(p, nil)
		for _, d := range found {
			if d.Path != "x-sqs" && d.Severity != compose.Note {
				t.Error(d)
			}
		}
		if found := Check(c, production, production.Targets()[0], m, nil); len(found) > 0 {
			t.Error(render(found))
		}
		if spent := busy(t) - start; spent > 20*time.Second {
			t.Errorf("%d applications take %s", size.apps, spent)
		}
	}
}
