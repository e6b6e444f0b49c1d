package xresource

import (
	"composecdk/compose/kinds"
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
	// admitter admits AWS services to the key; nil where its policy is made elsewhere.
	admitter Admitter
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

// key returns the account's key that the properties of the resource name, or nil.
func (p *Props) key() (*Key, error) {
	property, via := kinds.KeyOf(p.Model)
	form := kinds.FormOfKey(property)
	if form == kinds.AWSKey || form == kinds.UnknownKey {
		return nil, nil //nolint:nilnil // no key is no error
	}
	if form == kinds.KeyReference {
		return p.keyResource(property.(string), via)
	}
	name, err := p.Resolve.One(property)
	if err != nil {
		return nil, err
	}
	keyOf := func(id cfn.Value) cfn.Value {
		return cfn.Arn(cfn.Literal("kms"), cfn.Join(cfn.Literal("key/"), id))
	}
	switch form {
	case kinds.KeyAlias:
		return &Key{arn: keyOf(cfn.Literal("*")), alias: &name, via: via}, nil
	case kinds.KeyID:
		return &Key{arn: keyOf(name), via: via}, nil
	default:
		return &Key{arn: name, via: via}, nil
	}
}

// keyResource returns a key of the file.
func (p *Props) keyResource(text, via string) (*Key, error) {
	resource, err := p.named(text)
	if err != nil {
		return nil, err
	}
	key := &Key{arn: resource.Arn(), via: via}
	key.admitter, _ = resource.(Admitter)
	return key, nil
}
