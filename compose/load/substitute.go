package load

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"composecdk/compose/diag"
)

// substituted is a text with its variables replaced, and what went wrong.
type substituted struct {
	text     string
	unset    []string // variables that were replaced by nothing
	required []string // messages of ${NAME:?message}
	invalid  string   // the piece that is no variable; "" when all are
	names    []string // all that were asked for
	length   int      // of their values
	tooLong  bool     // so that no more was put in
	depth    int      // of defaults within defaults
}

// maxNesting is how deep defaults may stand within defaults: each level reads the
// rest of the text again.
const maxNesting = 20

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
	// cloudFormation is what only CloudFormation can fill in.
	cloudFormation = regexp.MustCompile(`^\$\{AWS::[A-Za-z]+\}`)
	// literalName is the ${!Name} of Fn::Sub: the text ${Name}.
	literalName = regexp.MustCompile(`^\$\{!([^{}]*)\}`)
	// attribute is a placeholder of Fn::Sub that no compose variable can be.
	attribute = regexp.MustCompile(`^\$\{[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)+\}`)
)

// substitute replaces the variables of a text by the rules of the Compose
// Specification. ${AWS::Region} stays as it is, ${!Name} becomes ${Name}, and
// within Fn::Sub (inSub) ${Name.Attribute} stays too.
func substitute(s string, env types.Mapping, inSub bool) substituted {
	var out substituted
	out.replace(s, env, inSub)
	return out
}

// replace makes the text of s.
func (out *substituted) replace(s string, env types.Mapping, inSub bool) {
	var b strings.Builder
	for s != "" {
		i := strings.IndexByte(s, '$')
		if i < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		value, used := out.variable(s, env, inSub)
		b.WriteString(value)
		s = s[used:]
	}
	out.text = b.String()
}

// variable reads what follows a $ and answers with its value and length.
func (out *substituted) variable(s string, env types.Mapping, inSub bool) (value string, used int) {
	if strings.HasPrefix(s, "$$") {
		return "$", 2
	}
	if m := cloudFormation.FindString(s); m != "" {
		return m, len(m)
	}
	if m := literalName.FindStringSubmatch(s); m != nil {
		return "${" + m[1] + "}", len(m[0])
	}
	if m := attribute.FindString(s); m != "" && inSub {
		return m, len(m)
	}
	if !strings.HasPrefix(s, "${") {
		name := variableName.FindString(s[1:])
		if name == "" {
			return "$", 1
		}
		return out.lookup(name, env), 1 + len(name)
	}
	end := closingBrace(s)
	if end < 0 {
		out.reject(s)
		return "", len(s)
	}
	body := s[2:end]
	name := variableName.FindString(body)
	if name == "" {
		out.reject(s[:end+1])
		return "", end + 1
	}
	if name == body {
		return out.lookup(name, env), end + 1
	}
	value, ok := out.operator(name, body[len(name):], env, inSub)
	if !ok {
		out.reject(s[:end+1])
	}
	return value, end + 1
}

func (out *substituted) reject(piece string) {
	if out.invalid == "" {
		out.invalid = piece
	}
}

func (out *substituted) lookup(name string, env types.Mapping) string {
	value, ok := out.value(name, env)
	if !ok {
		out.unset = append(out.unset, name)
	}
	return value
}

// value returns the value of a variable, as long as the text does not become too long.
func (out *substituted) value(name string, env types.Mapping) (value string, ok bool) {
	out.names = append(out.names, name)
	value, ok = env[name]
	if out.length += len(value); out.length > maxText {
		out.tooLong = true
		return "", ok
	}
	return value, ok
}

// operator applies -word, +word or ?word, which a colon makes to treat an empty
// value as an unset one.
func (out *substituted) operator(name, rest string, env types.Mapping, inSub bool) (value string, ok bool) {
	value, set := out.value(name, env)
	if strings.HasPrefix(rest, ":") {
		rest = rest[1:]
		set = set && value != ""
	}
	if rest == "" {
		return "", false
	}
	word := rest[1:]
	switch rest[0] {
	case '-':
		if set {
			return value, true
		}
		return out.nested(word, env, inSub), true
	case '+':
		if !set {
			return "", true
		}
		return out.nested(word, env, inSub), true
	case '?':
		if set {
			return value, true
		}
		message := fmt.Sprintf("variable %s must be set", name)
		if word != "" {
			message += ": " + out.nested(word, env, inSub)
		}
		out.required = append(out.required, message)
		return "", true
	default:
		return "", false
	}
}

func (out *substituted) nested(word string, env types.Mapping, inSub bool) string {
	if out.depth == maxNesting {
		out.reject(diag.Shorten(word))
		return ""
	}
	inner := substituted{depth: out.depth + 1}
	inner.replace(word, env, inSub)
	out.names = append(out.names, inner.names...)
	out.length += inner.length
	out.tooLong = out.tooLong || inner.tooLong
	out.unset = append(out.unset, inner.unset...)
	out.required = append(out.required, inner.required...)
	if inner.invalid != "" {
		out.reject(inner.invalid)
	}
	return inner.text
}

// closingBrace finds the } that ends the ${ at the start of s, or -1.
func closingBrace(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			depth--
			if depth == 0 {
				return i
			}
		}
	}
	return -1
}
