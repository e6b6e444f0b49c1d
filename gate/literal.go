package gate

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"composecdk/secretscan"
)

// unlistedSecrets calls each for the values that look like secrets in properties that no row
// of [Resource.plaintexts] covers: a literal under the name of a password, or a secret
// recognisable by its form.
func (r *Resource) unlistedSecrets(each func(place, why string)) {
	listed := r.listedProperties()
	for _, key := range slices.Sorted(maps.Keys(r.Properties)) {
		if !slices.Contains(listed, key) {
			r.Stack.sweep(key, key, r.Properties[key], each)
		}
	}
}

// listedProperties returns the properties that a row covers.
func (r *Resource) listedProperties() []string {
	var keys []string
	add := func(kind string, path []string) {
		if kind == r.Type {
			keys = append(keys, path[0])
		}
	}
	for _, p := range pairs {
		add(p.Type, p.Path)
	}
	for _, p := range tables {
		add(p.Type, p.Path)
	}
	for _, p := range texts {
		add(p.Type, p.Path)
	}
	if r.Type == "AWS::SSM::Parameter" {
		keys = append(keys, "Name", "Value")
	}
	return keys
}

func (s *Stack) sweep(place, name string, v any, each func(place, why string)) {
	switch v := v.(type) {
	case map[string]any:
		pair, value := pairOf(v)
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if pair != "" && key == value {
				s.sweep(place+" "+pair, pair, v[key], each)
			} else {
				s.sweep(place+"."+key, key, v[key], each)
			}
		}
	case []any:
		for _, item := range v {
			s.sweep(place, name, item, each)
		}
	case string:
		if what := secretscan.Text(v); what != "" {
			each(place, "holds "+what)
		} else if what := property(name, v); what != "" {
			each(place, "has the literal text of "+what)
		}
	}
}

// pairOf returns the name in an object of a name and a value, and the key of the value.
func pairOf(v map[string]any) (name, value string) {
	for _, keys := range [][2]string{{"Key", "Value"}, {"Name", "Value"}, {"name", "value"}} {
		name, isText := v[keys[0]].(string)
		if _, ok := v[keys[1]]; isText && ok {
			return name, keys[1]
		}
	}
	return "", ""
}

// notSecret matches the names of tokens that identify requests or pages of an answer.
var notSecret = regexp.MustCompile(`(?i)(client|request|service|next|idempotency|task)token$`)

// property says what kind of secret the literal value of a property looks like, "" if it
// looks like none. A path in a state machine's input begins with a dollar.
func property(name, text string) string {
	if members := membersOf(text); members != nil {
		return secretMember(members)
	}
	if notSecret.MatchString(name) || strings.HasPrefix(text, "$") || dynamic.MatchString(text) {
		return ""
	}
	if what := secretscan.Named(name, text); slices.Contains([]string{"a password", "a token", "a secret"}, what) {
		return what
	}
	return ""
}

// membersOf parses a text as a JSON object, nil if it is none.
func membersOf(text string) map[string]any {
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return nil
	}
	var members map[string]any
	if json.Unmarshal([]byte(text), &members) != nil {
		return nil
	}
	return members
}

// secretMember says what kind of secret a field of an object looks like, "" if none does.
func secretMember(v any) string {
	switch v := v.(type) {
	case map[string]any:
		pair, value := pairOf(v)
		for _, key := range slices.Sorted(maps.Keys(v)) {
			name := key
			if pair != "" && key == value {
				name = pair
			}
			if text, ok := literal(v[key]); ok && !strings.HasPrefix(text, "$") && !notSecret.MatchString(name) {
				if what := secretscan.Named(name, text); what != "" {
					return what
				}
			} else if what := secretMember(v[key]); what != "" {
				return what
			}
		}
	case []any:
		for _, item := range v {
			if what := secretMember(item); what != "" {
				return what
			}
		}
	}
	return ""
}

// assignment matches a literal assignment in a command line, as in --db-password=hunter2 or
// export DB_PASSWORD=hunter2.
var assignment = regexp.MustCompile(`(?:^|[\s;&|"'(])-{0,2}([A-Za-z][\w.-]*)=(?:"([^"$` + "`" + `]+)"|'([^'$]+)'|([^\s"'$` + "`" + `;&|<>(){}%\\=][^\s"'$` + "`" + `;&|<>(){}%\\]*))`)

// assigned returns the first literal secret that a command line assigns, "" if there is
// none.
func assigned(text string) (name, what string) {
	for _, match := range assignment.FindAllStringSubmatch(text, -1) {
		value := match[2] + match[3] + match[4]
		if what := secretscan.Named(match[1], value); what != "" {
			return match[1], what
		}
	}
	return "", ""
}

// commands calls found for each command line that gives a literal secret to a name.
func (r *Resource) commands(found func(place, name, what string)) {
	for _, p := range texts {
		if r.Type != p.Type {
			continue
		}
		for _, item := range each(r.Properties, p.Path...) {
			if name, what := assigned(r.Stack.text(item)); what != "" {
				found(p.What, name, what)
			}
		}
		last := len(p.Path) - 1
		for _, parent := range each(r.Properties, p.Path[:last]...) {
			if name, what := r.Stack.options(list(at(parent, p.Path[last]))); what != "" {
				found(p.What, "--"+name, what)
			}
		}
	}
}

// options returns the first literal secret after an option, as --password and hunter2 in two
// words.
func (s *Stack) options(words []any) (name, what string) {
	for i := range max(0, len(words)-1) {
		option, isOption := strings.CutPrefix(s.text(words[i]), "--")
		value, isText := literal(words[i+1])
		if !isOption || !isText || strings.HasPrefix(value, "-") || strings.ContainsAny(value, "=$") {
			continue
		}
		if what := secretscan.Named(option, value); what != "" {
			return option, what
		}
	}
	return "", ""
}

// specVariables returns the plaintext variables of a buildspec.
func specVariables(spec string) map[string]any {
	var root any
	if yaml.Unmarshal([]byte(spec), &root) != nil {
		return nil
	}
	variables, _ := at(root, "env", "variables").(map[string]any)
	return variables
}
