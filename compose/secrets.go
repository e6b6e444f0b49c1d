package compose

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// secretExtension is x-secrets of a top-level secret.
type secretExtension struct {
	Name string
	// Parameter is the name or ARN of a Parameter Store parameter.
	Parameter string
	Lookup    *lookupExtension
	VarName   string
	JsonKeys  []jsonKey //nolint:revive // the key's own spelling
	LinksTo   []string
	// written tells that the file has an x-secrets at all.
	written bool
}

type lookupExtension struct {
	Tags                             any
	Arn, Identifier, RoleArn, Region string
}

type jsonKey struct{ SecretKey, VarName, Transform string }

// The roles that LinksTo names.
const (
	linkExecutionRole = "EcsExecutionRole"
	linkTaskRole      = "EcsTaskRole"
)

// secretVariables turns the secrets of a service into environment variables,
// sorted by name.
func (r *resolver) secretVariables(path Path, s types.ServiceConfig) []SecretVariable {
	var all []SecretVariable
	for _, use := range s.Secrets {
		at := path.Key("secrets").Key(use.Source)
		if _, known := r.project.Secrets[use.Source]; !known {
			continue // Load has reported it
		}
		ext := r.secret(use.Source)
		if !ext.written {
			r.Notef(At("secrets", use.Source), "secret-as-variable",
				"containers get the secret as environment variable %s, not as a file below /run/secrets", ext.variables(use.Source)[0].Name)
		}
		if use.UID != "" || use.GID != "" || use.Mode != nil {
			r.Warnf(at, "secret-file", "the secret becomes a variable, which has no uid, gid or mode")
		}
		for _, v := range ext.variables(use.Source) {
			v.Path = at
			if j := slices.IndexFunc(all, func(o SecretVariable) bool { return o.Name == v.Name }); j >= 0 {
				if all[j].Secret != v.Secret || all[j].JSONKey != v.JSONKey {
					r.Errorf(at, "secret-variable", "secrets %q and %q both become variable %s; set VarName", all[j].Secret, v.Secret, v.Name)
				}
				continue
			}
			all = append(all, v)
		}
	}
	slices.SortFunc(all, func(a, b SecretVariable) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

var notVariable = regexp.MustCompile(`[^A-Za-z0-9]`)

// variableNameOf returns the name in capitals, with _ for all that is no letter or
// digit.
func variableNameOf(name string) string {
	return strings.ToUpper(notVariable.ReplaceAllString(name, "_"))
}

// variables returns the variables that the secret becomes: one, or one for each JSON key.
func (x *secretExtension) variables(name string) []SecretVariable {
	if len(x.JsonKeys) == 0 {
		return []SecretVariable{{Name: cmp.Or(x.VarName, variableNameOf(name)), Secret: name}}
	}
	var all []SecretVariable
	for _, k := range x.JsonKeys {
		all = append(all, SecretVariable{
			Name:    transforms[k.Transform](cmp.Or(k.VarName, k.SecretKey)),
			Secret:  name,
			JSONKey: k.SecretKey,
		})
	}
	return all
}

// transforms are what Transform does to the name of a variable.
var transforms = map[string]func(string) string{
	"":                func(s string) string { return s },
	"capitalize":      capitalize,
	"title":           titled,
	"java_properties": func(s string) string { return strings.ReplaceAll(s, "_", ".") },
}

func capitalize(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + strings.ToLower(s[1:])
}

var word = regexp.MustCompile(`[A-Za-z]+`)

func titled(s string) string { return word.ReplaceAllStringFunc(s, capitalize) }

// secret puts a top-level secret that is used into the model, and returns its
// x-secrets, which is never nil.
func (r *resolver) secret(name string) *secretExtension {
	path := At("secrets", name)
	declared := r.project.Secrets[name]
	ext := &secretExtension{}
	if value, ok := declared.Extensions["x-secrets"]; ok {
		at := path.Key("x-secrets")
		ext.written = true
		r.decode(at, value, ext)
		r.checkSecret(at, ext)
	}
	if slices.ContainsFunc(r.model.Secrets, func(s *Secret) bool { return s.Name == name }) {
		return ext
	}
	s := &Secret{Name: name, Path: path, TaskRole: slices.Contains(ext.LinksTo, linkTaskRole)}
	r.model.Secrets = append(r.model.Secrets, s)
	r.secretSource(s, declared, ext)
	return ext
}

// unusedSecrets notes secrets that no service uses.
func (r *resolver) unusedSecrets() {
	used := map[string]bool{}
	for _, s := range r.model.Secrets {
		used[s.Name] = true
	}
	for _, s := range r.project.Services {
		if s.Build != nil {
			for _, secret := range s.Build.Secrets {
				used[secret.Source] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.project.Secrets)) {
		if !used[name] {
			r.Notef(At("secrets", name), "secret-unused", "no service uses the secret, so nothing is made for it or may read it")
		}
	}
}

// secretSource finds where the value of a secret is kept.
func (r *resolver) secretSource(s *Secret, declared types.SecretConfig, ext *secretExtension) {
	at := s.Path
	external := declared.Name
	if declared.Name == r.project.Name+"_"+s.Name {
		external = "" // compose-go's own name for it
	}
	switch {
	case ext.Lookup != nil:
		if ext.Name != "" {
			r.Warnf(at.Key("x-secrets").Key("Name"), "secret-source", "Lookup finds the secret; Name is left out")
		}
		s.Lookup = &LookupTarget{
			Arn: ext.Lookup.Arn, Identifier: ext.Lookup.Identifier,
			Tags:    r.tagFilter(at.Key("x-secrets").Key("Lookup").Key("Tags"), ext.Lookup.Tags),
			RoleArn: ext.Lookup.RoleArn, Region: ext.Lookup.Region,
			Path: at.Key("x-secrets").Key("Lookup"),
		}
		if s.Lookup.Arn != "" && len(s.Lookup.Tags) == 0 {
			s.External, s.Lookup = s.Lookup.Arn, nil
		}
	case ext.Parameter != "":
		s.External, s.Parameter = ext.Parameter, true
	case ext.Name != "":
		s.External, s.Parameter = ext.Name, isParameterARN(ext.Name)
	case declared.File != "" || declared.Environment != "" || declared.Content != "":
		s.Create = true
		r.Add(Warning, at, "secret-value", "aws secretsmanager put-secret-value --secret-id <arn from the outputs> --secret-string <value>",
			"the secret is created empty: its value is never read from this machine; put it before the services start")
	case external != "" && external != s.Name:
		s.External, s.Parameter = external, isParameterARN(external)
	default:
		s.External = s.Name
		if r.project.KeyPos(at.Key("external")) == r.project.KeyPos(at) { // not written, but added by Load
			r.Add(Warning, at, "secret-external", "say where it is: x-secrets: {Name: …}, or external: true with a name",
				"the secret has no source; one named \""+s.Name+"\" must exist in Secrets Manager")
		}
	}
}

func isParameterARN(name string) bool {
	return strings.HasPrefix(name, "arn:") && strings.Contains(name, ":ssm:")
}

func (r *resolver) checkSecret(path Path, ext *secretExtension) {
	if ext.Name != "" && ext.Parameter != "" {
		r.Errorf(path, "secret-source", "a secret has either a Name or a Parameter")
	}
	for i, k := range ext.JsonKeys {
		at := path.Key("JsonKeys").Index(i)
		if k.SecretKey == "" {
			r.Errorf(at, "secret-key", "SecretKey names no key")
		}
		if _, ok := transforms[k.Transform]; !ok {
			known := slices.DeleteFunc(slices.Collect(maps.Keys(transforms)), func(s string) bool { return s == "" })
			r.Unknown(at.Key("Transform"), "transform-unknown", "a Transform", k.Transform, known)
			ext.JsonKeys[i].Transform = ""
		}
	}
	if len(ext.JsonKeys) > 0 && ext.Parameter != "" {
		r.Errorf(path.Key("JsonKeys"), "secret-key", "a Parameter Store parameter has no JSON keys")
	}
	if len(ext.JsonKeys) > 0 && ext.VarName != "" {
		r.Warnf(path.Key("VarName"), "secret-variable", "with JsonKeys the whole secret becomes no variable; VarName is left out")
	}
	for i, role := range ext.LinksTo {
		if role != linkExecutionRole && role != linkTaskRole {
			r.Unknown(path.Key("LinksTo").Index(i), "role-unknown", "a role", role, []string{linkExecutionRole, linkTaskRole})
		}
	}
}

// tagFilter reads Tags as a mapping, or as a list of mappings of one key, or of
// Key and Value.
func (r *resolver) tagFilter(path Path, value any) map[string]string {
	tags := map[string]string{}
	items, list := value.([]any)
	if !list {
		r.decode(path, value, &tags)
		return tags
	}
	for i, item := range items {
		var tag map[string]string
		if !r.decode(path.Index(i), item, &tag) {
			continue
		}
		if key, ok := tag["Key"]; ok {
			tags[key] = tag["Value"]
			continue
		}
		maps.Copy(tags, tag)
	}
	return tags
}
