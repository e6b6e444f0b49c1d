package xresource

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"composecdk/compose"
	"composecdk/compose/kinds"
	"composecdk/constructs/cfn"
	"composecdk/constructs/service"
)

// Binder applies bindings. What belongs to a family is given once, however many
// of its containers are bound to the same resource.
type Binder struct{ given map[string]bool }

// NewBinder starts with nothing given.
func NewBinder() *Binder { return &Binder{given: map[string]bool{}} }

// once reports whether it is the first time that a family is about to be given something.
func (n *Binder) once(f *service.Family, what string) bool {
	key := f.Model().Name + "\n" + what
	first := !n.given[key]
	n.given[key] = true
	return first
}

// Bind gives one container what its binding declares, in the same steps for
// every kind: environment variables, IAM and the key, the network, secrets and
// scaling. Rules and grants are made on the consumer's side, so that they live
// in the services' stack and go with the service.
func (n *Binder) Bind(b *compose.Binding, r Resource, f *service.Family) error {
	container := f.Container(b.Container.Name)
	id := b.Resource.Key + "-" + b.Resource.Name
	for _, v := range b.Returns {
		value, err := ValueOf(r, b.Resource, compose.Ref{Key: b.Resource.Key, Name: b.Resource.Name, Attribute: v.Value})
		if err != nil {
			return err
		}
		if err := container.AddEnv(v.Variable, service.Text(value)); err != nil {
			return err
		}
	}
	for _, g := range b.Grants {
		if name := sid(b.Resource, g); n.once(f, name) {
			f.TaskRole().Allow(name, Statements(b.Resource, g, r)...)
		}
	}
	if g, ok := r.(Granter); ok {
		if err := g.Grant(b, f.TaskRole(), container); err != nil {
			return err
		}
	}
	if c, ok := r.(Connectable); ok && n.once(f, "port of "+id) {
		group, port := c.Endpoint()
		f.OpenTo(id, group, "tcp", port, port, fmt.Sprintf("%s to %s", b.Family.Name, b.Resource.Path))
	}
	if h, ok := r.(SecretHolder); ok {
		secrets, err := h.Secrets(b)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(secrets)) {
			if err := container.AddSecret(name, secrets[name]); err != nil {
				return err
			}
		}
	}
	if s, ok := r.(Scalable); ok && b.Scaling != nil {
		f.ScaleOnMetric(id, s.Backlog(), b.Scaling)
	}
	return nil
}

// Statements returns the IAM statements of one access profile for a resource.
func Statements(res *compose.Resource, g compose.Grant, r Resource) []service.Statement {
	var statements []service.Statement
	for _, s := range kinds.Of(res).Profiles[g.Scope][g.Profile] {
		resources := s.Resources
		if len(resources) == 0 {
			resources = []string{"${ARN}"}
		}
		statement := service.Statement{Actions: s.Actions}
		for _, pattern := range resources {
			statement.Resources = append(statement.Resources, scoped(pattern, r.Arn()))
		}
		statements = append(statements, statement)
		if e, ok := r.(Encrypted); ok && e.Key() != nil && len(s.KeyActions) > 0 {
			statements = append(statements, e.Key().statement(s.KeyActions))
		}
	}
	return statements
}

// scoped puts an ARN where a pattern has ${ARN}.
func scoped(pattern string, arn cfn.Value) cfn.Value {
	before, after, _ := strings.Cut(pattern, "${ARN}")
	return cfn.Join(cfn.Literal(before), arn, cfn.Literal(after))
}

// sid names the resource and the profile in the policy, for its readers.
func sid(res *compose.Resource, g compose.Grant) string {
	return strings.TrimPrefix(res.Key, "x-") + " " + res.Name + " " + g.Scope + " " + g.Profile
}
