package kinds

import (
	"slices"
	"strings"

	"composecdk/compose"
)

// KeyForm says how a property names a key of AWS KMS.
type KeyForm int

// The forms of a key.
const (
	// AWSKey is none, or one that AWS manages: its users need nothing.
	AWSKey KeyForm = iota
	// KeyReference is x-kms::<name>, with or without a value.
	KeyReference
	// KeyARN is arn:…:key/….
	KeyARN
	// KeyAlias is alias/….
	KeyAlias
	// KeyID is the id alone.
	KeyID
	// UnknownKey is an intrinsic function, whose value may be anything.
	UnknownKey
)

// keyType is the type of the resources that are keys.
const keyType = "AWS::KMS::Key"

// FormOfKey reads the beginning of a property that names a key.
func FormOfKey(property any) KeyForm {
	text, literal := property.(string)
	if _, ok := reference(property); ok {
		return KeyReference
	}
	if !literal && property != nil {
		text = beginning(property)
	}
	switch {
	case property == nil, strings.HasPrefix(text, "alias/aws/"), literal && strings.HasPrefix(text, "aws/"):
		return AWSKey
	case strings.HasPrefix(text, "alias/"):
		return KeyAlias
	case strings.HasPrefix(text, "arn:") && !strings.Contains(text, ":alias/"):
		return KeyARN
	case literal && !strings.HasPrefix(text, "arn:"):
		return KeyID
	default:
		return UnknownKey
	}
}

// beginning returns the text with which the value of Fn::Sub or Fn::Join begins.
func beginning(property any) string {
	function := mapping(property)
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

// checkKeys reports properties that name no key, and warns where the key cannot
// be known, so that services cannot be allowed to use it.
func (k *Kind) checkKeys(c *compose.Checker, r *compose.Resource) {
	for _, row := range k.Keys {
		for _, p := range Places(r, row.Path) {
			switch FormOfKey(p.Value) {
			case UnknownKey:
				c.Warnf(p.Path, "key-unknown", "services get no permission on this key: name it by its ARN, its id, alias/<name> or x-kms::<name>")
			case KeyReference:
				ref, _ := reference(p.Value)
				if target, ok := c.Model.Resource(ref); ok && target.Schema.Type != keyType {
					c.Errorf(p.Path, "key-kind", "%s is no key: a key is named by x-kms::<name>", target.Path)
				}
			}
		}
	}
}

// KeyOf returns the property that names the key of a resource, and the service that
// uses it on behalf of a task; nil is none.
func KeyOf(r *compose.Resource) (property any, via string) {
	for _, row := range Of(r).Keys {
		for _, p := range Places(r, row.Path) {
			return p.Value, row.Via
		}
	}
	return nil, ""
}

// checkDeliveries reports targets that cannot admit the service that sends to them,
// and warns where this file does not make the policy.
func (k *Kind) checkDeliveries(c *compose.Checker, r *compose.Resource) {
	for _, row := range k.Deliveries {
		for _, p := range Places(r, row.Path) {
			ref, ok := reference(p.Value)
			if !ok {
				c.Warnf(p.Path, "delivery-unmanaged", "the policy of this resource is not made here: it must allow %s to %s",
					row.Service, strings.Join(row.Actions, ", "))
				continue
			}
			target, ok := c.Model.Resource(ref)
			switch {
			case !ok: // reported where references are checked
			case !slices.Contains(row.To, target.Key):
				c.Errorf(p.Path, "delivery-kind", "%s cannot be named here: this takes a resource of %s", target.Path, strings.Join(row.To, " or "))
			case target.Mode == compose.Import:
				c.Warnf(p.Path, "delivery-unmanaged", "%s exists already, and its policy is not made here: it must allow %s to %s",
					target.Path, row.Service, strings.Join(row.Actions, ", "))
			default:
				checkAdmission(c, p.Path, target, row.Service)
			}
		}
	}
}

// checkAdmission reports keys that cannot admit an AWS service to an encrypted
// resource.
func checkAdmission(c *compose.Checker, at compose.Path, target *compose.Resource, service string) {
	property, _ := KeyOf(target)
	switch FormOfKey(property) {
	case AWSKey:
		if property != nil {
			c.Errorf(at, "delivery-key", "%s is encrypted with a key that AWS manages, which does not admit %s: use a key of x-kms", target.Path, service)
		}
	case KeyReference:
		ref, _ := reference(property)
		if key, ok := c.Model.Resource(ref); ok && key.Mode == compose.Import {
			c.Warnf(at, "delivery-unmanaged", "%s exists already, and its policy is not made here: it must allow %s to kms:Decrypt, kms:GenerateDataKey", key.Path, service)
		}
	default:
		c.Warnf(at, "delivery-unmanaged", "the policy of the key of %s is not made here: it must allow %s to kms:Decrypt, kms:GenerateDataKey", target.Path, service)
	}
}
