//go:build !race

package applications

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"composecdk/compose"
	"composecdk/compose/kinds"
	"composecdk/compose/load"
	"composecdk/test/fixture"
)

// TestNothingIsDropped changes and removes every value of every file of the corpus,
// one at a time, and loads the file set again: each value must change the model, or
// a diagnostic must speak of it. What does neither is dropped in silence, and needs
// a reason in silent. The same text at the same path, in whatever item of a list and
// whatever file, is tried once.
func TestNothingIsDropped(t *testing.T) {
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(corpusRoot(t))); err != nil {
		t.Fatal(err)
	}
	var (
		counts = map[fate]int{}
		met    = map[string]bool{}
		files  = map[string]bool{}
		known  = map[string]bool{}
	)
	for _, c := range corpusCases(t, root) {
		for _, file := range c.files {
			if files[file] {
				continue
			}
			files[file] = true
			for _, v := range fates(t, c.files, file, known) {
				counts[v.fate]++
				if v.fate == inModel || v.fate == spokenOf || v.fate == required {
					continue
				}
				reason := v.reason()
				met[reason] = true
				if reason == "" {
					t.Errorf("%s: line %d: %s: %q is %s", c.name, v.node.Line, v.path, v.node.Value, v.fate)
				}
			}
		}
	}
	for _, s := range silent {
		if !met[s.reason] && fixture.Kind() == "" {
			t.Errorf("no value needs the reason %q any more", s.reason)
		}
	}
	fmt.Printf("%d values of %d files: %d in the model, %d told, %d required, %d as without them, %d dropped for a reason\n",
		counts[inModel]+counts[spokenOf]+counts[required]+counts[checked]+counts[dropped], len(files),
		counts[inModel], counts[spokenOf], counts[required], counts[checked], counts[dropped])
}

// The check must tell apart what is read, told and dropped.
func TestFates(t *testing.T) {
	file := fixture.Write(t, `version: "3.8"
services:
  web: {image: "web:1", restart: always, cpu_shares: 5, expose: ["80"], x-ingress: {Nothing: 1}}
x-sqs: {jobs: {Properties: {DelaySeconds: 5, Tags: []}, Services: {web: {Access: Publish}}}}
x-sns: {topic: {Properties: {TopicName: a}}}
`)
	want := map[string]fate{
		"version": dropped, "services.web.image": inModel, "services.web.restart": checked,
		"services.web.cpu_shares": spokenOf, "services.web.expose[0]": inModel, "services.web.x-ingress.Nothing": spokenOf,
		"x-sqs.jobs.Properties.DelaySeconds": inModel, "x-sqs.jobs.Properties.Tags": inModel,
		"x-sqs.jobs.Services.web.Access": inModel, "x-sns.topic.Properties.TopicName": spokenOf,
	}
	got := map[string]fate{}
	for _, v := range fates(t, []string{file}, file, map[string]bool{}) {
		got[v.path] = v.fate
	}
	if !maps.Equal(got, want) {
		t.Errorf("want %v\ngot  %v", want, got)
	}
}

// fate is what becomes of one value of a file.
type fate string

const (
	inModel  fate = "in the model" // another value, or none, gives another model
	spokenOf fate = "told"         // a diagnostic speaks of it
	required fate = "required"     // another value is an error, and so is none
	checked  fate = "checked"      // another value is an error, none changes nothing
	dropped  fate = "dropped"      // nothing tells it from another value, or none
)

// silent are values that may be neither in the model nor in a diagnostic, by
// patterns of their path and their text.
var silent = []struct{ path, text, reason string }{
	{`version`, `.*`, "obsolete in the Compose Specification; docker compose ignores it"},
	{`.*`, ``, "an empty mapping or list says nothing"},
	{`secrets\.[^.]+\.external`, `true`, "a secret that says nothing of its value is external all the same"},
	{`secrets\.[^.]+\.x-secrets\.LinksTo\[\d+\]`, `EcsExecutionRole`, "the execution role can read every secret of its containers"},
	{`services\.[^.]+\.restart`, `always|unless-stopped`, "what ECS does with the tasks of every service"},
	{`services\.[^.]+\.build\.context`, `\.`, "the folder of the file is the default"},
	{`services\.[^.]+\.ports\[\d+\]\.protocol`, `tcp`, "the default"},
	{`services\.[^.]+\.deploy\.update_config\.failure_action`, `rollback`, "the default here"},
	{`services\.[^.]+\.deploy\.labels\.ecs\.ephemeral\.storage`, `65`, "another service of the family asks for more"},
	{`services\.[^.]+\.depends_on\[\d+\]`, `app01`, "the family that it is in stands in the same list"},
	{`services\.[^.]+\.networks\[\d+\]`, `.*`, "the subnets are the same without it, and edges open ports, not networks"},
	{`volumes\.[^.]+\.driver`, `local`, "the default of a named volume"},
	{`networks\.[^.]+\.x-vpc`, `AppSubnets|PublicSubnets`, "where the tasks run without it: the default, or by AssignPublicIp"},
	{`services\.[^.]+\.logging\.options\.awslogs-create-group`, `true`, "the log group is made by the stack"},
	{`services\.[^.]+\.x-ecs\.OperatingSystemFamily`, `LINUX`, "the default"},
	{`services\.[^.]+\.x-network\.Ingress\.Services\[\d+\]\.DependsOn`, `True`, "depends_on of the service says so too"},
	{`.*\.Ingress\.ExtSources\[\d+\]\.Name`, `.*`, "Description is what the rule says of itself"},
	{`x-elbv2\..*[pP]rotocol`, `HTTP|TCP`, "the default of the type of load balancer"},
	{`x-elbv2\.[^.]+\.Properties\.Type`, `application`, "the default"},
	{`x-elbv2\..*\.access`, `/`, "every path, as without it"},
	{`.*(x-elbv2|x-cloudmap)\..*\.[pP]ort`, `\d+`, "the only port of the container, which is the default"},
}

// value is a scalar or an empty collection of a YAML document, with its place in
// what holds it.
type value struct {
	path   string
	node   *yaml.Node
	parent *yaml.Node
	index  int // of the value in the content of the parent
	fate   fate
}

func (v value) reason() string {
	for _, s := range silent {
		if fixture.Whole(s.path).MatchString(v.path) && fixture.Whole(s.text).MatchString(v.node.Value) {
			return s.reason
		}
	}
	return ""
}

// fates tries every value of one file of a set, but for what is known: a text at a
// path that was tried before.
func fates(t *testing.T, files []string, file string, known map[string]bool) []value {
	t.Helper()
	original, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	defer os.WriteFile(file, original, 0o600) //nolint:errcheck // a copy in a temporary folder
	var documents []*yaml.Node
	for decoder := yaml.NewDecoder(bytes.NewReader(original)); ; {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, &document)
	}
	load := func() loaded {
		var out bytes.Buffer
		encoder := yaml.NewEncoder(&out)
		for _, document := range documents {
			if err := encoder.Encode(document); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return loadFiles(t, files)
	}
	before := load()
	var values []value
	for _, document := range documents {
		values = append(values, leaves(document, nil, 0, "")...)
	}
	values = slices.DeleteFunc(values, func(v value) bool {
		said := listIndex.ReplaceAllString(v.path, "[]") + "=" + v.node.Value
		before := known[said]
		known[said] = true
		return before
	})
	for i := range values {
		values[i].fate = values[i].try(before, load)
	}
	return values
}

var listIndex = regexp.MustCompile(`\[\d+\]`)

// leaves returns all values below a node; an alias is what it names, once.
func leaves(node, parent *yaml.Node, index int, path string) []value {
	var found []value
	switch {
	case node.Kind == yaml.AliasNode:
	case len(node.Content) == 0:
		found = append(found, value{path: path, node: node, parent: parent, index: index})
	case node.Kind == yaml.MappingNode:
		for i := 0; i < len(node.Content); i += 2 {
			found = append(found, leaves(node.Content[i+1], node, i+1, strings.TrimPrefix(path+"."+node.Content[i].Value, "."))...)
		}
	case node.Kind == yaml.SequenceNode:
		for i, item := range node.Content {
			found = append(found, leaves(item, node, i, fmt.Sprintf("%s[%d]", path, i))...)
		}
	default:
		for i, child := range node.Content {
			found = append(found, leaves(child, node, i, path)...)
		}
	}
	return found
}

// try changes the value, then removes it, and compares what is loaded. Below an
// error there is nothing to try: it stops the run.
func (v value) try(before loaded, load func() loaded) fate {
	if covers(before.wrong, v.path) {
		return spokenOf
	}
	best := dropped
	for _, other := range v.others() {
		was := *v.node
		v.node.Value, v.node.Style = other, v.node.Style&^yaml.TaggedStyle
		f := before.tells(load())
		*v.node = was
		if f == inModel || f == spokenOf {
			return f
		}
		if f == checked {
			best = checked
		}
	}
	content := v.parent.Content
	first := v.index
	if v.parent.Kind == yaml.MappingNode {
		first-- // with its key
	}
	v.parent.Content = slices.Delete(slices.Clone(content), first, v.index+1)
	f := before.tells(load())
	v.parent.Content = content
	switch {
	case f == inModel || f == spokenOf:
		return f
	case covers(before.told, v.path):
		return spokenOf
	case f == checked:
		return required
	}
	return best
}

var firstNumber = regexp.MustCompile(`\d+`)

// others returns values of the same type.
func (v value) others() []string {
	switch tag := v.node.ShortTag(); {
	case v.node.Kind != yaml.ScalarNode || tag == "!!null":
		return nil
	case tag == "!!bool":
		return []string{strconv.FormatBool(!slices.Contains([]string{"true", "True", "TRUE"}, v.node.Value))}
	}
	var others []string
	if number := firstNumber.FindString(v.node.Value); number != "" {
		n, _ := strconv.Atoi(number)
		others = append(others, strings.Replace(v.node.Value, number, strconv.Itoa(n+1), 1), strings.Replace(v.node.Value, number, strconv.Itoa(2*n), 1))
	}
	if v.node.ShortTag() == "!!str" {
		others = append(others, v.node.Value+"x")
	}
	return others
}

// loaded is what a file set became: the model, and the paths of what was said of it.
type loaded struct {
	model       string
	wrong, told map[string]string // errors; warnings and notes: by what they say
}

func loadFiles(t *testing.T, files []string) loaded {
	t.Helper()
	l := loaded{told: map[string]string{}, wrong: map[string]string{}}
	project, found := load.Files(t.Context(), load.Options{Files: files})
	if project != nil {
		model, more := compose.Resolve(project, schemas)
		found = append(found, more...)
		l.model = withoutPaths(t, model)
	}
	for _, d := range found {
		said := l.told
		if d.Severity == compose.Error {
			said = l.wrong
		}
		said[fmt.Sprintf("%s [%s] %s %s", d.Path, d.Code, d.Message, d.Hint)] = string(d.Path)
	}
	return l
}

// withoutPaths returns a model as text, but for the paths that its parts came from.
func withoutPaths(t *testing.T, model *compose.Model) string {
	t.Helper()
	text, err := json.Marshal(model)
	if err != nil {
		t.Fatal(err)
	}
	return modelPath.ReplaceAllString(string(text), "")
}

var modelPath = regexp.MustCompile(`"Path":"(?:[^"\\]|\\.)*",?`)

// tells returns how a file set shows that it is not the same as another: by its model
// or by what is said of it, or by nothing but more errors.
func (l loaded) tells(after loaded) fate {
	switch {
	case len(after.wrong) > len(l.wrong):
		return checked
	case l.model != after.model:
		return inModel
	case !maps.Equal(l.told, after.told) || !maps.Equal(l.wrong, after.wrong):
		return spokenOf
	}
	return dropped
}

// covers reports whether one of the diagnostics speaks of a path, or of what holds it:
// but one about a whole service speaks of nothing in it.
func covers(said map[string]string, path string) bool {
	for _, p := range said {
		rest, below := strings.CutPrefix(path, p)
		service := strings.HasPrefix(p, "services.") && strings.Count(p, ".") == 1
		if p != "" && below && (rest == "" || !service && strings.ContainsAny(rest[:1], ".[")) {
			return true
		}
	}
	return false
}

// schemas are those of all kinds.
var schemas = kinds.Schemas()
