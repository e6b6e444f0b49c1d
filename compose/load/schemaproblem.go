package load

import (
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"composecdk/compose/diag"
)

// schemaProblem is one finding of the schema, reworded for users.
type schemaProblem struct {
	place   []string // keys and item numbers
	code    string
	message string
	hint    string
	unknown bool // the key is the problem, not its value
	few     bool // items that are not there are the problem

	missing []string // keys that are not there are the problem
}

// problems makes one list of the validator's tree of causes. Of the
// alternatives that a value may take, it reports on the alternative that was meant.
func (by *documentDialect) problems(invalid *jsonschema.ValidationError) []schemaProblem {
	var problems, falseSchema []schemaProblem
	for _, leaf := range leaves(invalid) {
		switch k := leaf.ErrorKind.(type) {
		case *kind.AdditionalProperties:
			for _, name := range slices.Sorted(slices.Values(k.Properties)) {
				problem := by.unknownKey(leaf.InstanceLocation, name)
				if title := by.title(leaf.SchemaURL); title != "" {
					problem.message, problem.hint = fmt.Sprintf("%q is not %s", name, title), ""
				}
				problems = append(problems, problem)
			}
		case *kind.FalseSchema:
			place := leaf.InstanceLocation
			if len(place) == 0 {
				continue
			}
			falseSchema = append(falseSchema, by.unknownKey(place[:len(place)-1], place[len(place)-1]))
		case *kind.Required:
			// what one compose file lacks another may bring: compose-go checks the
			// merged model
			if by.whole {
				problems = append(problems, by.missingKeys(leaf.InstanceLocation, k.Missing))
			}
		default:
			problems = append(problems, by.valueProblem(leaf))
		}
	}
	// where a key's value is wrong, the validator also calls its siblings
	// unknown: only those that really are unknown count
	for _, p := range falseSchema {
		last := len(p.place) - 1
		if !slices.Contains(by.keys(p.place[:last]), p.place[last]) && !strings.HasPrefix(p.place[last], "x-") {
			problems = append(problems, p)
		}
	}
	slices.SortStableFunc(problems, func(a, b schemaProblem) int { return slices.Compare(a.place, b.place) })
	return slices.CompactFunc(problems, func(a, b schemaProblem) bool { return slices.Equal(a.place, b.place) })
}

// leaves returns the causes that a reader can act on.
func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	switch e.ErrorKind.(type) {
	case *kind.OneOf, *kind.AnyOf:
		return bestAlternative(e)
	}
	var all []*jsonschema.ValidationError
	for _, cause := range e.Causes {
		all = append(all, leaves(cause)...)
	}
	return all
}

// bestAlternative picks, among the alternatives for a value, the one of the
// value's own shape; when none has it, the shapes that would do.
func bestAlternative(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	var best []*jsonschema.ValidationError
	var wanted []string
	got := ""
	for _, cause := range e.Causes {
		found := leaves(cause)
		shape := slices.IndexFunc(found, func(leaf *jsonschema.ValidationError) bool {
			_, isType := leaf.ErrorKind.(*kind.Type)
			return isType && len(leaf.InstanceLocation) <= len(e.InstanceLocation)
		})
		if shape >= 0 {
			t, _ := found[shape].ErrorKind.(*kind.Type)
			wanted = append(wanted, t.Want...)
			got = t.Got
			continue
		}
		if best == nil || len(found) < len(best) {
			best = found
		}
	}
	if best != nil {
		return best
	}
	return []*jsonschema.ValidationError{{
		InstanceLocation: e.InstanceLocation, ErrorKind: &kind.Type{Got: got, Want: wanted},
	}}
}

// missingKeys returns about keys that a mapping needs.
func (by *documentDialect) missingKeys(place []string, names []string) schemaProblem {
	return schemaProblem{
		place: place, code: by.code, missing: names,
	}
}

func (by *documentDialect) unknownKey(place []string, name string) schemaProblem {
	below := "at the top level of " + by.file
	if len(place) > 0 {
		below = "under " + place[0]
		if len(place) > 1 {
			below = "here"
		}
	}
	valid := by.keys(place)
	p := schemaProblem{
		place: append(slices.Clone(place), name), code: by.code, unknown: true,
		message: fmt.Sprintf("%q is not a key that %s knows %s", name, by.who, below),
		hint:    by.elsewhere(place, name, valid),
	}
	if len(valid) == 0 {
		p.message = fmt.Sprintf("%q is not a valid name: letters, digits, dots, - and _ are", name)
		p.hint = ""
	}
	return p
}

// elsewhere returns a hint at the key that was meant, or at where the key belongs: in the
// one mapping right below that knows it, or in one around, as where the indentation is
// wrong.
func (by *documentDialect) elsewhere(place []string, name string, valid []string) string {
	if diag.Nearest(name, valid) != "" {
		return diag.DidYouMean(name, valid)
	}
	var below []string
	for _, key := range valid {
		if slices.Contains(by.keys(append(slices.Clone(place), key)), name) {
			below = append(below, key)
		}
	}
	if len(below) == 1 {
		return fmt.Sprintf("it is a key of %q: write it below that", below[0])
	}
	for i := len(place) - 1; i >= 0; i-- {
		if slices.Contains(by.keys(place[:i]), name) {
			return fmt.Sprintf("%q stands higher up: check the indentation", name)
		}
	}
	return diag.DidYouMean(name, valid)
}

// valueProblem words the schema's other rules.
func (by *documentDialect) valueProblem(e *jsonschema.ValidationError) schemaProblem {
	p := schemaProblem{place: slices.Clone(e.InstanceLocation), code: by.code}
	switch k := e.ErrorKind.(type) {
	case *kind.Type:
		p.message = fmt.Sprintf("must be %s, not %s", wantedTypes(k.Want), typeWord(k.Got))
		if slices.Contains(k.Want, "string") && slices.Contains([]string{"number", "integer", "boolean"}, k.Got) {
			p.hint = "put it in quotes"
		}
		if k.Got == "object" && slices.Equal(k.Want, []string{"array"}) {
			p.hint = `begin each item with "- "`
		}
	case *kind.Enum:
		p.message = fmt.Sprintf("%s is not one of the values that %s knows", diag.Describe(k.Got), by.who)
		p.hint = diag.DidYouMean(fmt.Sprint(k.Got), textList(k.Want))
	case *kind.Const:
		p.message = fmt.Sprintf("must be %s, not %s", diag.Describe(k.Want), diag.Describe(k.Got))
	case *kind.Format:
		p.message = fmt.Sprintf("%s is not a %s", diag.Describe(k.Got), k.Want)
		if k.Want == "duration" {
			p.hint = `write a number with its unit, such as "30s" or "1m30s"`
		}
	case *kind.Pattern:
		if title := by.title(e.SchemaURL); title != "" {
			p.message = fmt.Sprintf("%s is not %s", diag.Describe(k.Got), title)
			break
		}
		p.message = fmt.Sprintf("%s does not have the form that %s expects", diag.Describe(k.Got), by.who)
		p.hint = "it must match " + k.Want
	case *kind.UniqueItems:
		p.place = append(p.place, fmt.Sprint(max(k.Duplicates[0], k.Duplicates[1])))
		p.message = fmt.Sprintf("stands in the list twice: it is item %d too", min(k.Duplicates[0], k.Duplicates[1])+1)
	case *kind.Minimum:
		p.message = "must be at least " + k.Want.RatString()
	case *kind.Maximum:
		p.message = "must be at most " + k.Want.RatString()
	case *kind.MinItems:
		p.few, p.message = true, fmt.Sprintf("needs at least %d items", k.Want)
	case *kind.MinLength:
		p.message = "must not be empty"
	case *kind.OneOf:
		p.message = "fits more than one of the forms that " + by.who + " knows"
	default:
		p.message = "does not have the form that " + by.who + " expects"
	}
	return p
}

var typeWords = map[string]string{
	"object": "a mapping", "array": "a list", "string": "text", "number": "a number",
	"integer": "a whole number", "boolean": "true or false", "null": "nothing",
}

func typeWord(name string) string {
	if word := typeWords[name]; word != "" {
		return word
	}
	return name
}

func wantedTypes(names []string) string {
	var words []string
	for _, name := range names {
		if name == "null" && len(names) > 1 {
			continue
		}
		words = append(words, typeWord(name))
	}
	words = slices.Compact(slices.Sorted(slices.Values(words)))
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func textList(values []any) []string {
	var out []string
	for _, v := range values {
		out = append(out, fmt.Sprint(v))
	}
	return out
}
