package load

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"composecdk/compose/diag"
	"composecdk/secretscan"
)

// withheld are the variables of the process that the files must not use, and why.
type withheld map[string]string

// credential looks like the name of a variable that holds a credential, or that
// tells of the machine that deploys. On AWS a task has a role of its own, and what
// gets into a template is in CloudFormation for ever.
var credential = regexp.MustCompile(`(?i)^(?:AWS|CODEBUILD|GITHUB)_|TOKEN|SECRET|PASSW|PASSPHRASE|CRED|KEY|BEARER|JWT|COOKIE|SIGNATURE|PRIVATE|` +
	`PGPASS|(?:^|_)PASS(?:$|_|FILE)|(?:^|_)PIN$|_PWD(?:$|_)|(?:^|_)AUTH(?:$|_)`)

// Credential reports whether a variable looks like a credential of the process.
func Credential(name string) bool { return credential.MatchString(name) }

// credentialLike is why variables are withheld from all files.
const credentialLike = "looks like a credential"

// withholds tells why the files must not use a variable of the process; "" where
// they may.
func (o Options) withholds(name, value string) string {
	allowed := slices.Contains(o.Allow, name)
	secret := Credential(name) || secretscan.Text(value) != "" || secretscan.Named(name, value) != ""
	switch {
	case secret && (!allowed || o.Untrusted):
		return credentialLike
	case o.Untrusted && !allowed:
		return "is not among those that -c allow names"
	}
	return ""
}

// hint returns what to do about a variable that is withheld.
func (w withheld) hint(name string) string {
	switch {
	case name == "AWS_REGION" || name == "AWS_DEFAULT_REGION":
		return "write x-aws::AWS::Region for the region that is deployed to"
	case w[name] == credentialLike:
		return "declare it below secrets, or set it in .env if it is none"
	}
	return "set it in .env, or let -c allow=" + name + " pass it on"
}

// refused reports whether names are withheld, and those of them that are and that no file sets, and
// tells whether there are any.
func (l *loading) refused(names []string, set map[string]string, at diag.Pos, path diag.Path) bool {
	found := false
	for _, name := range names {
		if _, ok := set[name]; !ok && l.withheld[name] != "" {
			found = true
			l.errorAt(at, path, "variable-refused", l.withheld.hint(name),
				"variable %s is set in the environment, but must not be used: it %s", name, l.withheld[name])
		}
	}
	return found
}

// checkArguments reports the arguments of builds that have no value and so would
// have that of a variable which is withheld: compose-go leaves them out.
func (l *loading) checkArguments() {
	for _, s := range slices.Concat(l.order, l.sources()) {
		for _, doc := range s.docs {
			for k, service := range diag.Entries(diag.Entry(doc, "services")) {
				args := diag.Entry(diag.Entry(service, "build"), "args")
				path := diag.At("services", k.Value, "build", "args")
				for _, n := range scalars(args) {
					if !strings.Contains(n.Value, "=") {
						l.refused([]string{n.Value}, s.env, s.pos(n), path.Key(n.Value))
					}
				}
				for name, value := range diag.Entries(args) {
					if value.Tag == "!!null" {
						l.refused([]string{name.Value}, s.env, s.pos(name), path.Key(name.Value))
					}
				}
			}
		}
	}
}

// forbidden are texts that must not get into a template, wherever they stand: any
// that the function finds something in.
var forbidden = []struct {
	find                func(text string) string
	code, message, hint string
}{
	{
		firstRune(func(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\n\r", r) || r >= 0x7f && r < 0xa0 }),
		"text-control", "the text %s holds a control character, U+%04X", "",
	},
	{
		firstRune(func(r rune) bool { return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 }),
		"text-invisible", "the text %s holds U+%04X, which makes it look like another text", "",
	},
	{
		pattern("{{", `(?i)\{\{\s*resolve\s*:`), "text-dynamic",
		"%s would make CloudFormation read a value of the account into the template", "declare it below secrets, or name an x-resource",
	},
	{
		pattern("{Token[", `[$#]\{Token\[`), "text-token",
		"%s has a meaning of its own for the CDK", "",
	},
}

// firstRune finds the first character of a kind.
func firstRune(of func(r rune) bool) func(text string) string {
	return func(text string) string {
		i := strings.IndexFunc(text, of)
		if i < 0 {
			return ""
		}
		r, _ := utf8.DecodeRuneInString(text[i:])
		return string(r)
	}
}

// pattern finds what an expression matches, which always holds a literal: texts
// can be long.
func pattern(literal, expression string) func(text string) string {
	exp := regexp.MustCompile(expression)
	return func(text string) string {
		if !strings.Contains(text, literal) {
			return ""
		}
		return exp.FindString(text)
	}
}

// checkText reports whether a text may get into a template, and tells of one that must not.
func (l *loading) checkText(text string, at diag.Pos, path diag.Path) bool {
	for _, f := range forbidden {
		found := f.find(text)
		if found == "" || f.code == "text-dynamic" && l.mayResolve(text, path) {
			continue
		}
		args := []any{fmt.Sprintf("%q", diag.Shorten(text))}
		if strings.Contains(f.message, "U+") {
			args = append(args, []rune(found)[0])
		}
		l.errorAt(at, path, f.code, f.hint, f.message, args...)
		return false
	}
	return true
}

// secretReference is a text that is nothing but a dynamic reference to a secret. See
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
var secretReference = regexp.MustCompile(`^\{\{resolve:secretsmanager:[A-Za-z0-9/_+=.@:-]+\}\}$`)

// mayResolve reports whether a text stands where CloudFormation has no other way to
// take a secret, and hands it to AWS alone: the client secret of a listener. Files
// of others might hand it to an identity provider of theirs.
func (l *loading) mayResolve(text string, path diag.Path) bool {
	return !l.untrusted && strings.HasSuffix(string(path), ".AuthenticateOidcConfig.ClientSecret") && secretReference.MatchString(text)
}

// checkName reports whether the key of a mapping may, as checkText does of a text.
func (l *loading) checkName(name string, at diag.Pos, path diag.Path) bool {
	if found := diag.Invisible.FindString(name); found != "" {
		l.errorAt(at, path, "text-invisible", "", "the name %+q holds U+%04X, which nobody sees", diag.Shorten(name), []rune(found)[0])
		return false
	}
	return l.checkText(name, at, path)
}
