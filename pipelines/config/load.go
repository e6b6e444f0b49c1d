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

// Options are the arguments of Load.
type Options struct {
	// File is pipeline.yaml, or a compose file with a section x-cicd.
	File string
	// Untrusted means that the files are read in a pipeline: findings that a person
	// could still correct are errors.
	Untrusted bool
	// Unreleased means that even then applications may have no image yet.
	Unreleased bool
}

// section is the key of pipeline.yaml's content in a compose file.
const section = "x-cicd"

// pipelineSchema compiles the schema of pipeline.yaml once.
var pipelineSchema = sync.OnceValues(func() (*load.DocumentSchema, error) {
	return load.NewDocumentSchema(schema.Pipeline, "pipeline-schema", "pipeline.yaml")
})

// Load reads a pipeline.yaml with the files that it includes. The diagnostics are sorted
// and cover all errors of the file alone; Check compares it with the compose files. The
// configuration is nil if there are errors.
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

// loading holds the state of one Load.
type loading struct {
	*load.Document
	opts   Options
	file   file
	config *Config
	// used has the accounts and connections that are referred to.
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

// include adds the content of other files to Apps and Accounts.
func (l *loading) include() {
	l.includeInto("Apps", l.Root, "Include", "Include")
	if accounts := entry(l.Root, "Accounts"); accounts != nil {
		l.includeInto("Accounts", accounts, "Include", "Accounts.Include")
	}
}

// includeInto adds the entries of the files that a key names to a section, and
// removes the key.
func (l *loading) includeInto(name string, parent *yaml.Node, key string, path compose.Path) {
	patterns := entry(parent, key)
	if patterns == nil || !textual(patterns) {
		return // the schema reports that it must be text
	}
	into := entry(l.Root, name)
	if into == nil {
		at, _ := entryNodes(parent, key)
		into = mapping(at)
		l.Root.Content = append(l.Root.Content, label(at, name), into)
	}
	removeEntry(parent, key)
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

// refused lists settings of other designs that this one leaves out on purpose.
var refused = []struct {
	path, value     string
	message, advice string
}{
	{"Names", "", "names follow conventions, which stacks of several accounts share", "leave it out: see docs/decisions/pipeline-file.md"},
	{"Compose.Images.Handoff", "variables", "digests are handed over by git or s3, where they stay readable after the run", "write git: see docs/decisions/pipeline-file.md"},
}

func (l *loading) refuse() {
	for _, r := range refused {
		parent, key := l.Root, r.path
		for {
			first, rest, below := strings.Cut(key, ".")
			if !below {
				break
			}
			parent, key = entry(parent, first), rest
		}
		at, value := entryNodes(parent, key)
		if value == nil || r.value != "" && value.Value != r.value {
			continue
		}
		if r.value != "" {
			at = value
		}
		l.errorAt(at, compose.Path(r.path), "pipeline-refused", r.advice, "%s", r.message)
		removeEntry(parent, key)
	}
}

// accountNumbers reports account ids that YAML reads as numbers, with a leading zero
// even as octal, and how to quote them.
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

// mergeDefaults adds Defaults to every application, which wins.
func (l *loading) mergeDefaults() {
	defaults := entry(l.Root, "Defaults")
	removeEntry(l.Root, "Defaults")
	for _, app := range entries(entry(l.Root, "Apps")) {
		if app.Kind == yaml.ScalarNode { // an application without settings: "name:"
			app.Kind, app.Tag, app.Value = yaml.MappingNode, "!!map", ""
		}
		merge(app, defaults)
	}
}

// alternatives lists keys that exclude each other: a default yields to another choice of
// the application.
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

// merge adds the missing keys of a mapping from defaults. Lists are not merged.
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
