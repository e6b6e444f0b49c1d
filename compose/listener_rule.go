package compose

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// rule reads the conditions of a target; without any it is the default.
func (r *resolver) rule(l *Listener, path Path, t elbv2Target) *Rule {
	rule := &Rule{Path: path, Priority: t.Priority, Pinned: t.Priority != 0}
	if t.Priority < 0 || t.Priority > lastRule {
		r.Errorf(path.Key("Priority"), "rule-priority", "a priority is 1 to %d", lastRule)
		return nil
	}
	if t.Access != "" && len(t.Conditions) > 0 {
		r.Errorf(path, "access", "a target has access or Conditions, not both")
		return nil
	}
	if !r.access(l, rule, path.Key("access"), t.Access) || !r.conditions(rule, path.Key("Conditions"), t.Conditions) {
		return nil
	}
	return rule
}

var (
	hostPattern = regexp.MustCompile(`^[A-Za-z0-9*?._-]{1,128}$`)
	pathPattern = regexp.MustCompile(`^/[\w$./~"'@:+&*?-]{0,127}$`)
)

// access reads "/", "/path", "host", "host/path" and "host:port/path", and reports whether it could.
func (r *resolver) access(l *Listener, rule *Rule, path Path, text string) bool {
	if text == "" || text == "/" {
		return true
	}
	host, rest, found := strings.Cut(text, "/")
	if host != "" {
		name, port, hasPort := strings.Cut(host, ":")
		if hasPort && port != strconv.Itoa(l.Port) {
			r.Warnf(path, "access-port", "the listener is on port %d; port %s is left out", l.Port, port)
		}
		if !hostPattern.MatchString(name) {
			r.Errorf(path, "access", "%q is not a host name or pattern: write host, host/path or /path", name)
			return false
		}
		rule.Hosts = []string{name}
	}
	if found && rest != "" {
		if !pathPattern.MatchString("/" + rest) {
			r.Errorf(path, "access", "%q is not a path or pattern of at most %d letters, digits and _-.$/~\"'@:+&*?", "/"+rest, longestPath)
			return false
		}
		rule.Paths = []string{"/" + rest}
	}
	return true
}

// conditionFields are CloudFormation's names of the kinds of conditions.
var conditionFields = map[string]string{
	"HostHeaderConfig":        "host-header",
	"HttpHeaderConfig":        "http-header",
	"HttpRequestMethodConfig": "http-request-method",
	"PathPatternConfig":       "path-pattern",
	"QueryStringConfig":       "query-string",
	"SourceIpConfig":          "source-ip",
}

// conditions reads CloudFormation conditions, and reports whether all are right. One mapping may hold several, and
// Field may be left out.
func (r *resolver) conditions(rule *Rule, path Path, conditions []map[string]any) bool {
	ok := true
	for i, c := range conditions {
		at := path.Index(i)
		found := 0
		for _, key := range slices.Sorted(maps.Keys(c)) {
			field, known := conditionFields[key]
			switch {
			case known:
				found++
				rule.addCondition(field, key, c[key])
				r.readValue(at.Key(key), c[key])
			case key == "Values" && c["Field"] != nil:
				found++
				rule.Conditions = append(rule.Conditions, map[string]any{"Field": c["Field"], "Values": c[key]})
				r.readValue(at.Key(key), c[key])
			case key != "Field":
				found++
				r.Unknown(at.Key(key), "key-unknown", "a kind of condition", key, slices.Collect(maps.Keys(conditionFields)))
				ok = false
			}
		}
		if found == 0 {
			r.Errorf(at, "condition-empty", "the condition says nothing")
			ok = false
		}
	}
	const most = 5
	if n := rule.conditionValues(); n > most {
		r.Errorf(path, "condition-values", "a rule has %d values at most in all its conditions, found %d", most, n)
	}
	return ok
}

// addCondition keeps hosts and paths by name, and the rest as it is.
func (r *Rule) addCondition(field, key string, value any) {
	into := map[string]*[]string{"host-header": &r.Hosts, "path-pattern": &r.Paths}[field]
	if values, plain := plainValues(value); plain && into != nil && *into == nil {
		*into = values
		return
	}
	r.Conditions = append(r.Conditions, map[string]any{"Field": field, key: value})
}

// plainValues returns what a condition with nothing but Values lists.
func plainValues(value any) ([]string, bool) {
	m, _ := value.(map[string]any)
	items, ok := m["Values"].([]any)
	if !ok || len(m) != 1 || len(items) == 0 {
		return nil, false
	}
	var values []string
	for _, item := range items {
		text, ok := item.(string)
		if !ok {
			return nil, false
		}
		values = append(values, text)
	}
	return values, true
}

func (r *Rule) conditionValues() int {
	n := len(r.Hosts) + len(r.Paths)
	for _, c := range r.Conditions {
		for _, v := range c {
			if m, ok := v.(map[string]any); ok {
				v = m["Values"]
			}
			if values, ok := v.([]any); ok {
				n += len(values)
			}
		}
	}
	return n
}
