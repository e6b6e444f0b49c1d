package config

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"composecdk/compose"
	"composecdk/compose/load"
	"composecdk/schema"
)

// Options say what to load.
type Options struct {
	// File is pipeline.yaml, or a compose file with a section x-cicd.
	File string
	// Untrusted says that this is a pipeline: what a person could still make good is
	// an error.
	Untrusted bool
	// Unreleased says that even so applications may have no image yet.
	Unreleased bool
}

// section holds the same object in a compose file.
const section = "x-cicd"

// pipelineSchema is the schema of pipeline.yaml, compiled once.
var pipelineSchema = sync.OnceValues(func() (*load.DocumentSchema, error) {
	return load.NewDocumentSchema(schema.Pipeline, "pipeline-schema", "pipeline.yaml")
})

// Load reads a pipeline.yaml with the files that it includes. The diagnostics are
// sorted and all that is wrong with it alone; Check tells what is wrong in view of
// the compose files. The configuration is nil where there are errors.
func Load(opts Options) (*Config, compose.Diagnostics) {
	l := &loading{Document: load.OpenDocument(load.DocumentOptions{File: opts.File, What: "pipeline.yaml", Key: "Name and Apps"}), opts: opts}
	if l.Root == nil {
		return nil, l.Found()
	}
	c := l.load()
	found := l.Found()
	if found.HasErrors() {
		return nil, found
	}
	return c, found
}

// loading is the state of one Load.
type loading struct {
	*load.Document
	opts   Options
	file   file
	config *Config
	// used are the accounts and connections that something refers to.
	used map[compose.Path]bool
}

func (l *loading) load() *Config {
	if inner := entry(l.Root, section); inner != nil && !l.unwrap(inner) {
		return nil
	}
	l.include()
	l.refuse()
	l.accountNumbers()
	compiled, err := pipelineSchema()
	if err != nil {
		l.Report(compose.Error, "", "pipeline-internal", "", "%s", err)
		return nil
	}
	l.Validate(compiled)
	l.texts("", l.Root, nil)
	l.roleTypes()
	l.mergeDefaults()
	l.Index()
	l.Decode(&l.file)
	l.expand()
	l.check()
	return l.config
}

// unwrap reports whether it could make the section of a compose file the whole document. A pipeline.yaml
// may have the section too, and then holds nothing else.
func (l *loading) unwrap(inner *yaml.Node) bool {
	for key := range entries(l.Root) {
		if entry(l.Root, "services") == nil && entry(l.Root, "include") == nil && !strings.HasPrefix(key.Value, "x-") {
			l.errorAt(key, compose.Path(key.Value), "pipeline-section", "move it below "+section,
				"%q stands beside %s, and is not read", key.Value, section)
		}
	}
	if inner.Kind != yaml.MappingNode {
		l.errorAt(inner, section, "pipeline-section", "", "%s is a mapping with keys such as Name and Apps", section)
		return false
	}
	l.Root = inner
	return true
}

func (l *loading) errorAt(n *yaml.Node, path compose.Path, code, hint, format string, args ...any) {
	l.ReportAt(l.Place(n), path, compose.Error, code, hint, fmt.Sprintf(format, args...))
}

// include adds what other files hold to Apps and Accounts.
func (l *loading) include() {
	l.includeInto("Apps", l.Root, "Include", "Include")
	if accounts := entry(l.Root, "Accounts"); accounts != nil {
		l.includeInto("Accounts", accounts, "Include", "Accounts.Include")
	}
}

// includeInto adds the entries of the files that a key names to a section, and
// removes the key.
func (l *loading) includeInto(name string, holder *yaml.Node, key string, path compose.Path) {
	patterns := entry(holder, key)
	if patterns == nil || !textual(patterns) {
		return // the schema tells that it must be text
	}
	into := entry(l.Root, name)
	if into == nil {
		at, _ := entryNodes(holder, key)
		into = mapping(at)
		l.Root.Content = append(l.Root.Content, label(at, name), into)
	}
	removeEntry(holder, key)
	for _, pattern := range items(patterns) {
		for _, root := range l.Include(pattern, path) {
			for k, v := range entries(root) {
				if first, _ := entryNodes(into, k.Value); first != nil {
					l.errorAt(k, compose.At(name, k.Value), "name-twice", "", "%q is already at %s", k.Value, l.Place(first))
					continue
				}
				if into.Kind == yaml.MappingNode {
					into.Content = append(into.Content, k, v)
				}
			}
		}
	}
}

// refused are settings of other designs that this one leaves out on purpose.
var refused = []struct {
	path, value     string
	message, advice string
}{
	{"Names", "", "names follow conventions, which stacks of several accounts share", "leave it out: see docs/decisions/pipeline-file.md"},
	{"Compose.Images.Handoff", "variables", "digests are handed over by git or s3, where they stay readable after the run", "write git: see docs/decisions/pipeline-file.md"},
}

func (l *loading) refuse() {
	for _, r := range refused {
		holder, key := l.Root, r.path
		for {
			first, rest, below := strings.Cut(key, ".")
			if !below {
				break
			}
			holder, key = entry(holder, first), rest
		}
		at, value := entryNodes(holder, key)
		if value == nil || r.value != "" && value.Value != r.value {
			continue
		}
		if r.value != "" {
			at = value
		}
		l.errorAt(at, compose.Path(r.path), "pipeline-refused", r.advice, "%s", r.message)
		removeEntry(holder, key)
	}
}

// accountNumbers tells how to quote account ids that YAML takes for numbers, of
// which those with a leading zero would be read as octal.
func (l *loading) accountNumbers() {
	for name, account := range entries(entry(l.Root, "Accounts")) {
		id := entry(account, "Id")
		if id == nil || id.Kind != yaml.ScalarNode || id.Tag == "!!str" || id.Tag == "!!null" {
			continue
		}
		l.errorAt(id, compose.At("Accounts", name.Value, "Id"), "account-number", fmt.Sprintf("write %q", id.Value),
			"an account id is text: as a number it can lose its leading zeros")
		id.Tag, id.Style = "!!str", yaml.DoubleQuotedStyle
	}
}

// roleTypes makes Roles: managed the same as Roles: {Type: managed}.
func (l *loading) roleTypes() {
	for _, account := range entries(entry(l.Root, "Accounts")) {
		for i := 1; i < len(account.Content); i += 2 {
			if roles := account.Content[i]; account.Content[i-1].Value == "Roles" && roles.Kind == yaml.ScalarNode {
				account.Content[i] = mapping(roles)
				account.Content[i].Content = []*yaml.Node{label(roles, "Type"), roles}
			}
		}
	}
}

// mergeDefaults gives every application what Defaults say and it does not.
func (l *loading) mergeDefaults() {
	defaults := entry(l.Root, "Defaults")
	removeEntry(l.Root, "Defaults")
	for _, app := range entries(entry(l.Root, "Apps")) {
		if app.Kind == yaml.ScalarNode { // an application of one line: name:
			app.Kind, app.Tag, app.Value = yaml.MappingNode, "!!map", ""
		}
		merge(app, defaults)
	}
}

// alternatives are the keys that exclude others: a default gives way to another choice
// of the application.
var alternatives = map[string][]string{
	"CodeCommit": {"Connection", "S3", "Ecr"},
	"Connection": {"CodeCommit", "S3", "Ecr"},
	"S3":         {"CodeCommit", "Connection", "Ecr"},
	"Ecr":        {"CodeCommit", "Connection", "S3"},
	"Spec":       {"Test", "Args", "Target"},
	"Test":       {"Spec"},
	"Args":       {"Spec"},
	"Target":     {"Spec"},
}

// merge adds to a mapping what defaults have and it does not. Lists count as a whole.
func merge(into, defaults *yaml.Node) {
	own := map[string]*yaml.Node{}
	for k, v := range entries(into) {
		own[k.Value] = v
	}
	for k, v := range entries(defaults) {
		other := func(key string) bool { return own[key] != nil }
		switch {
		case own[k.Value] == nil && !slices.ContainsFunc(alternatives[k.Value], other):
			into.Content = append(into.Content, k, v)
		case own[k.Value] != nil && own[k.Value].Kind == yaml.MappingNode && v.Kind == yaml.MappingNode:
			merge(own[k.Value], v)
		}
	}
}
