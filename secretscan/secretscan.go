// Package secretscan recognises secrets by their form or name, so that compose files and
// templates are checked by the same rules.
package secretscan

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
)

// Text returns the kind of secret that a text holds in a recognisable form, such as "a
// private key", or "" if it holds none.
func Text(text string) string {
	for _, form := range forms {
		if form.pattern.MatchString(text) && !documented.MatchString(text) {
			return form.what
		}
	}
	return ""
}

// Named returns the kind of secret that a literal text under this name would be, such as "a
// password", or "" if it would be none.
func Named(name, text string) string {
	if harmless.MatchString(text) {
		return ""
	}
	for _, n := range names {
		if n.matches(name, text) {
			return n.what
		}
	}
	return ""
}

// forms lists secrets that are recognisable by their form.
var forms = []struct {
	what    string
	pattern *regexp.Regexp
}{
	{"an AWS access key", regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{16}\b`)},
	{"a private key", regexp.MustCompile(`-----BEGIN ([A-Z]+ )*PRIVATE KEY`)},
	{"a token of GitHub", regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40})`)},
	{"a token of GitLab", regexp.MustCompile(`\bglpat-[A-Za-z0-9_-]{20}`)},
	{"a token of npm", regexp.MustCompile(`\bnpm_[A-Za-z0-9]{36}\b`)},
	{"a token of Slack", regexp.MustCompile(`\bxox[abeoprs]-[A-Za-z0-9-]{10,}`)},
	{"a key of Google", regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{35}\b`)},
	{"a key of Stripe", regexp.MustCompile(`\b[rs]k_live_[A-Za-z0-9]{16,}`)},
	{"a key of OpenAI", regexp.MustCompile(`\bsk-(proj-|svcacct-|ant-)?[A-Za-z0-9_-]*[A-Za-z0-9]{32,}`)},
	{"a key of SendGrid", regexp.MustCompile(`\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{32,}`)},
	{"a token of Hugging Face", regexp.MustCompile(`\bhf_[A-Za-z]{34}\b`)},
	{"a webhook of Slack", regexp.MustCompile(`\bhooks\.slack\.com/services/T\w+/B\w+/\w{16,}`)},
	{"a token of a registry", regexp.MustCompile(`:_authToken=[\w.-]{6,}`)},
	{"a key of an Azure account", regexp.MustCompile(`\bAccountKey=[A-Za-z0-9+/]{16,}`)},
	{"an Authorization header", regexp.MustCompile(`\b(Basic|Bearer) ([A-Za-z0-9+_~]{24,}=*|[A-Za-z0-9+/]{6,}={1,2})`)},
	{"a signed token (JWT)", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}`)},
	{"a password in a URL", regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^\s/?#@:]*:[^\s/?#@$:{}<]+@`)},
	{"a password in a connection string", regexp.MustCompile(`(?i)[;?&](password|pwd)=[^;&\s${<]+`)},
}

// documented matches the example keys of AWS's documentation.
var documented = regexp.MustCompile(`EXAMPLE`)

// harmless matches values that are no secrets under any name: nothing, a switch, an ARN, a
// path, a URL, a reference to another value.
var harmless = regexp.MustCompile(`(?i)^(|true|false|yes|no|on|off|none|null|[01]|enabled|disabled|arn:.*|(file://)?/[\w.@/-]*|\./[\w./-]*|[a-z][a-z0-9+.-]*://.*|\{\{resolve:.*|\$\{?\w+\}?|<[^<>]*>)$`)

// nameForm describes the names of a kind of secret.
type nameForm struct {
	what string
	// end matches the end of the name in lower case, letters only; word matches its last
	// word.
	end, word *regexp.Regexp
	// unless matches harmless values under such a name.
	unless *regexp.Regexp
	// random is true if only a random value counts as a secret.
	random bool
}

var (
	nothing = regexp.MustCompile(`^$`)
	amount  = regexp.MustCompile(`^[0-9.]+[a-z]{0,2}$`)
	// plainName matches the name or path of a secret in a store.
	plainName = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$`)
)

var names = []nameForm{
	{what: "a password", end: regexp.MustCompile(`(password|passwd|passwort|passphrase|passcode|pwd)$`), word: regexp.MustCompile(`^(pass|pw)$`), unless: nothing},
	{what: "a token", end: regexp.MustCompile(`token$`), unless: amount},
	{what: "a secret", end: regexp.MustCompile(`(secret|secretkeybase)$`), unless: plainName},
	{what: "credentials", end: regexp.MustCompile(`(credentials?|creds?|basicauth|htpasswd)$`), unless: plainName},
	{what: "a key", end: regexp.MustCompile(`(api|private|secret|access|encryption|signing)key$`), unless: words},
	{what: "a random key", end: regexp.MustCompile(`(key|salt|auth|seed)$`), unless: words, random: true},
}

func public(word string) bool { return word == "public" || word == "publishable" }

// words matches names of fields and files, and small numbers.
var words = regexp.MustCompile(`^([0-9.]{1,5}|[a-z]+([_.-][a-z]+)*|[A-Z]?[a-z]+([A-Z][a-z]+)*|[A-Z]+(_[A-Z]+)*)$`)

// matches reports whether a name and its value look like this kind of secret.
func (n nameForm) matches(name, value string) bool {
	words := wordsOf(name)
	if len(words) == 0 || slices.ContainsFunc(words, public) || n.unless.MatchString(value) || n.random && !random(value) {
		return false
	}
	return n.end.MatchString(strings.Join(words, "")) || n.word != nil && n.word.MatchString(words[len(words)-1])
}

var (
	camel     = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	separator = regexp.MustCompile(`[^A-Za-z]+`)
)

// wordsOf returns the words of a name in any spelling, in lower case, without digits.
func wordsOf(name string) []string {
	spaced := separator.ReplaceAllString(camel.ReplaceAllString(name, "$1 $2"), " ")
	words := strings.Fields(strings.ToLower(spaced))
	for len(words) > 1 && slices.Contains(fillers, words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	return words
}

// fillers lists words at the end of a name that do not change its meaning.
var fillers = []string{"plain", "plaintext", "raw", "string", "value"}

var oneWord = regexp.MustCompile(`^[A-Za-z0-9+/=_-]{16,512}$`)

// random reports whether a text looks generated: one long word of letters and digits, with
// 3.5 bits or more to a character.
func random(text string) bool {
	if !oneWord.MatchString(text) || !strings.ContainsAny(text, "0123456789") {
		return false
	}
	counts := map[rune]float64{}
	for _, r := range text {
		counts[r]++
	}
	var bits float64
	for _, r := range slices.Sorted(maps.Keys(counts)) {
		p := counts[r] / float64(len(text))
		bits -= p * math.Log2(p)
	}
	return bits >= 3.5
}
