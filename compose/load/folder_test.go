package load

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
	"composecdk/test/folder"
)

// What the user names may lie anywhere; what the files name may not, until the
// user says so.
func TestLoadRoot(t *testing.T) {
	dir := folder.New(t, map[string]string{
		"app/compose.yml": "include: [../common/db.yml]\nservices: {web: {image: nginx, env_file: ../common/web.env}}\n",
		"common/db.yml":   "services: {db: {image: postgres}}\n",
		"common/web.env":  "A=1\n",
		"other/over.yml":  "services: {web: {environment: {B: '2'}}}\n",
	})
	files := []string{filepath.Join(dir, "app/compose.yml"), filepath.Join(dir, "other/over.yml")}
	p, found := Files(context.Background(), Options{Files: files})
	if p != nil || errorCodes(found) != "path-outside" {
		t.Errorf("without a root: %v", found)
	}
	p = mustLoad(t, Options{Files: files, Root: dir})
	if env := p.Services["web"].Environment; *env["A"] != "1" || *env["B"] != "2" || p.Services["db"].Image != "postgres" {
		t.Errorf("got %v", p.Services)
	}
	link := filepath.Join(dir, "app/link.yml")
	if err := os.Symlink(files[1], link); err != nil {
		t.Fatal(err)
	}
	if _, found := Files(context.Background(), Options{Files: []string{link}}); errorCodes(found) != "path-outside" {
		t.Errorf("a compose file that is a link: %v", found)
	}
	if _, found := Files(context.Background(), Options{Files: files, Root: filepath.Join(dir, "none")}); errorCodes(found) != "working-dir" {
		t.Errorf("a root that is none: %v", found)
	}
}

// errorCodes returns the codes of the errors, each once, sorted.
func errorCodes(found diag.Diagnostics) string {
	var all []string
	for _, d := range found {
		if d.Severity == diag.Error {
			all = append(all, d.Code)
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}

// A .env file that leads out of the folder must not be read, wherever it stands.
func TestLoadDotEnvLink(t *testing.T) {
	dir := folder.New(t, map[string]string{"secret": "A=leak\n", "app/compose.yml": "services: {web: {image: '${A:-b}'}}\n"})
	if err := os.Symlink("../secret", filepath.Join(dir, "app/.env")); err != nil {
		t.Fatal(err)
	}
	_, found := Files(context.Background(), Options{Files: []string{filepath.Join(dir, "app/compose.yml")}})
	if errorCodes(found) != "path-outside" || strings.Contains(fmt.Sprint(found), "leak") {
		t.Errorf("got %v", found)
	}
}

// Each limit must hold what is at it, and refuse what is above it, at its place
// and in little time.
func TestLimits(t *testing.T) {
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	includes := func(n int) map[string]string {
		files := map[string]string{"compose.yml": "include:\n" + many(n, "  - %d.yml\n") + oneService}
		for i := range n {
			files[fmt.Sprintf("%d.yml", i)] = fmt.Sprintf("services: {s%d: {image: nginx}}\n", i)
		}
		return files
	}
	doubling := func(n int) string {
		text := "V0=" + strings.Repeat("x", 1024) + "\n"
		for i := range n {
			text += fmt.Sprintf("V%d=$V%d$V%d\n", i+1, i, i)
		}
		return text
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"files":           {includes(maxFiles - 1), ""},
		"too many files":  {includes(maxFiles), "limit-files compose.yml:65:5"},
		"too many uses":   {map[string]string{"compose.yml": "include:\n" + strings.Repeat("  - a.yml\n", maxUses) + oneService, "a.yml": "x-a: {}\n"}, "limit-files compose.yml:257:5"},
		"a large file":    {map[string]string{"compose.yml": oneService + strings.Repeat("#\n", diag.MaxFile/2)}, "limit-size compose.yml"},
		"a large .env":    {map[string]string{"compose.yml": oneService, ".env": strings.Repeat("#\n", diag.MaxFile/2+1)}, "limit-size .env"},
		"many services":   {map[string]string{"compose.yml": "services:\n" + many(maxServices+1, "  s%d: {image: nginx}\n")}, "limit-services compose.yml:1002:3"},
		"doubled .env":    {map[string]string{"compose.yml": oneService, ".env": doubling(40)}, "limit-text .env"},
		"variables":       {map[string]string{"compose.yml": "services: {web: {image: nginx, labels: {a: $V3}}}\n", ".env": doubling(3)}, ""},
		"long text":       {map[string]string{"compose.yml": "services: {web: {image: nginx, labels: {a: '" + strings.Repeat("$V9", 20) + "'}}}\n", ".env": doubling(9)}, "limit-text compose.yml:1:44"},
		"many long texts": {map[string]string{"compose.yml": "services:\n  web:\n    image: nginx\n    labels:\n" + many(20, "      l%d: $V9\n"), ".env": doubling(9)}, "limit-text compose.yml:13:11"},
		"read often":      {map[string]string{"compose.yml": "services:\n" + many(20, "  s%d: {image: nginx, env_file: a.env}\n"), "a.env": "A=" + strings.Repeat("x", diag.MaxFile-3)}, "limit-size compose.yml"},
		"extended bases":  {map[string]string{"compose.yml": "services:\n" + many(300, "  s%d: {extends: {file: base.yml, service: b}}\n"), "base.yml": "services:\n  b:\n    image: nginx\n    labels:\n" + many(500, "      l%d: x\n")}, "limit-extends compose.yml:5"},
		"nested defaults": {map[string]string{"compose.yml": "services: {web: {image: nginx, labels: {a: '" + strings.Repeat("${A:-", maxNesting) + strings.Repeat("}", maxNesting) + "'}}}\n"}, ""},
		"deep defaults":   {map[string]string{"compose.yml": "services: {web: {image: nginx, labels: {a: '" + strings.Repeat("${A:-", 1e5) + strings.Repeat("}", 1e5) + "'}}}\n"}, "interpolation compose.yml:1:44"},
		"depth":           {map[string]string{"compose.yml": "x-a: " + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + "\n" + oneService}, "yaml-syntax compose.yml"},
		"many values":     {map[string]string{"compose.yml": "x-a: [" + strings.Repeat("1,", maxNodes) + "]\n" + oneService}, "yaml-too-large compose.yml:1:"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder.New(t, c.files)
			var p *Project
			var found diag.Diagnostics
			withinBudget(t, func() {
				p, found = Files(context.Background(), Options{Files: []string{filepath.Join(dir, "compose.yml")}})
			})
			if c.want == "" {
				if p == nil || found.HasErrors() {
					t.Errorf("got %v", found)
				}
				return
			}
			errs := slices.DeleteFunc(found.Sort(), func(d diag.Diagnostic) bool { return d.Severity != diag.Error })
			if len(errs) == 0 || !strings.HasPrefix(errs[0].Code+" "+strings.TrimPrefix(errs[0].Pos.String(), dir+"/"), c.want) {
				t.Errorf("got %.500v, want %s", errs, c.want)
			}
		})
	}
}

// A project may have as many services as the limit says.
func TestServiceLimit(t *testing.T) {
	services := mapping(&yaml.Node{})
	s := &source{file: &file{}, docs: []*yaml.Node{mapping(&yaml.Node{}, text(&yaml.Node{}, "services"), services)}}
	for i := range maxServices + 1 {
		setEntry(services, fmt.Sprint("s", i), mapping(&yaml.Node{}))
		l := &loading{main: []*source{s}, said: map[diag.Diagnostic]bool{}}
		if n := i + 1; n >= maxServices && l.countServices() != (n == maxServices) {
			t.Errorf("%d services: %v", n, l.found)
		}
	}
}

// Loading must end when its time is over, and say so.
func TestLoadTime(t *testing.T) {
	dir := folder.New(t, map[string]string{"compose.yml": oneService})
	ctx, cancel := context.WithDeadline(context.Background(), time.Now())
	defer cancel()
	p, found := Files(ctx, Options{Files: []string{filepath.Join(dir, "compose.yml")}})
	if p != nil || errorCodes(found) != "limit-time" {
		t.Errorf("got %v", found)
	}
}

// TestClientSecret: CloudFormation may read the client secret of a listener from
// Secrets Manager, and nothing else, and not for untrusted files.
func TestClientSecret(t *testing.T) {
	const secret = "{{resolve:secretsmanager:idp:SecretString:client}}"
	for name, c := range map[string]struct {
		key, text string
		untrusted bool
		want      string
	}{
		"as it should be":  {"ClientSecret", secret, false, ""},
		"of others":        {"ClientSecret", secret, true, "text-dynamic"},
		"another property": {"ClientId", secret, false, "text-dynamic"},
		"with more text":   {"ClientSecret", secret + "x", false, "text-dynamic"},
		"another service":  {"ClientSecret", "{{resolve:ssm-secure:idp}}", false, "text-dynamic"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder.New(t, map[string]string{"compose.yml": "services: {web: {image: nginx}}\nx-elbv2: {edge: {Listeners: [{Port: 443, Targets: [{name: 'web:web', AuthenticateOidcConfig: {" +
				c.key + ": '" + c.text + "'}}]}]}}\n"})
			_, found := Files(context.Background(), Options{Files: []string{filepath.Join(dir, "compose.yml")}, Untrusted: c.untrusted})
			if got := errorCodes(found); got != c.want {
				t.Errorf("got %q, want %q: %v", got, c.want, found)
			}
		})
	}
}

// Variables of the process come through but for those that are withheld; those of
// .env always do, and win over a withheld one.
func TestWithheld(t *testing.T) {
	text := "services: {web: {image: 'nginx', environment: {A: '${A:-}', P: '${DB_PASSWORD:-}', R: '${AWS_REGION:-}'}}}\n"
	environ := map[string]string{"A": "process", "DB_PASSWORD": "process", "AWS_REGION": "process"}
	for name, c := range map[string]struct {
		opts Options
		env  string
		want string // values, or codes
	}{
		"laptop":               {Options{}, "", "variable-refused"},
		"from .env":            {Options{}, "A=dot\nDB_PASSWORD=dot\nAWS_REGION=dot\n", "process dot dot"},
		"allowed":              {Options{Allow: []string{"DB_PASSWORD", "AWS_REGION"}}, "", "process process process"},
		"untrusted":            {Options{Untrusted: true}, "DB_PASSWORD=dot\nAWS_REGION=dot\n", "variable-refused"},
		"untrusted, from .env": {Options{Untrusted: true}, "A=dot\nDB_PASSWORD=dot\nAWS_REGION=dot\n", "dot dot dot"},
		"untrusted, allowed":   {Options{Untrusted: true, Allow: []string{"A"}}, "DB_PASSWORD=dot\nAWS_REGION=dot\n", "process dot dot"},
		"never a credential":   {Options{Untrusted: true, Allow: []string{"A", "DB_PASSWORD", "AWS_REGION"}}, "", "variable-refused"},
		"not through .env":     {Options{}, "DB_PASSWORD=x\nAWS_REGION=${AWS_REGION}\n", "variable-refused"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder.New(t, map[string]string{"compose.yml": text, ".env": c.env})
			c.opts.Files, c.opts.Environ = []string{filepath.Join(dir, "compose.yml")}, environ
			p, found := Files(context.Background(), c.opts)
			got := errorCodes(found)
			if got == "" {
				env := p.Services["web"].Environment
				got = *env["A"] + " " + *env["P"] + " " + *env["R"]
			}
			if got != c.want {
				t.Errorf("got %s, want %s: %v", got, c.want, found)
			}
		})
	}
}

// Names that look like a credential, and names that do not.
func TestCredential(t *testing.T) {
	for name, want := range map[string]bool{
		"AWS_REGION": true, "AWS_ACCESS_KEY_ID": true, "CODEBUILD_SRC_DIR": true, "GITHUB_SHA": true, "NPM_TOKEN": true, "CLIENT_SECRET": true,
		"DB_PASSWORD": true, "db_passwd": true, "SSH_KEY": true, "apikey": true, "MY_CREDENTIALS": true, "PASSPHRASE": true,
		"HOME": false, "PATH": false, "TAG": false, "MY_AWS": false, "LAWS_OF": false, "COMPOSE_PROFILES": false,
	} {
		if Credential(name) != want {
			t.Errorf("%s: got %v", name, !want)
		}
	}
}
