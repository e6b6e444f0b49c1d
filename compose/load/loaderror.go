package load

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"composecdk/compose/diag"
)

// problem is a compose-go error, reworded for users.
type problem struct {
	path                diag.Path
	code, message, hint string
	follows             bool // from a problem that is already reported
}

var (
	// validatingFile opens the messages of compose-go's own schema check.
	validatingFile = regexp.MustCompile(`^validating [^:]*: `)
	// leadingPath is a path at the start of a message: services.web.ports.[]: …
	leadingPath = regexp.MustCompile(`^((?:services|networks|volumes|secrets|configs|models|jobs|include)(?:\.[^\s:]+)*):? (.+)$`)
	// pathWithin is a path anywhere in a message.
	pathWithin = regexp.MustCompile(`\b(?:(?:services|networks|volumes|secrets|configs|models|jobs)\.|x-)[^\s:'"]+`)
	// decodedField is how mapstructure names a value: 'services[web].mem_limit'.
	decodedField = regexp.MustCompile(`'((?:services|networks|volumes|secrets|configs|models|jobs)\[[^']*)'`)
	bracketedKey = regexp.MustCompile(`\[([^\]\d][^\]]*)\]`)
	numberedItem = regexp.MustCompile(`\.(\d+)(\.|$)`)
	cannotExtend = regexp.MustCompile(`^cannot extend service "([^"]+)" in [^:]+: (service "([^"]+)" not found.*)$`)
	extendsPath  = regexp.MustCompile(`^extends\.([^\s]+)\.service is required$`)
	alternatives = regexp.MustCompile(`\b\w+(?:\|\w+)+\b`)
	goTypes      = regexp.MustCompile(`\bmap\[string\](?:interface \{\}|any|interface\{\})|\[\](?:interface \{\}|any|interface\{\})`)
)

// rewordings turn messages of compose-go into ours; the first that matches counts.
var rewordings = []struct {
	from     *regexp.Regexp
	to, code string
}{
	{regexp.MustCompile(`^missing propert(?:y|ies) (.+)$`), "needs the key $1", "compose-schema"},
	{regexp.MustCompile(`^one of (.+) must be set$`), "needs one of the keys $1", "compose-invalid"},
	{regexp.MustCompile(`^(.+) attributes are mutually exclusive$`), "$1 exclude each other", "compose-exclusive"},
	{regexp.MustCompile(`^"(.+)" and "(.+)" attributes are exclusive$`), "$1 and $2 exclude each other", "compose-exclusive"},
	{regexp.MustCompile(`^conflicting parameters "(.+)" and "(.+)" specified$`), "$1 and $2 exclude each other", "compose-exclusive"},
	{regexp.MustCompile(`^must be an? (.+)$`), "must be $1", "compose-schema"},
	{regexp.MustCompile(`^invalid mount config for type "bind": field Source must not be empty$`), `a bind mount needs the key "source"`, "compose-invalid"},
	{regexp.MustCompile(`^service ports \S+ is missing a target port$`), `a port needs the number in the container, "target"`, "compose-invalid"},
	{regexp.MustCompile(`^service volume \S+ is missing a mount target$`), `a mount needs the folder in the container, "target"`, "compose-invalid"},
	{regexp.MustCompile(`^the value invalid command line string$`), "a quote is not closed", "compose-invalid"},
	{regexp.MustCompile(`^empty compose file$`), "the files define nothing", "file-empty"},
	{regexp.MustCompile(`^cannot override .+$`), "the files give it values of different kinds", "compose-invalid"},
}

// explain finds the path that an error of compose-go is about, and drops its
// wrapping: internal names, Go types and the names of prepared copies.
func (l *loading) explain(err error) problem {
	text := strings.TrimSuffix(l.cleanText(err.Error()), ": invalid compose project")
	text = validatingFile.ReplaceAllString(text, "")
	text = extendsPath.ReplaceAllString(text, "services.$1.extends: missing property 'service'")
	p := problem{code: "compose-invalid", message: text}
	var fault panicError
	switch {
	case errors.As(err, &fault):
		p.code = "compose-internal"
	case leadingPath.MatchString(text):
		m := leadingPath.FindStringSubmatch(text)
		p.path, p.message = l.known(m[1]), m[2]
	case cannotExtend.MatchString(text):
		m := cannotExtend.FindStringSubmatch(text)
		p.path, p.message = diag.At("services", m[1], "extends"), m[2]
		p.follows = slices.Contains(l.pruned, diag.At("services", m[3]))
	case decodedField.MatchString(text):
		m := decodedField.FindStringSubmatch(text)
		p.path = l.known(bracketedKey.ReplaceAllString(m[1], ".$1"))
		p.message = strings.TrimSpace(decodedField.ReplaceAllString(lastLine(text), "the value"))
	case pathWithin.MatchString(text):
		p.path = l.known(pathWithin.FindString(text))
	case strings.Contains(text, "mount config"):
		p.path = l.bindWithoutSource()
	}
	for _, r := range rewordings {
		if r.from.MatchString(p.message) {
			p.message, p.code = r.from.ReplaceAllString(p.message, r.to), r.code
			break
		}
	}
	p.message = strings.ReplaceAll(p.message, "'", `"`)
	p.message = alternatives.ReplaceAllStringFunc(p.message, func(list string) string {
		return strings.ReplaceAll(list, "|", ", ")
	})
	return p
}

// bindWithoutSource finds the mount that compose-go complains of without a name.
func (l *loading) bindWithoutSource() diag.Path {
	for _, s := range append(l.order[:len(l.order):len(l.order)], l.sources()...) {
		for _, doc := range s.docs {
			for k, service := range diag.Entries(diag.Entry(doc, "services")) {
				volumes := diag.Entry(service, "volumes")
				if volumes == nil {
					continue
				}
				for i, volume := range volumes.Content {
					kind := diag.Entry(volume, "type")
					if kind != nil && kind.Value == "bind" && diag.Entry(volume, "source") == nil {
						return diag.At("services", k.Value, "volumes").Index(i)
					}
				}
			}
		}
	}
	return ""
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimPrefix(strings.TrimSpace(lines[len(lines)-1]), "* ")
}

// known returns the longest part of a path that the files hold.
func (l *loading) known(written string) diag.Path {
	written = strings.ReplaceAll(strings.ReplaceAll(written, ".[]", ""), ".[", "[")
	for numberedItem.MatchString(written) {
		written = numberedItem.ReplaceAllString(written, "[$1]$2")
	}
	path := diag.Path(strings.TrimRight(written, "."))
	for path != "" {
		if _, ok := l.index.Places[path]; ok {
			return path
		}
		path = path.Parent()
	}
	return ""
}

// cleanText removes from a message what its reader cannot know: the names of
// prepared copies and Go types.
func (l *loading) cleanText(text string) string {
	for _, s := range append(l.order[:len(l.order):len(l.order)], l.sources()...) {
		if s.copy != "" {
			text = strings.ReplaceAll(text, s.copy, s.name)
		}
		text = strings.ReplaceAll(text, s.path, s.name)
	}
	if l.temp != "" {
		text = strings.ReplaceAll(text, l.temp, "compose")
	}
	if current, err := os.Getwd(); err == nil {
		text = strings.ReplaceAll(text, current+string(filepath.Separator), "")
	}
	return goTypes.ReplaceAllString(text, "that value")
}
