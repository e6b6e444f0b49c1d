package compose

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"composecdk/compose/diag"
	"composecdk/secretscan"
)

// shown is a text that everybody can read who may look at a template, a task
// definition or an image.
type shown struct {
	path Path
	// what it is called, and its name, "" where it has none.
	what, name string
	text       string
}

// shows returns the texts of a service that are shown, by what they are.
func shows(path Path, s types.ServiceConfig, variables []Variable) []shown {
	var all []shown
	for _, v := range variables {
		all = append(all, shown{v.Path, "variable", v.Name, v.Value.shown()})
	}
	add := func(path Path, what string, values map[string]string) {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			all = append(all, shown{path.Key(name), what, name, ParseText(values[name]).shown()})
		}
	}
	if s.Build != nil {
		args := map[string]string{}
		for name, value := range s.Build.Args {
			if value != nil {
				args[name] = *value
			}
		}
		add(path.Key("build").Key("args"), "build argument", args)
	}
	add(path.Key("labels"), "label", s.Labels)
	if s.Logging != nil {
		add(path.Key("logging").Key("options"), "log option", s.Logging.Options)
	}
	lines := map[string][]string{"command": s.Command, "entrypoint": s.Entrypoint}
	if s.HealthCheck != nil {
		lines["healthcheck"] = s.HealthCheck.Test
	}
	for _, key := range slices.Sorted(maps.Keys(lines)) {
		for _, word := range lines[key] {
			all = append(all, shown{path.Key(key), key, "", ParseText(word).shown()})
		}
	}
	return all
}

// shown returns the text with ${} for what only CloudFormation knows.
func (t Text) shown() string {
	var b strings.Builder
	for _, part := range t {
		if part.Literal == "" {
			b.WriteString("${}")
		}
		b.WriteString(part.Literal)
	}
	return b.String()
}

// looksSecret says what a text would be, "" where it looks like no secret. Only
// one that stands in the file as it is can be one by its name.
func (v shown) looksSecret() string {
	if what := secretscan.Text(v.text); what != "" || strings.Contains(v.text, "${}") {
		return what
	}
	return secretscan.Named(v.name, v.text)
}

// plainSecrets reports what looks like a secret and stands in clear text, but for
// what x-ecs.NotSecret names.
func (r *resolver) plainSecrets(path Path, s types.ServiceConfig, variables []Variable) {
	all := shows(path, s, variables)
	or := func(name string) string {
		if r.project.Untrusted {
			return ""
		}
		return "; if it is none, x-ecs: {NotSecret: [" + name + "]}"
	}
	free := r.notSecret(path.Key("x-ecs").Key("NotSecret"), r.ecs(s).NotSecret, all)
	for _, v := range all {
		what := v.looksSecret()
		switch {
		case what == "" || slices.Contains(free, v.name):
		case v.name == "":
			r.Add(Error, v.path, diag.PlainSecret, "let the program take it from a variable that secrets fills in",
				fmt.Sprintf("the %s holds %s, which the template and the console would show", v.what, what))
		case v.what == "variable":
			r.Add(Error, v.path, diag.PlainSecret, secretHint(v.name)+or(v.name),
				fmt.Sprintf("variable %q looks like %s, which the template and the console would show", v.name, what))
		default:
			r.Add(Error, v.path, diag.PlainSecret, "let the container have it by secrets"+or(v.name),
				fmt.Sprintf("the %s %q looks like %s, which everybody could read", v.what, v.name, what))
		}
	}
}

// notSecret returns the names of the service that the file says are no secrets. A name
// that nothing has is a mistake, and untrusted files have no say.
func (r *resolver) notSecret(path Path, names []string, all []shown) []string {
	if len(names) > 0 && r.project.Untrusted {
		r.Add(Error, path, "not-secret-refused", "declare the secrets below secrets, and leave NotSecret out",
			"an untrusted file cannot say that something is no secret")
		return nil
	}
	var known []string
	for _, v := range all {
		if v.name != "" {
			known = append(known, v.name)
		}
	}
	for i, name := range names {
		if name != "" && !slices.Contains(known, name) { // decode has reported what is no text
			r.Unknown(path.Index(i), "variable-unknown", "a variable, build argument, label or log option of the service", name, known)
		}
	}
	return names
}

// notWord is what the names of our secrets do without.
var notWord = regexp.MustCompile(`[^a-z0-9_]+`)

// secretHint shows how a variable gets its value from Secrets Manager.
func secretHint(variable string) string {
	secret := notWord.ReplaceAllString(strings.ToLower(variable), "_")
	extension := "{Name: <the secret in Secrets Manager>}"
	if variableNameOf(secret) != variable {
		extension = "{Name: <the secret in Secrets Manager>, VarName: " + variable + "}"
	}
	return fmt.Sprintf("remove it, add secrets: [%s] to the service, and secrets: {%s: {x-secrets: %s}} to the file; "+
		"a database of x-rds gives its own by SecretsMappings", secret, secret, extension)
}
