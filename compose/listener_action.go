package compose

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"composecdk/compose/diag"
)

// teapot answers requests that no rule and no default is for.
func teapot() Action {
	const status = 418
	return Action{Fixed: &FixedResponse{Status: status, ContentType: "application/json", Body: `{"Info":"Be our guest"}`}}
}

func forward(g *TargetGroup) Action {
	return Action{Forward: []WeightedTarget{{TargetGroup: g.Name, Weight: 1}}}
}

// elbv2Redirect is CloudFormation's redirect configuration.
type elbv2Redirect struct {
	Protocol, Port, Host, Path, Query, StatusCode string
}

var predefinedRedirects = []string{"HTTP_TO_HTTPS", "TEA_POT"}

// defaultActions reads {Redirect: …} or CloudFormation actions.
func (r *resolver) defaultActions(l *Listener, path Path, actions []map[string]any) {
	for i, action := range actions {
		at := path.Index(i)
		redirect, ok := action["Redirect"]
		switch {
		case ok && len(actions) > 1:
			r.Errorf(at, "listener-action", "a redirect is the only action of its listener")
			return
		case ok:
			for _, key := range slices.Sorted(maps.Keys(action)) {
				if key != "Redirect" {
					r.Errorf(at.Key(key), "key-unknown", "%q is not a key beside Redirect", key)
				}
			}
			r.redirect(l, at.Key("Redirect"), redirect)
		case action["Type"] == nil:
			r.Errorf(at, "listener-action", "a default action is {Redirect: …}, or a CloudFormation action with a Type")
		default:
			r.readValue(at, action)
			l.Default.Raw = append(l.Default.Raw, action)
		}
	}
}

func (r *resolver) redirect(l *Listener, path Path, value any) {
	switch value {
	case "HTTP_TO_HTTPS":
		l.Default.Redirect = &Redirect{Protocol: "HTTPS", Port: "443", Permanent: true}
		if l.secure() {
			r.Errorf(path, "redirect", "the listener speaks HTTPS already")
		}
		return
	case "TEA_POT":
		l.Default = teapot()
		return
	}
	if text, ok := value.(string); ok {
		r.Unknown(path, "redirect", "a predefined redirect", text, predefinedRedirects)
		return
	}
	var def elbv2Redirect
	if !r.decode(path, value, &def) {
		return
	}
	switch def.StatusCode {
	case "HTTP_301", "HTTP_302":
	default:
		r.Unknown(path.Key("StatusCode"), "redirect", "a status of a redirect", def.StatusCode, []string{"HTTP_301", "HTTP_302"})
	}
	l.Default.Redirect = &Redirect{
		Protocol: def.Protocol, Port: def.Port, Host: def.Host, Path: def.Path, Query: def.Query,
		Permanent: def.StatusCode == "HTTP_301",
	}
	if def.Protocol+def.Port+def.Host+def.Path == "" {
		r.Errorf(path, "redirect", "the redirect leads back to the same address")
	}
}

// redirectTargets warns where HTTP is redirected to a port that nobody serves.
func (r *resolver) redirectTargets(lb *LoadBalancer) {
	for _, l := range lb.Listeners {
		to := l.Default.Redirect
		if to == nil || to.Protocol != "HTTPS" || to.Port != "443" || to.Host != "" || lb.Lookup != nil {
			continue
		}
		if !slices.ContainsFunc(lb.Listeners, func(l *Listener) bool { return l.Port == 443 && l.Protocol == "HTTPS" }) {
			r.Warnf(l.Path, "redirect-target", "requests are redirected to HTTPS on port 443, where load balancer %q has no HTTPS listener", lb.Name)
		}
	}
}

// authConfigs are the keys of CloudFormation's authentication actions.
var authConfigs = map[string][]string{
	"AuthenticateOidcConfig": {
		"AuthenticationRequestExtraParams", "AuthorizationEndpoint", "ClientId", "ClientSecret", "Issuer", "OnUnauthenticatedRequest",
		"Scope", "SessionCookieName", "SessionTimeout", "TokenEndpoint", "UseExistingClientSecret", "UserInfoEndpoint",
	},
	"AuthenticateCognitoConfig": {
		"AuthenticationRequestExtraParams", "OnUnauthenticatedRequest", "Scope", "SessionCookieName", "SessionTimeout",
		"UserPoolArn", "UserPoolClientId", "UserPoolDomain",
	},
}

// authentication returns the action that comes before a target, or none.
func (r *resolver) authentication(l *Listener, path Path, t elbv2Target, isDefault bool) []map[string]any {
	if t.CreateCognitoClient != nil {
		r.unsupported(path.Key("CreateCognitoClient"), "x-cognito_userpool", "clients of a user pool")
	}
	var actions []map[string]any
	for _, auth := range []struct {
		kind, key string
		config    map[string]any
	}{
		{"authenticate-oidc", "AuthenticateOidcConfig", t.AuthenticateOidcConfig},
		{"authenticate-cognito", "AuthenticateCognitoConfig", t.AuthenticateCognitoConfig},
	} {
		if auth.config == nil {
			continue
		}
		at := path.Key(auth.key)
		if l.Protocol != "HTTPS" {
			r.Errorf(at, "auth-needs-https", "only a listener of protocol HTTPS can authenticate, and this one speaks %s; give it a certificate", l.Protocol)
			continue
		}
		actions = append(actions, map[string]any{"Type": auth.kind, "Order": 1, auth.key: r.authConfig(at, auth.key, auth.config, isDefault)})
	}
	if len(actions) > 1 {
		r.Errorf(path, "auth-twice", "a target authenticates with OIDC or with Cognito, not with both")
	}
	return actions
}

// authConfig checks the configuration of an authentication. Unknown keys are
// left out with a warning, because the reference ignores them.
func (r *resolver) authConfig(path Path, kind string, written map[string]any, isDefault bool) map[string]any {
	config := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(written)) {
		if !slices.Contains(authConfigs[kind], key) {
			r.Add(Warning, path.Key(key), "key-unknown", diag.DidYouMean(key, authConfigs[kind]),
				fmt.Sprintf("%q is not a key of %s; it is left out", key, kind))
			continue
		}
		config[key] = written[key]
		r.readValue(path.Key(key), written[key])
	}
	if secret, ok := config["ClientSecret"].(string); ok && !strings.Contains(secret, "{{resolve:") {
		r.Add(Warning, path.Key("ClientSecret"), "secret-in-file",
			"keep it in Secrets Manager: ClientSecret: '{{resolve:secretsmanager:name:SecretString:key}}'",
			"the client secret stands in the file, and so in the template")
	}
	words := []string{"allow", "authenticate", "deny"}
	if word, ok := config["OnUnauthenticatedRequest"].(string); ok && !slices.Contains(words, word) {
		r.Unknown(path.Key("OnUnauthenticatedRequest"), "auth", "an answer to unauthenticated requests", word, words)
	}
	// CloudFormation wants text in a listener and a number in a rule.
	if n, ok := diag.Number(config["SessionTimeout"]); ok {
		config["SessionTimeout"] = int(n)
		if isDefault {
			config["SessionTimeout"] = strconv.Itoa(int(n))
		}
	}
	return config
}
