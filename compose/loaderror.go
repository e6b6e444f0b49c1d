package compose

import (
	"regexp"
	"strings"
)

// problem is an error of compose-go in a person's words.
type problem struct {
	path                Path
	code, message, hint string
}

var (
	// validatingFile opens the messages of compose-go's own schema check.
	validatingFile = regexp.MustCompile(`^validating [^:]*: `)
	// leadingPath is a path at the start of a message: services.web.ports.[]: …
	leadingPath = regexp.MustCompile(`^((?:services|networks|volumes|secrets|configs|models|jobs|include)(?:\.[^\s:]+)*):? (.+)$`)
	// pathWithin is a path anywhere in a message.
	pathWithin = regexp.MustCompile(`\b(?:services|networks|volumes|secrets|configs|models|jobs)\.[^\s:'"]+`)
	// decodedField is how mapstructure names a value: 'services[web].mem_limit'.
	decodedField = regexp.MustCompile(`'((?:services|networks|volumes|secrets|configs|models|jobs)\[[^']*)'`)
	bracketedKey = regexp.MustCompile(`\[([^\]\d][^\]]*)\]`)
	numberedItem = regexp.MustCompile(`\.(\d+)(\.|$)`)
	goTypes      = regexp.MustCompile(`\bmap\[string\](?:interface \{\}|any|interface\{\})|\[\](?:interface \{\}|any|interface\{\})`)
)

// explain finds the path that an error of compose-go is about, and drops its
// wrapping: internal names, Go types and the names of prepared copies.
func (l *loading) explain(err error) problem {
	text := strings.TrimSuffix(l.cleanText(err.Error()), ": invalid compose project")
	text = validatingFile.ReplaceAllString(text, "")
	p := problem{code: "compose-invalid", message: text}
	switch {
	case leadingPath.MatchString(text):
		m := leadingPath.FindStringSubmatch(text)
		p.path, p.message = l.known(m[1]), m[2]
	case decodedField.MatchString(text):
		m := decodedField.FindStringSubmatch(text)
		p.path = l.known(bracketedKey.ReplaceAllString(m[1], ".$1"))
		p.message = strings.TrimSpace(decodedField.ReplaceAllString(lastLine(text), "the value"))
	case pathWithin.MatchString(text):
		p.path = l.known(pathWithin.FindString(text))
	}
	p.message = strings.ReplaceAll(p.message, "additional properties", "unknown keys")
	return p
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimPrefix(strings.TrimSpace(lines[len(lines)-1]), "* ")
}

// known is the longest part of a path that the files hold.
func (l *loading) known(written string) Path {
	written = strings.ReplaceAll(written, ".[]", "")
	for numberedItem.MatchString(written) {
		written = numberedItem.ReplaceAllString(written, "[$1]$2")
	}
	path := Path(strings.TrimRight(written, "."))
	for path != "" {
		if _, ok := l.index.places[path]; ok {
			return path
		}
		path = path.parent()
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
	return goTypes.ReplaceAllString(text, "that value")
}
