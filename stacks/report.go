package stacks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"composecdk/compose"
	"composecdk/constructs/guard"
)

// ReportFile is the name of the report in the folder of the assembly.
const ReportFile = "validation-report.json"

// validationReport is what the CDK's validation writes beside an assembly.
// See https://docs.aws.amazon.com/cdk/v2/guide/policy-validation-synthesis.html
type validationReport struct {
	PluginReports []struct{ Violations []violation }
}

// violation is a finding about one or more constructs.
type violation struct {
	RuleName            string               `json:"ruleName"`
	Description         string               `json:"description"`
	Severity            string               `json:"severity"`
	ViolatingConstructs []violatingConstruct `json:"violatingConstructs"`
}

type violatingConstruct struct {
	ConstructPath          string `json:"constructPath"`
	CloudFormationResource struct {
		PropertyPaths []string `json:"propertyPaths,omitempty"`
	} `json:"cloudFormationResource"`
}

// severe reports whether a finding is an error.
func (v violation) severe() bool { return v.Severity == "error" || v.Severity == "fatal" }

// Places finds where in the compose files a path of the model stands: its value,
// and its key.
type Places interface {
	Pos(compose.Path) compose.Pos
	KeyPos(compose.Path) compose.Pos
}

// unknownProperty is the rule about properties that CloudFormation does not know.
const unknownProperty = "F3002"

// tooManyOutputs is the rule about the number of outputs of a stack.
const tooManyOutputs = "F0004"

// Report reads what the CDK's validation of the templates found, as diagnostics
// at the places of the compose file that the constructs came from. An assembly
// without a report has none.
func Report(assembly string, m *compose.Model, at Places) (compose.Diagnostics, error) {
	return ReportAll(assembly, func(string) (*compose.Model, Places) { return m, at })
}

// ReportAll returns Report for an assembly of several applications: of tells the model of
// the one whose construct has an id, and its places. A nil model is none of them,
// and what is found there has the path of the construct.
func ReportAll(assembly string, of func(application string) (*compose.Model, Places)) (compose.Diagnostics, error) {
	content, err := os.ReadFile(filepath.Join(assembly, ReportFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the validation report: %w", err)
	}
	var report validationReport
	if err := json.Unmarshal(content, &report); err != nil {
		return nil, fmt.Errorf("the validation report: %w", err)
	}
	var found compose.Diagnostics
	for _, plugin := range report.PluginReports {
		for _, v := range plugin.Violations {
			if v.RuleName == tooManyOutputs {
				continue // Limits tells it, with its place
			}
			found = append(found, v.diagnostics(of)...)
		}
	}
	return found.Sort(), nil
}

// diagnostics returns a violation in terms of the compose file: one for each property
// of an x-resource, which is written there as CloudFormation has it, else one for
// the whole construct.
func (v violation) diagnostics(of func(application string) (*compose.Model, Places)) compose.Diagnostics {
	severity := compose.Warning
	if v.severe() {
		severity = compose.Error
	}
	var found compose.Diagnostics
	add := func(pos compose.Pos, path compose.Path, message, hint string) {
		found = append(found, compose.Diagnostic{Pos: pos, Path: path, Severity: severity, Code: "template-" + v.RuleName, Message: readable(message), Hint: hint})
	}
	for i, c := range v.ViolatingConstructs {
		application, _, _ := strings.Cut(c.ConstructPath, "/")
		m, at := of(application)
		if m == nil {
			add(compose.Pos{}, compose.Path(c.ConstructPath), v.Description, "")
			continue
		}
		path := modelPath(m, c.ConstructPath)
		properties := c.CloudFormationResource.PropertyPaths
		if len(properties) == 0 || !strings.HasPrefix(string(path), "x-") && i == 0 {
			add(at.Pos(path), path, v.Description, "")
			continue
		}
		for j, property := range properties {
			name, first := strings.TrimPrefix(property, "Properties."), i == 0 && j == 0
			message, hint := v.message(name, first)
			if !strings.HasPrefix(string(path), "x-") {
				add(at.Pos(path), path, name+": "+message, hint)
				break
			}
			full, find := propertyPath(path, property), at.Pos
			if v.RuleName == unknownProperty {
				find = at.KeyPos
			}
			add(find(full), full, message, hint)
		}
	}
	return found
}

var unexpected = regexp.MustCompile(`^Additional properties are not allowed \('.*' was unexpected(?:\. Did you mean '(.*)'\?)?\)$`)

// violated says what a rule is about, by its number.
var violated = map[string]string{
	"3003": "a property that CloudFormation requires is missing",
	"3012": "the value is of a type that CloudFormation does not accept here",
	"3030": "not one of the values that CloudFormation knows",
	"3031": "the text does not have the form that CloudFormation asks for",
	"3032": "CloudFormation accepts no list of this length",
	"3033": "CloudFormation accepts no text of this length",
	"3034": "the number is outside the range that CloudFormation accepts",
}

// message returns what a violation says of a property. The report has one description
// for all violations of a rule. It names the values of the first, so it must not be
// used for the others.
func (v violation) message(property string, first bool) (message, hint string) {
	message = strings.TrimPrefix(v.Description, property+": ")
	if v.RuleName == unknownProperty {
		key := property[strings.LastIndexByte(property, '.')+1:]
		if m := unexpected.FindStringSubmatch(message); first && m != nil && m[1] != "" {
			hint = fmt.Sprintf("did you mean %q?", m[1])
		}
		return fmt.Sprintf("%q is not a property that CloudFormation knows here", key), hint
	}
	if first {
		return message, ""
	}
	if general, ok := violated[v.RuleName[min(1, len(v.RuleName)):]]; ok {
		return general, ""
	}
	return "the same rule is violated as elsewhere: " + v.Description, ""
}

// longList is a list of so many allowed values that nobody reads it.
var longList = regexp.MustCompile(`\[((?:'[^']*', ){8})(?:'[^']*', )*'[^']*'\]`)

// readable cuts the long lists of values out of a message.
func readable(message string) string { return longList.ReplaceAllString(message, "[${1}…]") }

// modelPath returns the path in the compose model of a construct path
// <Stage>/<Stack>/<x-key>/<name>/… or <Stage>/<Stack>/<family>/….
func modelPath(m *compose.Model, construct string) compose.Path {
	parts := strings.Split(construct, "/")
	if len(parts) < 3 {
		return ""
	}
	parts = parts[2:]
	for _, f := range m.Families {
		if f.Name == parts[0] {
			return f.Path
		}
	}
	switch parts[0] {
	case "x-vpc", "x-cluster":
		return compose.Path(parts[0])
	}
	return compose.At(parts[:min(2, len(parts))]...)
}

var listIndex = regexp.MustCompile(`\.(\d+)`)

// propertyPath returns the path of a CloudFormation property below a resource, whose
// Properties are written in the compose file as CloudFormation has them.
func propertyPath(path compose.Path, property string) compose.Path {
	return path.Key(listIndex.ReplaceAllString(property, "[$1]"))
}

// Exceptions returns the exceptions of the CDK in an error of NewApplication, as
// diagnostics at the places of the compose file.
func Exceptions(err error, at Places) compose.Diagnostics {
	joined := []error{err}
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		joined = list.Unwrap()
	}
	var found compose.Diagnostics
	for _, err := range joined {
		thrown := &guard.Error{Message: err.Error()}
		errors.As(err, &thrown)
		for _, d := range describe(thrown) {
			d.Pos = at.Pos(d.Path)
			found = append(found, d)
		}
	}
	return found.Sort()
}

const wrongTypes = "Supplied properties not correct for "

// describe returns one exception as diagnostics. The CDK tells all the properties of
// wrong types at once, one to a line, those of nested objects further indented.
func describe(thrown *guard.Error) compose.Diagnostics {
	message := strings.TrimPrefix(thrown.Message, "Error: ")
	_, lines, ok := strings.Cut(message, wrongTypes)
	if !ok {
		return compose.Diagnostics{{Path: thrown.At, Code: "construct", Message: firstLine(message)}}
	}
	var found compose.Diagnostics
	var parents []string // property names by depth of indentation
	for _, line := range strings.Split(lines, "\n")[1:] {
		depth := (len(line) - len(strings.TrimLeft(line, " "))) / 2
		name, problem, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || depth < 1 {
			continue
		}
		parents = append(parents[:min(depth-1, len(parents))], capitalised(name))
		if strings.Contains(strings.ToLower(problem), strings.ToLower(wrongTypes)) {
			continue
		}
		path := thrown.At.Key("Properties").Key(strings.Join(parents, "."))
		found = append(found, compose.Diagnostic{Path: path, Code: "property-type", Message: strings.TrimSuffix(problem, ".")})
	}
	return found
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// capitalised returns a property name as CloudFormation writes it; the CDK's own
// begin in lower case.
func capitalised(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(r)) + name[size:]
}
