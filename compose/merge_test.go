package compose

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/compose/load"
)

func merge(t *testing.T, dir string, files map[string]string, main ...string) (string, Diagnostics) {
	t.Helper()
	t.Chdir(dir)
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, found := load.Merge(context.Background(), load.Options{Files: main, Environ: map[string]string{"TOKEN": planted}})
	return string(text), found
}

// Merged files must say what they said apart: variables as they are written, no
// value of the process, paths as seen from the project.
func TestMerge(t *testing.T) {
	files := map[string]string{
		"a.yml": `# lost
name: shop
include: [sub/more.yml]
x-cicd: {Name: "${Team}"}
x-sqs: {orders: {Services: {web: {Access: RWMessages}}}}
services:
  web:
    image: ${REGISTRY}/web:${TAG:-1}
    build: .
    ports: ["${PORT}:80", "81:81"]
    environment: [TOKEN, A=$$x, "B=${B:?x}"]
    env_file: web.env
    deploy: {replicas: "${N:-2}"}
    volumes: [./data:/data:ro, "${V}:/v"]
    x-scaling: {Range: 1-2}
    extends: {service: base}
  base: {image: b, mem_limit: "${MEM}", cpus: "0.5"}
secrets: {s: {environment: TOKEN}, t: {}}
`,
		"sub/more.yml": "services: {more: {build: ./ctx, environment: [TOKEN]}}\nx-sns: {t: {Properties: {TopicName: !Sub \"${AWS::StackName}-t\"}}}\n",
		"sub/.env":     "TOKEN=" + planted + "\n",
		"b.yml":        "services:\n  web: {image: r/web@sha256:aa, ports: !override [\"9:9\"], environment: {A: null}}\nx-sqs: {orders: {Properties: {DelaySeconds: 3}}}\n",
	}
	got, found := merge(t, t.TempDir(), files, "a.yml", "b.yml")
	const want = `name: shop
secrets:
    s:
        environment: TOKEN
    t:
        external: true
services:
    base:
        cpus: 0.5
        image: b
        mem_limit: ${MEM}
    more:
        build:
            context: ./sub/ctx
        environment:
            - TOKEN
    web:
        build:
            context: .
        cpus: 0.5
        deploy:
            replicas: ${N:-2}
        env_file:
            - path: ./web.env
              required: true
        environment:
            - TOKEN
            - A
            - B=${B:?x}
        image: r/web@sha256:aa
        mem_limit: ${MEM}
        ports:
            - mode: ingress
              protocol: tcp
              published: "9"
              target: 9
        volumes:
            - bind:
                create_host_path: true
              read_only: true
              source: ./data
              target: /data
              type: bind
            - source: ${V}
              target: /v
              type: volume
              volume: {}
        x-scaling:
            Range: 1-2
x-cicd:
    Name: ${Team}
x-sns:
    t:
        Properties:
            TopicName:
                Fn::Sub: ${AWS::StackName}-t
x-sqs:
    orders:
        Properties:
            DelaySeconds: 3
        Services:
            web:
                Access: RWMessages
`
	if got != want {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
	said := ""
	for _, d := range found.Sort() {
		said += d.String() + "\n"
	}
	if said != `a.yml:3:11: include[0]: warning: the included file has variables of its own, which are not in the merged file [include-env]
a.yml:14:32: services.web.volumes[1]: warning: a volume in short form whose source is a variable is taken for a named one [volume-open]
` {
		t.Errorf("got\n%s", said)
	}
}

// What is wrong must be told where it stands, and nothing be merged.
func TestMergeFails(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"not YAML", "services: {", "a.yml:2:1: did not find expected node content [yaml-syntax]"},
		{"an unknown key", "services: {web: {imag: a}}", `a.yml:1:18: services.web.imag: "imag" is not a key`},
		{"a wrong port", "services: {web: {image: a, ports: [x]}}", `a.yml:1:36: services.web.ports[0]: "x" is not a port`},
		{"a cycle", "services: {web: {extends: {service: web}}}", "the service extends itself: web -> web"},
		{"outside", "include: [../x.yml]", "lies outside the project's folder"},
		{"another type in another file", "services: {web: {image: a, command: {a: b}}}", "a.yml:1:"},
		{"binary", "\x00\x01", "a.yml:1:1: "},
		{"many aliases", "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\nx-e: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n", "[yaml-too-large]"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text, found := merge(t, t.TempDir(), map[string]string{"a.yml": c.text}, "a.yml")
			if text != "" || !strings.Contains(found.Sort()[0].String(), c.want) {
				t.Errorf("want %q, got %q and %v", c.want, text, found)
			}
		})
	}
	if _, found := merge(t, t.TempDir(), nil); !found.HasErrors() {
		t.Error("no file must be an error")
	}
}

// A merged file must load as the files do that it is made of.
func TestMergeMeansTheSame(t *testing.T) {
	files, compared := fixtures(t, "ok"), 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			opts := fixtureOptions(t, file)
			text, found := load.Merge(context.Background(), opts)
			for _, d := range found {
				if d.Severity != Note { // what it says is another thing then
					t.Skip(d)
				}
			}
			compared++
			dir, err := opts.Directory()
			if err != nil {
				t.Fatal(err)
			}
			merged := opts
			merged.WorkingDir, merged.Files = dir, []string{filepath.Join(t.TempDir(), "merged.yml")}
			if err := os.WriteFile(merged.Files[0], text, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, want := written(t, merged), written(t, opts); got != want {
				t.Errorf("want\n%s\ngot\n%s\nof\n%s", want, got, text)
			}
		})
	}
	if 2*compared < len(files) {
		t.Errorf("only %d of %d files are compared", compared, len(files))
	}
}

func written(t *testing.T, opts load.Options) string {
	t.Helper()
	p, found := load.Files(context.Background(), opts)
	if p == nil {
		t.Fatal(found)
	}
	text, err := p.MarshalYAML()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Whatever the files, the merged text must hold nothing from outside of them, and be
// refused or be the same each time.
func FuzzMergeText(f *testing.F) {
	f.Add([]byte("services: {web: {image: '${T}', environment: [T], env_file: .env}}\nsecrets: {s: {environment: T}}\ninclude: [b.yml]\n"), []byte("services: {b: {image: a, secrets: [s]}}\n"))
	f.Add([]byte("services: {web: {extends: {file: ../outside.yml, service: outside}}}\n"), []byte("include: [{path: b.yml, env_file: ../outside.env}]\n"))
	f.Add([]byte("name: ${T}\nservices: {web: !reset null}\nx-a: !Sub '${T}'\n"), []byte("configs: {c: {environment: T}}\nservices: {web: !override {image: b, build: {args: [T]}}}\n"))
	s := newSandbox(f)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		s.fill(t, map[string]string{"a.yml": string(a), "b.yml": string(b), ".env": "T=" + planted + "\n"})
		opts := load.Options{Files: []string{filepath.Join(s.dir, "a.yml"), filepath.Join(s.dir, "b.yml")}, Environ: map[string]string{"T": planted}}
		text, found := load.Merge(context.Background(), opts)
		if again, _ := load.Merge(context.Background(), opts); string(again) != string(text) {
			t.Fatalf("two merges differ: %s\n%s", text, again)
		}
		if text != nil && found.HasErrors() || text == nil && !found.HasErrors() {
			t.Fatalf("got %q with %v", text, found)
		}
		if strings.Contains(string(text)+allText(found.Sort()), planted) && !strings.Contains(string(a)+string(b), planted) {
			t.Fatalf("a value of the process, or of another file, shows: %s%v", text, found)
		}
	})
}

// allText returns all that the diagnostics say.
func allText(ds Diagnostics) string {
	var b strings.Builder
	for _, d := range ds {
		b.WriteString(d.String() + d.Hint)
	}
	return b.String()
}

// The merged file of two generated ones must mean what they mean.
func FuzzMergeMeansTheSame(f *testing.F) {
	f.Add([]byte{}, []byte{1})
	f.Add(everyChoice(), everyChoice())
	s := newSandbox(f)
	f.Fuzz(func(t *testing.T, one, two []byte) {
		files := map[string]string{}
		for name, decisions := range map[string][]byte{"a.yml": one, "b.yml": two} {
			c := &choices{left: decisions}
			files[name] = document(t, c, generate(c))
		}
		s.fill(t, files)
		_, want, _ := s.resolve(t, "a.yml", "b.yml")
		if want == nil {
			return
		}
		text, found := load.Merge(context.Background(), load.Options{Files: []string{filepath.Join(s.dir, "a.yml"), filepath.Join(s.dir, "b.yml")}})
		s.write(t, "merged.yml", string(text))
		if _, got, more := s.resolve(t, "merged.yml"); got == nil || render(got) != render(want) {
			t.Fatalf("%v %v: got\n%s\nfrom\n%s\n%s", found, more, text, files["a.yml"], files["b.yml"])
		}
	})
}
