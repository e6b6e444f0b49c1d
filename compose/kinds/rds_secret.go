package kinds

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"composecdk/compose"
)

// SecretVariable makes one key of a secret a variable; no key is the whole secret.
type SecretVariable struct{ Key, Variable string }

// mappingsOf lists the variables of a binding, sorted by key, from the
// Services entry, or from Settings for every service.
func mappingsOf(b *compose.Binding) []SecretVariable {
	from := b.Options.(*RDSService).SecretsMappings
	if from.Mappings == nil {
		from = b.Resource.Settings.(*RDSSettings).SecretsMappings
	}
	prefix := ""
	switch p := from.PrefixWithDbName.(type) {
	case bool:
		if p {
			prefix = variableOf(b.Resource.Name) + "_"
		}
	case string:
		prefix = p + "_"
	}
	var mappings []SecretVariable
	add := func(key string, variable any) {
		if name, ok := variable.(string); ok && key != "" {
			mappings = append(mappings, SecretVariable{key, prefix + name})
		}
	}
	switch m := from.Mappings.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(m)) {
			add(key, m[key])
		}
	case []any:
		for _, item := range m {
			fields, _ := item.(map[string]any)
			key, _ := fields["SecretKey"].(string)
			variable, ok := fields["VarName"]
			if !ok {
				variable = strings.ToUpper(key)
			}
			add(key, variable)
		}
	}
	return mappings
}

// ConnectionString stands for the connection string, which is no key of the secret.
const ConnectionString = "(connection string)"

// SecretVariables lists the variables that hold secrets of a binding: those of
// the mappings, or without any the whole secret under the name of the database,
// as ComposeX has it; and the connection string.
func SecretVariables(b *compose.Binding) []SecretVariable {
	options := b.Options.(*RDSService)
	var variables []SecretVariable
	if !options.DoNotExposeMappings {
		if variables = mappingsOf(b); len(variables) == 0 {
			variables = []SecretVariable{{"", variableOf(b.Resource.Name)}}
		}
	}
	if name := options.GenerateConnectionStringSecret; name != "" {
		variables = append(variables, SecretVariable{ConnectionString, name})
	}
	return slices.DeleteFunc(variables, func(m SecretVariable) bool { return slices.Contains(options.taken, m.Variable) })
}

var notVariableName = regexp.MustCompile(`[^A-Za-z0-9_]`)

// variableOf returns the name of a database where a shell can use it.
func variableOf(name string) string { return notVariableName.ReplaceAllString(name, "_") }

// TaskAccess reads GrantTaskAccess: true, or {SecretEnvName: <variable>}.
func TaskAccess(value any) (variable string, granted, ok bool) {
	switch v := value.(type) {
	case nil:
		return "", false, true
	case bool:
		return "", v, true
	case map[string]any:
		variable, ok = v["SecretEnvName"].(string)
		return variable, true, ok && len(v) == 1
	default:
		return "", false, false
	}
}
