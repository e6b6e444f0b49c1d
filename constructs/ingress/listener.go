package ingress

import (
	"fmt"
	"strconv"

	"github.com/aws/constructs-go/constructs/v10"

	"composecdk/compose"
	"composecdk/constructs/cfn"
)

// addListeners makes the listeners with their certificates and rules, in
// CloudFormation's own words, which the model may quote.
func (lb *LoadBalancer) addListeners() error {
	for _, l := range lb.model.Listeners {
		if err := lb.addListener(l); err != nil {
			return err
		}
	}
	return nil
}

func (lb *LoadBalancer) addListener(l *compose.Listener) error {
	resolved, err := lb.props.Resolve.Fragment(l.Properties)
	if err != nil {
		return err
	}
	properties := resolved.(map[string]any)
	properties["LoadBalancerArn"] = lb.values["LoadBalancerArn"]
	properties["Port"] = l.Port
	properties["Protocol"] = l.Protocol
	if properties["DefaultActions"], err = lb.actions(l.Default); err != nil {
		return err
	}
	if l.SSLPolicy != "" {
		properties["SslPolicy"] = l.SSLPolicy
	}
	if len(l.Certificates) > 0 {
		if properties["Certificates"], err = lb.certificate(l.Certificates[0]); err != nil {
			return err
		}
	}
	id := fmt.Sprintf("listener-%d", l.Port)
	listener, err := cfn.Define(lb.construct, id, cfn.Definition{Type: "AWS::ElasticLoadBalancingV2::Listener", Properties: properties})
	if err != nil {
		return err
	}
	lb.needed(l.Default, listener)
	arn := cfn.FromToken(listener.Ref())
	lb.listeners[l.Port] = arn
	// A listener itself takes one certificate only.
	for _, c := range l.Certificates[min(1, len(l.Certificates)):] {
		certificates, err := lb.certificate(c)
		if err != nil {
			return err
		}
		if _, err := cfn.Define(lb.construct, id+" certificate "+c.Name, cfn.Definition{
			Type:       "AWS::ElasticLoadBalancingV2::ListenerCertificate",
			Properties: map[string]any{"ListenerArn": arn, "Certificates": certificates},
		}); err != nil {
			return err
		}
	}
	for _, rule := range l.Rules {
		if err := lb.addRule(id, arn, rule); err != nil {
			return err
		}
	}
	return nil
}

func (lb *LoadBalancer) certificate(c compose.Certificate) ([]any, error) {
	arn, err := lb.props.Resolve.Text(c.ARN)
	return []any{map[string]any{"CertificateArn": arn}}, err
}

func (lb *LoadBalancer) addRule(listener string, listenerArn cfn.Value, rule *compose.Rule) error {
	// A rule with a priority of its own keeps its id when its conditions change:
	// two rules cannot have the same priority, even during a deployment.
	id := listener + " " + rule.Name()
	if rule.Pinned {
		id = fmt.Sprintf("%s priority %d", listener, rule.Priority)
	}
	actions, err := lb.actions(rule.Action)
	if err != nil {
		return err
	}
	conditions, err := lb.conditions(rule)
	if err != nil {
		return err
	}
	definition, err := cfn.Define(lb.construct, id, cfn.Definition{
		Type: "AWS::ElasticLoadBalancingV2::ListenerRule",
		Properties: map[string]any{
			"ListenerArn": listenerArn,
			"Priority":    rule.Priority,
			"Conditions":  conditions,
			"Actions":     actions,
		},
	})
	if err != nil {
		return err
	}
	lb.needed(rule.Action, definition)
	return nil
}

// needed notes that the target groups of an action are in use once the listener
// or rule exists.
func (lb *LoadBalancer) needed(a compose.Action, listener constructs.IDependable) {
	for _, target := range a.Forward {
		g := lb.groups[target.TargetGroup]
		g.listeners = append(g.listeners, listener)
	}
}

func (lb *LoadBalancer) conditions(rule *compose.Rule) ([]any, error) {
	var all []any
	values := func(field, key string, texts []string) {
		if len(texts) == 0 {
			return
		}
		var items []any
		for _, text := range texts {
			items = append(items, text)
		}
		all = append(all, map[string]any{"Field": field, key: map[string]any{"Values": items}})
	}
	values("host-header", "HostHeaderConfig", rule.Hosts)
	values("path-pattern", "PathPatternConfig", rule.Paths)
	for _, c := range rule.Conditions {
		resolved, err := lb.props.Resolve.Fragment(c)
		if err != nil {
			return nil, err
		}
		all = append(all, resolved)
	}
	return all, nil
}

// actions returns the actions of a listener or rule as CloudFormation has them. Where more
// than one stands there, they need an order.
func (lb *LoadBalancer) actions(a compose.Action) ([]any, error) {
	var all []any
	for _, raw := range a.Raw {
		resolved, err := lb.props.Resolve.Fragment(raw)
		if err != nil {
			return nil, err
		}
		all = append(all, resolved)
	}
	var last map[string]any
	switch {
	case len(a.Forward) == 1:
		last = map[string]any{"Type": "forward", "TargetGroupArn": lb.groups[a.Forward[0].TargetGroup].values[groupARN]}
	case len(a.Forward) > 1:
		var groups []any
		for _, target := range a.Forward {
			groups = append(groups, map[string]any{"TargetGroupArn": lb.groups[target.TargetGroup].values[groupARN], "Weight": target.Weight})
		}
		last = map[string]any{"Type": "forward", "ForwardConfig": map[string]any{"TargetGroups": groups}}
	case a.Redirect != nil:
		last = map[string]any{"Type": "redirect", "RedirectConfig": redirect(a.Redirect)}
	case a.Fixed != nil:
		last = map[string]any{"Type": "fixed-response", "FixedResponseConfig": map[string]any{
			"StatusCode": strconv.Itoa(a.Fixed.Status), "ContentType": a.Fixed.ContentType, "MessageBody": a.Fixed.Body,
		}}
	default:
		return all, nil
	}
	if len(all) > 0 {
		last["Order"] = len(all) + 1
	}
	return append(all, last), nil
}

func redirect(r *compose.Redirect) map[string]any {
	config := map[string]any{"StatusCode": "HTTP_302"}
	if r.Permanent {
		config["StatusCode"] = "HTTP_301"
	}
	for key, value := range map[string]string{
		"Protocol": r.Protocol, "Port": r.Port, "Host": r.Host, "Path": r.Path, "Query": r.Query,
	} {
		if value != "" {
			config[key] = value
		}
	}
	return config
}
