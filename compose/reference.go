package compose

import (
	"regexp"
	"strings"
)

// Ref names a value of something in the model: x-sqs::orders::Arn,
// x-elbv2::public::DNSName, services::web::ServiceName, x-cluster::ClusterName. An
// empty Attribute means the thing itself; what that is, its kind says.
type Ref struct {
	Key, Name, Attribute string
}

// Value returns the name of the value, also for x-cluster and x-vpc, of which there is
// one each, without a name.
func (r Ref) Value() string {
	if r.Key == clusterSectionKey || r.Key == vpcSectionKey {
		return r.Name
	}
	return r.Attribute
}

// String writes the reference as ComposeX does.
func (r Ref) String() string {
	s := r.Key + "::" + r.Name
	if r.Attribute != "" {
		s += "::" + r.Attribute
	}
	return s
}

// Part is one piece of a Text: exactly one of the three is set, or Literal may
// be empty text.
type Part struct {
	Literal string
	// Pseudo is a CloudFormation pseudo parameter such as "AWS::Region".
	Pseudo string
	Ref    *Ref
}

// Text is a string of the compose file in which references may stand:
// x-sqs::orders::Arn, x-aws::AWS::Region and ${AWS::Region}.
type Text []Part

// PseudoParameters are the CloudFormation pseudo parameters that a compose file
// may name, as x-aws::AWS::Region or ${AWS::Region}.
var PseudoParameters = []string{
	"AWS::AccountId", "AWS::Partition", "AWS::Region",
	"AWS::StackId", "AWS::StackName", "AWS::URLSuffix",
}

var (
	pseudoPattern = `\$\{(AWS::\w+)\}|x-aws::(AWS::\w+)`
	// refPattern is x-<key>::<name>::<value>. No value has a hyphen in its name,
	// so that one may follow.
	refPattern = `(x-[\w-]+|\bservices)::([\w-]+)::(\w+(?:\.\w+)*)`
	// groupPattern is a target group of a load balancer, x-elbv2::<name>::<target>::<port>.
	groupPattern  = `(x-elbv2)::([\w-]+)::([\w-]+::\d+(?:::\w+)?)`
	singlePattern = `(x-cluster|x-vpc)::(\w+)`
	textPattern   = regexp.MustCompile(pseudoPattern + "|" + groupPattern + "|" + singlePattern + "|" + refPattern)
	wholePattern  = regexp.MustCompile(`^(?:` + groupPattern + "|" + singlePattern + `|(x-[\w-]+|services)::([\w-]+)(?:::(\w+(?:\.\w+)*))?)$`)
)

// ParseText splits s at its references. A resource without a value is one only
// where it is the whole text. Text without any is one literal part, and "" is no
// part at all.
func ParseText(s string) Text {
	if ref, ok := ParseRef(s); ok {
		return Text{{Ref: &ref}}
	}
	var text Text
	for s != "" {
		m := textPattern.FindStringSubmatchIndex(s)
		if m == nil {
			return append(text, Part{Literal: s})
		}
		if m[0] > 0 {
			text = append(text, Part{Literal: s[:m[0]]})
		}
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return s[m[2*i]:m[2*i+1]]
		}
		if pseudo := group(1) + group(2); pseudo != "" {
			text = append(text, Part{Pseudo: pseudo})
		} else {
			text = append(text, Part{Ref: &Ref{Key: group(3) + group(6) + group(8), Name: group(4) + group(7) + group(9), Attribute: group(5) + group(10)}})
		}
		s = s[m[1]:]
	}
	return text
}

// ParseRef reads a whole string as a reference to a resource, x-sqs::orders or
// x-sqs::orders::Arn; ok is false for anything else.
func ParseRef(s string) (ref Ref, ok bool) {
	m := wholePattern.FindStringSubmatch(s)
	if m == nil || m[6] == "x-aws" {
		return Ref{}, false
	}
	return Ref{Key: m[1] + m[4] + m[6], Name: m[2] + m[5] + m[7], Attribute: m[3] + m[8]}, true
}

// String writes the text as the compose file had it.
func (t Text) String() string {
	var b strings.Builder
	for _, p := range t {
		switch {
		case p.Ref != nil:
			b.WriteString(p.Ref.String())
		case p.Pseudo != "":
			b.WriteString("${" + p.Pseudo + "}")
		default:
			b.WriteString(p.Literal)
		}
	}
	return b.String()
}

// HasPseudo reports whether a pseudo parameter is part of the text.
func (t Text) HasPseudo() bool {
	for _, p := range t {
		if p.Pseudo != "" {
			return true
		}
	}
	return false
}

// Refs lists the references to resources in the text, in order.
func (t Text) Refs() []Ref {
	var refs []Ref
	for _, p := range t {
		if p.Ref != nil {
			refs = append(refs, *p.Ref)
		}
	}
	return refs
}
