package xresource

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/service"
)

// Key is a key of the account that encrypts a resource: whoever uses the
// resource needs the key as well.
type Key struct {
	arn cfn.Value
	// alias is the name of the key where only that is known.
	alias *cfn.Value
	// via is the service that may use the key on behalf of the task, "sqs".
	via string
}

// statement allows actions with the key, and only through the service that keeps
// the resource.
func (k *Key) statement(actions []string) service.Statement {
	through := cfn.Join(cfn.Literal(k.via+"."), cfn.Pseudo("AWS::Region"), cfn.Literal(".amazonaws.com"))
	conditions := map[string]any{"StringEquals": map[string]any{"kms:ViaService": through.Token()}}
	if k.alias != nil {
		conditions["ForAnyValue:StringEquals"] = map[string]any{"kms:ResourceAliases": k.alias.Token()}
	}
	return service.Statement{Actions: actions, Resources: []cfn.Value{k.arn}, Conditions: conditions}
}

// keyForm is how a property names a key.
type keyForm int

const (
	awsKey     keyForm = iota // none, or one that AWS manages: nothing is needed
	keyARN                    // arn:…:key/…
	keyAlias                  // alias/…
	keyID                     // the id alone
	unknownKey                // an intrinsic function whose value may be anything
)

// formOfKey reads the beginning of a property that names a key.
func formOfKey(property any) keyForm {
	text, literal := property.(string)
	if !literal && property != nil {
		text = beginning(property)
	}
	switch {
	case property == nil, strings.HasPrefix(text, "alias/aws/"):
		return awsKey
	case strings.HasPrefix(text, "alias/"):
		return keyAlias
	case strings.HasPrefix(text, "arn:") && !strings.Contains(text, ":alias/"):
		return keyARN
	case literal && !strings.HasPrefix(text, "arn:"):
		return keyID
	default:
		return unknownKey
	}
}

// beginning is the text that the value of Fn::Sub or Fn::Join begins with.
func beginning(property any) string {
	function, _ := property.(map[string]any)
	argument := function["Fn::Sub"]
	if list, ok := argument.([]any); ok && len(list) > 0 {
		argument = list[0]
	}
	if join, ok := function["Fn::Join"].([]any); ok && len(join) == 2 {
		if parts, ok := join[1].([]any); ok && len(parts) > 1 {
			first, _ := parts[0].(string)
			delimiter, _ := join[0].(string)
			return first + delimiter
		}
	}
	text, _ := argument.(string)
	return text
}

// checkKey warns where the key of a resource cannot be known, so that services
// cannot be allowed to use it.
func checkKey(c *compose.Checker, path compose.Path, property any) {
	if formOfKey(property) == unknownKey {
		c.Warnf(path, "key-unknown", "services get no permission on this key: name it by its ARN, its id or alias/<name>")
	}
}

// key is the account's key that a property names; nil is none.
func (p *Props) key(property any, via string) (*Key, error) {
	form := formOfKey(property)
	if form == awsKey || form == unknownKey {
		return nil, nil //nolint:nilnil // no key is no error
	}
	name, err := p.text(property)
	if err != nil {
		return nil, err
	}
	keyOf := func(id cfn.Value) cfn.Value {
		return cfn.Arn(cfn.Literal("kms"), cfn.Join(cfn.Literal("key/"), id))
	}
	switch form {
	case keyAlias:
		return &Key{arn: keyOf(cfn.Literal("*")), alias: &name, via: via}, nil
	case keyID:
		return &Key{arn: keyOf(name), via: via}, nil
	default:
		return &Key{arn: name, via: via}, nil
	}
}

// text is a property as one value: a text with references, or an intrinsic
// function.
func (p *Props) text(property any) (cfn.Value, error) {
	resolved, err := p.resolve(property)
	if err != nil {
		return cfn.Value{}, err
	}
	switch v := resolved.(type) {
	case cfn.Value:
		return v, nil
	case string:
		return cfn.Literal(v), nil
	default:
		return cfn.FromToken(awscdk.Token_AsString(tokens(v), nil)), nil
	}
}

// tokens replaces each Value in a property by the CDK's own text for it.
func tokens(in any) any {
	switch v := in.(type) {
	case cfn.Value:
		return *v.Token()
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = tokens(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = tokens(item)
		}
		return out
	default:
		return in
	}
}
