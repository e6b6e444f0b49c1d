package xresource

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	"composecdk/compose"
	"composecdk/compose/kinds"
	"composecdk/constructs/cfn"
)

// Admitter resources have a policy of their own, which can admit AWS services.
type Admitter interface {
	// Admit adds an admission to the policy of the resource, and to the policy of the key
	// that encrypts it. Whoever asks must wait for before.
	Admit(a cfn.Admission) (before []constructs.IDependable)
}

// resourcePolicy is the one policy of a resource. It is rendered anew with each
// statement, so that it holds what all have asked for, in an order of its own.
type resourcePolicy struct {
	arn    cfn.Value
	fixed  []any // of the kind and of the file, first
	asked  []cfn.Admission
	render func(document map[string]any)
}

func newResourcePolicy(arn cfn.Value, fixed []any, render func(map[string]any)) *resourcePolicy {
	p := &resourcePolicy{arn: arn, fixed: fixed, render: render}
	p.update()
	return p
}

// admit adds a statement for an admission.
func (p *resourcePolicy) admit(a cfn.Admission) {
	p.asked = append(p.asked, a)
	slices.SortStableFunc(p.asked, func(a, b cfn.Admission) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Service, b.Service))
	})
	p.update()
}

func (p *resourcePolicy) update() {
	statements := slices.Clone(p.fixed)
	said, count := map[string]bool{}, map[string]int{}
	for _, a := range p.asked {
		statement := p.statement(a)
		same := fmt.Sprint(statement) // maps are printed in the order of their keys
		if said[same] {
			continue
		}
		said[same] = true
		service, _, _ := strings.Cut(a.Service, ".")
		statement["Sid"] = sidOf(service, count[service])
		count[service]++
		statements = append(statements, statement)
	}
	p.render(map[string]any{"Version": "2012-10-17", "Statement": statements})
}

func (p *resourcePolicy) statement(a cfn.Admission) map[string]any {
	condition := map[string]any{}
	if !a.AccountInSource {
		condition["StringEquals"] = map[string]any{"aws:SourceAccount": *cfn.Pseudo("AWS::AccountId").Token()}
	}
	if a.Source != (cfn.Value{}) {
		condition["ArnLike"] = map[string]any{"aws:SourceArn": *a.Source.Token()}
	}
	return map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": a.Service},
		"Action": slices.Sorted(slices.Values(a.Actions)), "Resource": *p.resource(a).Token(), "Condition": condition,
	}
}

// resource returns what of the resource is used. A key policy is part of the key, which
// it cannot name.
func (p *resourcePolicy) resource(a cfn.Admission) cfn.Value {
	if p.arn == (cfn.Value{}) {
		return cfn.Literal("*")
	}
	return scoped(cmp.Or(a.Resource, "${ARN}"), p.arn)
}

// sidOf numbers the statements for a service, whose Sids must differ.
func sidOf(service string, n int) string {
	name := "Admit" + strings.ToUpper(service[:1]) + strings.ReplaceAll(service[1:], "-", "")
	if n > 0 {
		name += strconv.Itoa(n + 1)
	}
	return name
}

// keyActions are what an AWS service needs of the key of an encrypted resource to send
// something to it.
var keyActions = []string{"kms:Decrypt", "kms:GenerateDataKey"}

// admit forwards an admission to the key; nil is no key of this file.
func (k *Key) admit(a cfn.Admission) []constructs.IDependable {
	if k == nil || k.admitter == nil {
		return nil
	}
	return k.admitter.Admit(cfn.Admission{From: a.From, Service: a.Service, Actions: keyActions, Source: a.Source})
}

// relate gives a resource what the rows of its kind say: the key that encrypts it, and
// the resources to which AWS sends something on its behalf.
func (p *Props) relate(d *defined, resource awscdk.CfnResource) (err error) {
	if d.key, err = p.key(); err != nil {
		return err
	}
	source, err := p.source()
	if err != nil {
		return err
	}
	for _, row := range p.Kind.Deliveries {
		for _, place := range kinds.Places(p.Model, row.Path) {
			text, _ := place.Value.(string)
			if _, ok := compose.ParseRef(text); !ok {
				continue
			}
			target, err := p.named(text)
			if err != nil {
				return err
			}
			admitter, ok := target.(Admitter)
			if !ok {
				continue // it exists already, of which the kind has warned
			}
			before := admitter.Admit(cfn.Admission{From: p.Model.Path, Service: row.Service, Actions: row.Actions, Resource: row.Resource, Source: source})
			if len(before) > 0 {
				resource.Node().AddDependency(before...)
			}
		}
	}
	return nil
}

// source returns the ARN of the resource made of its name only.
func (p *Props) source() (cfn.Value, error) {
	pattern := p.Kind.Source
	start := strings.LastIndex(pattern, "${")
	if start < 0 {
		return cfn.Value{}, nil
	}
	property := strings.TrimSuffix(pattern[start+2:], "}")
	name := cfn.Literal("*")
	if given, ok := p.Model.Properties[property]; ok {
		resolved, err := p.Resolve.One(given)
		if err != nil {
			return cfn.Value{}, err
		}
		name = resolved
	}
	begin, err := p.Resolve.Text(compose.ParseText(pattern[:start]))
	return cfn.Join(begin, name), err
}
