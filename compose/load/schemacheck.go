package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/compose-spec/compose-go/v2/schema"
	"github.com/compose-spec/compose-go/v2/tree"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// documentDialect is a JSON schema, and the words of its diagnostics.
type documentDialect struct {
	schema *jsonschema.Schema
	// code tags the diagnostics; who is named in messages, such as "Compose", and file
	// describes the checked file.
	code, who, file string
	// whole says that no other file brings what is missing.
	whole bool
	// keys lists the valid keys below a place.
	keys func(place []string) []string
	// title describes the values that a part of the schema allows; may be empty.
	title func(url string) string
}

// composeDialect returns the dialect of the Compose Specification.
var composeDialect = sync.OnceValues(func() (*documentDialect, error) {
	compiled, err := composeSchema()
	return &documentDialect{
		schema: compiled, code: "compose-schema", who: "Compose", file: "a compose file",
		keys: validKeys, title: func(string) string { return "" },
	}, err
})

// composeSchema compiles the Compose Specification's own JSON schema.
func composeSchema() (*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(schema.Schema))
	if err != nil {
		return nil, fmt.Errorf("read the compose schema: %w", err)
	}
	if err := compiler.AddResource("compose-spec.json", doc); err != nil {
		return nil, fmt.Errorf("read the compose schema: %w", err)
	}
	compiler.RegisterFormat(&jsonschema.Format{Name: "duration", Validate: duration})
	return compiler.Compile("compose-spec.json")
}

func duration(in any) error {
	text, ok := in.(string)
	if !ok {
		return errors.New("expected text")
	}
	_, err := time.ParseDuration(text)
	return err
}

// checkSchema holds every file against the schema, and cuts out what fails.
// compose-go validates only the merged model and stops at the first problem;
// here each file answers for its own lines.
func (l *loading) checkSchema() {
	spec, err := composeDialect()
	if err != nil {
		l.errorAt(diag.Pos{}, "", "compose-internal", "", "%s", err)
		return
	}
	for _, s := range slices.Concat(l.order, l.sources()) {
		for _, doc := range s.docs {
			l.cast(s, doc, "", tree.NewPath())
			l.checkDocument(spec, s, doc)
			l.checkShortForms(s, doc)
			dropEmptyPids(doc)
		}
	}
}

// maxRounds bounds the passes over one document: what hides behind a problem is
// seen once the problem is cut out.
const maxRounds = 20

func (l *loading) checkDocument(by *documentDialect, s *source, doc *yaml.Node) {
	for range maxRounds {
		model, err := asJSON(plain(doc))
		if err != nil {
			l.errorAt(diag.Pos{File: s.name}, "", "compose-internal", "", "%s", err)
			return
		}
		var invalid *jsonschema.ValidationError
		if !errors.As(by.schema.Validate(model), &invalid) {
			return
		}
		if !l.reportSchema(s, doc, by.problems(invalid)) {
			return
		}
	}
}

// dropEmptyPids takes out each pid without a value: the schema allows it, and
// compose-go panics.
func dropEmptyPids(doc *yaml.Node) {
	for _, service := range diag.Entries(diag.Entry(doc, "services")) {
		if pid := diag.Entry(service, "pid"); pid != nil && pid.Tag == "!!null" {
			removeEntry(service, "pid")
		}
	}
}

func asJSON(model any) (any, error) {
	text, err := json.Marshal(model)
	if err != nil {
		return nil, fmt.Errorf("write the file as JSON: %w", err)
	}
	return jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
}

// reportSchema reports problems at their nodes, and then removes the nodes: while all are
// in place, the numbers of list items hold. It reports whether any was removed.
func (l *loading) reportSchema(s *source, doc *yaml.Node, problems []schemaProblem) bool {
	var cuts [][2]*yaml.Node
	for _, p := range problems {
		key, value, parent, path := locate(doc, p.place)
		if value == nil {
			continue
		}
		at := value
		if p.unknown || value.Kind != yaml.ScalarNode {
			at = key
		}
		if p.missing != nil {
			l.reportMissing(l.place(s, at), path, p)
			continue
		}
		if p.few && l.prunedBelow(path) {
			continue
		}
		l.errorAt(l.place(s, at), path, p.code, p.hint, "%s", p.message)
		l.prune(path)
		cuts = append(cuts, [2]*yaml.Node{parent, value})
	}
	for _, cut := range cuts {
		removeNode(cut[0], cut[1])
	}
	return len(cuts) > 0
}

// reportMissing reports keys that a mapping needs, but for those that are not there
// as they were cut out.
func (l *loading) reportMissing(at diag.Pos, path diag.Path, p schemaProblem) {
	names := slices.DeleteFunc(slices.Clone(p.missing), func(name string) bool { return l.prunedBelow(path.Key(name)) })
	switch len(names) {
	case 0:
	case 1:
		l.errorAt(at, path, p.code, "", "needs the key %s", names[0])
	default:
		l.errorAt(at, path, p.code, "", "needs the keys %s", strings.Join(names, ", "))
	}
}

// locate follows a JSON pointer through the nodes.
func locate(doc *yaml.Node, place []string) (key, value, parent *yaml.Node, path diag.Path) {
	key, value = doc, doc
	for _, step := range place {
		parent = value
		switch parent.Kind {
		case yaml.MappingNode:
			key, value = diag.EntryNodes(parent, step)
			path = path.Key(step)
		case yaml.SequenceNode:
			var i int
			if _, err := fmt.Sscanf(step, "%d", &i); err != nil || i >= len(parent.Content) {
				return nil, nil, nil, path
			}
			key, value = parent.Content[i], parent.Content[i]
			path = path.Index(i)
		default:
			return nil, nil, nil, path
		}
		if value == nil {
			return nil, nil, nil, path
		}
	}
	return key, value, parent, path
}

// removeNode takes a value out of the mapping or list that holds it.
func removeNode(parent, value *yaml.Node) {
	if parent == nil {
		return
	}
	i := slices.Index(parent.Content, value)
	switch {
	case i < 0:
	case parent.Kind == yaml.MappingNode:
		parent.Content = slices.Delete(parent.Content, i-1, i+1)
	default:
		parent.Content = slices.Delete(parent.Content, i, i+1)
	}
}

// validKeys lists the keys that the Compose Specification knows below a place.
func validKeys(place []string) []string {
	var names []string
	for _, attribute := range schema.AttributePaths() {
		parts := attribute.Parts()
		if len(parts) != len(place)+1 || parts[len(place)] == tree.PathMatchAll || parts[len(place)] == tree.PathMatchList {
			continue
		}
		if matchesPlace(parts[:len(place)], place) {
			names = append(names, parts[len(place)])
		}
	}
	return names
}

func matchesPlace(pattern, place []string) bool {
	for i, part := range pattern {
		if part != tree.PathMatchAll && part != tree.PathMatchList && part != place[i] {
			return false
		}
	}
	return true
}
