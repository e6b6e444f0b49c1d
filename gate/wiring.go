package gate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	functionsGuide = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html"
	exportsGuide   = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html"
	balancerGuide  = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-load-balancing.html"
	scalingGuide   = "https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html"
)

// wiring holds the rules for references between the resources of an application.
var wiring = []Rule{
	{
		ID: "reference-unresolved", Summary: "every Ref, Fn::GetAtt, Fn::Sub variable, DependsOn, condition and mapping names something of its template",
		Source: functionsGuide, check: referencesResolve,
	},
	{
		ID: "reference-cycle", Summary: "no resource waits for itself, and no stack for its own outputs",
		Source: functionsGuide, check: noCycles,
	},
	{
		ID: "output-unknown", Summary: "a reference to an output of another stack names an output that the stack has",
		Source: exportsGuide, check: outputsExist,
	},
	{
		ID: "export-duplicate", Summary: "an export has a name of its own in its account and region",
		Source: exportsGuide, check: ownExports,
	},
	{
		ID: "target-type", Summary: "a target group of tasks with their own network interface has targets of type ip",
		Source: balancerGuide, check: targetTypes,
	},
	{
		ID: "listener-order", Summary: "a service is created after the listener or rule that attaches its target group to a load balancer",
		Source: balancerGuide, check: listenersFirst,
	},
	{
		ID: "scaling-range", Summary: "a minimum capacity is at most the maximum",
		Source: scalingGuide, check: scalingRanges,
	},
	{
		ID: "scaling-target", Summary: "a scalable target of ECS names a service, as service/CLUSTER/SERVICE",
		Source: scalingGuide, check: scalingTargets,
	},
}

var pseudoParameters = []string{
	"AWS::AccountId", "AWS::NotificationARNs", "AWS::NoValue", "AWS::Partition", "AWS::Region", "AWS::StackId", "AWS::StackName", "AWS::URLSuffix",
}

func referencesResolve(a *Assembly, found *report) {
	for _, s := range a.Stacks {
		if s.generates {
			continue
		}
		resources, _ := s.template["Resources"].(map[string]any)
		for _, id := range slices.Sorted(maps.Keys(resources)) {
			if body, ok := resources[id].(map[string]any); ok {
				r := newResource(s, id, body)
				for _, problem := range slices.Concat(r.unknownNames(), s.unresolved(body)) {
					found.on(r, "%s", problem)
				}
			}
		}
		s.conditionsResolve(found)
		outputs, _ := s.template["Outputs"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(outputs)) {
			if condition, ok := at(outputs[name], "Condition").(string); ok && s.Conditions[condition] == nil {
				found.stack(s, "output %s: its Condition %q is not in the template", name, condition)
			}
			for _, problem := range s.unresolved(outputs[name]) {
				found.stack(s, "output %s: %s", name, problem)
			}
		}
	}
}

// conditionsResolve checks the sections that CloudFormation evaluates before it creates
// resources: Rules and Conditions.
func (s *Stack) conditionsResolve(found *report) {
	rules, _ := s.template["Rules"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		for _, problem := range s.unresolved(rules[name]) {
			found.stack(s, "rule %s: %s", name, problem)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Conditions)) {
		for _, ref := range references(s.Conditions[name]) {
			if isMap(at(s.template, "Resources", ref.id)) {
				found.stack(s, "condition %s: %s names %q, a resource: conditions can use parameters and mappings only", name, ref.how, ref.id)
			}
		}
		for _, problem := range append(s.unresolved(s.Conditions[name]), s.unresolvedConditions(s.Conditions[name])...) {
			found.stack(s, "condition %s: %s", name, problem)
		}
	}
}

// unknownNames checks the DependsOn and the Condition of a resource.
func (r *Resource) unknownNames() []string {
	var problems []string
	for _, on := range r.DependsOn {
		if !isMap(at(r.Stack.template, "Resources", on)) {
			problems = append(problems, fmt.Sprintf("DependsOn names %q, which is no resource of the template", on))
		}
	}
	if r.Condition != "" && r.Stack.Conditions[r.Condition] == nil {
		problems = append(problems, fmt.Sprintf("its Condition %q is not in the template", r.Condition))
	}
	return problems
}

func isMap(v any) bool { _, ok := v.(map[string]any); return ok }

// unresolved describes the references in a value that the template cannot resolve.
func (s *Stack) unresolved(v any) []string {
	var problems []string
	for _, ref := range references(v) {
		if problem := s.unresolvedReference(ref); problem != "" {
			problems = append(problems, problem)
		}
	}
	walk(v, func(name string, argument any) {
		switch condition, isName := at(argument, 0).(string); {
		case name == "Fn::If" && isName && s.Conditions[condition] == nil:
			problems = append(problems, fmt.Sprintf("Fn::If asks for the condition %q, which the template does not have", condition))
		case name == "Fn::FindInMap" && !s.mapped(list(argument)):
			problems = append(problems, fmt.Sprintf("Fn::FindInMap names %s, which the mappings of the template do not have", canonical(argument)))
		}
	})
	return problems
}

func (s *Stack) unresolvedReference(ref reference) string {
	isResource := isMap(at(s.template, "Resources", ref.id))
	switch {
	case strings.HasPrefix(ref.id, "AWS::") && ref.how != "Fn::GetAtt":
		if !slices.Contains(pseudoParameters, ref.id) {
			return fmt.Sprintf("%s names %q, which is no pseudo parameter of CloudFormation", ref.how, ref.id)
		}
	case ref.attribute == "" && ref.how != "Fn::GetAtt":
		if !isResource && s.Parameters[ref.id] == nil {
			return fmt.Sprintf("%s names %q, which is neither a resource nor a parameter of the template", ref.how, ref.id)
		}
	case !isResource:
		return fmt.Sprintf("%s reads %q of %q, which is no resource of the template", ref.how, ref.attribute, ref.id)
	case ref.attribute == "":
		return fmt.Sprintf("%s of %q names no attribute", ref.how, ref.id)
	default:
		name, isOutput := strings.CutPrefix(ref.attribute, "Outputs.")
		if nested := s.nested(ref.id); isOutput && nested != nil && at(nested.template, "Outputs", name) == nil {
			return fmt.Sprintf("%s reads the output %q of %q, which the nested stack does not have", ref.how, name, ref.id)
		}
	}
	return ""
}

// mapped reports whether the mappings have the literal keys of an Fn::FindInMap. A fourth
// argument is a default.
func (s *Stack) mapped(keys []any) bool {
	if len(keys) != 3 {
		return true
	}
	for n := 1; n <= len(keys); n++ {
		path, literals := literalPath(keys[:n])
		if !literals {
			return true
		}
		if at(s.template["Mappings"], path...) == nil {
			return false
		}
	}
	return true
}

func literalPath(keys []any) (path []any, literals bool) {
	for _, key := range keys {
		text, ok := literal(key)
		if !ok {
			return nil, false
		}
		path = append(path, text)
	}
	return path, true
}

// unresolvedConditions describes unknown conditions in a condition. Outside of conditions
// the key Condition is data, as in a policy.
func (s *Stack) unresolvedConditions(v any) []string {
	var problems []string
	for _, operand := range slices.Concat(list(at(v, "Fn::And")), list(at(v, "Fn::Or")), list(at(v, "Fn::Not"))) {
		problems = append(problems, s.unresolvedConditions(operand)...)
	}
	if name, ok := at(v, "Condition").(string); ok && s.Conditions[name] == nil {
		problems = append(problems, fmt.Sprintf("it names the condition %q, which the template does not have", name))
	}
	return problems
}

func noCycles(a *Assembly, found *report) {
	for _, s := range a.Stacks {
		for _, cycle := range cycles(s.Resources, (*Resource).needs) {
			ids := make([]string, 0, len(cycle))
			for _, r := range cycle {
				ids = append(ids, r.LogicalID)
			}
			found.on(cycle[0], "it waits for itself: %s -> %s", strings.Join(ids, " -> "), ids[0])
		}
	}
	for _, cycle := range cycles(a.Stacks, (*Stack).uses) {
		paths := make([]string, 0, len(cycle))
		for _, s := range cycle {
			paths = append(paths, s.Path)
		}
		found.stack(cycle[0], "it waits for its own outputs: %s -> %s", strings.Join(paths, " -> "), paths[0])
	}
}

func outputsExist(a *Assembly, found *report) {
	for _, s := range a.Stacks {
		check := func(v any, report func(format string, args ...any)) {
			walk(v, func(name string, argument any) {
				switch name {
				case "Fn::GetStackOutput":
					output, ok := at(argument, "OutputName").(string)
					if from, _ := s.output(argument); ok && from == nil && len(s.named(argument)) > 0 {
						report("it reads the output %q of stack %s, which has no such output", output, at(argument, "StackName"))
					}
				case "Fn::ImportValue":
					export, _ := argument.(string)
					stack, _, ok := strings.Cut(export, ":")
					if from, _ := s.export(argument); ok && from == nil && len(s.named(map[string]any{"StackName": stack})) > 0 {
						report("it imports %q, which stack %s does not export", export, stack)
					}
				}
			})
		}
		for _, r := range s.Resources {
			check(r.Properties, func(format string, args ...any) { found.on(r, format, args...) })
		}
		for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
			check(s.Outputs[name], func(format string, args ...any) {
				found.stack(s, "output %s: %s", name, fmt.Sprintf(format, args...))
			})
		}
	}
}

func ownExports(a *Assembly, found *report) {
	type place struct{ account, region, name string }
	seen := map[place]string{}
	for _, s := range a.Stacks {
		for _, id := range slices.Sorted(maps.Keys(s.Outputs)) {
			exported := at(s.Outputs[id], "Export", "Name")
			name := s.text(exported)
			if exported == nil || !known(name) {
				continue
			}
			at := place{s.Account, s.Region, name}
			if s.Account == "" || s.Region == "" {
				at.account = s.Path // another stack may be for another account
			}
			if other := seen[at]; other != "" {
				found.stack(s, "output %s exports %q, which output %s exports already: give it another name", id, name, other)
			}
			seen[at] = s.Path + "/" + id
		}
	}
}

// balanced calls each for the services behind a target group of this assembly.
func (a *Assembly) balanced(each func(service, group *Resource)) {
	for _, service := range a.Of("AWS::ECS::Service", "AWS::ECS::TaskSet") {
		for _, lb := range list(service.Properties["LoadBalancers"]) {
			group, _ := service.Stack.Target(at(lb, "TargetGroupArn"))
			if group != nil && group.Type == "AWS::ElasticLoadBalancingV2::TargetGroup" {
				each(service, group)
			}
		}
	}
}

func targetTypes(a *Assembly, found *report) {
	a.balanced(func(service, group *Resource) {
		kind, known := "instance", true
		if v, ok := group.Properties["TargetType"]; ok {
			kind, known = v.(string)
		}
		task := taskOf(service)
		mode := ""
		if task != nil {
			mode = word(task.Properties["NetworkMode"])
		}
		switch {
		case !known:
		case (mode == "awsvpc" || isFargate(service)) && kind != "ip":
			found.on(group, "its targets are of type %q, and the tasks of %s have their own network interfaces: they need \"ip\"", kind, service.LogicalID)
		case (mode == "bridge" || mode == "host") && kind == "ip":
			found.on(group, "its targets are of type \"ip\", and the tasks of %s are in network mode %q: they need \"instance\"", service.LogicalID, mode)
		}
	})
}

func listenersFirst(a *Assembly, found *report) {
	a.balanced(func(service, group *Resource) {
		attached, certain := a.attaching(group)
		if len(attached) == 0 {
			if certain && group.Stack.root() == service.Stack.root() && !group.Stack.generates {
				found.on(service, "its target group %s is in no action of a listener: ECS takes only target groups of a load balancer", group.LogicalID)
			}
			return
		}
		if !slices.ContainsFunc(attached, func(listener *Resource) bool { return inOrder(service, listener) }) {
			found.on(service, "it does not wait for %s, which attaches its target group %s to a load balancer: add a DependsOn",
				attached[0].LogicalID, group.LogicalID)
		}
	})
}

// inOrder reports whether the listener exists when the service is created. Templates do not
// tell the order of different stacks, unless one reads the other's outputs.
func inOrder(service, listener *Resource) bool {
	from, to := service.Stack.root(), listener.Stack.root()
	if from == to {
		return service.createdAfter(listener)
	}
	return !slices.Contains(to.uses(), from)
}

// attaching returns the listeners and listener rules that forward to a target group; certain
// is false if one forwards to an unknown group.
func (a *Assembly) attaching(group *Resource) (attached []*Resource, certain bool) {
	certain = true
	for _, listener := range a.Of("AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::ListenerRule") {
		for _, property := range []string{"DefaultActions", "Actions"} {
			actions := listener.Properties[property]
			if _, _, ok := function(actions); ok {
				certain = false
			}
			for _, action := range list(actions) {
				targets := []any{at(action, "TargetGroupArn")}
				for _, weighted := range list(at(action, "ForwardConfig", "TargetGroups")) {
					targets = append(targets, at(weighted, "TargetGroupArn"))
				}
				for _, target := range targets {
					to, _ := listener.Stack.Target(target)
					certain = certain && (target == nil || to != nil)
					if to == group {
						attached = append(attached, listener)
					}
				}
			}
		}
	}
	return attached, certain
}

// capacities lists the properties that form a range.
var capacities = []struct {
	of        string
	path      []string
	min, most string
	// apart is true if the minimum must be below the maximum.
	apart bool
}{
	{of: "AWS::ApplicationAutoScaling::ScalableTarget", min: "MinCapacity", most: "MaxCapacity"},
	{of: "AWS::ApplicationAutoScaling::ScalableTarget", path: []string{"ScheduledActions", "ScalableTargetAction"}, min: "MinCapacity", most: "MaxCapacity"},
	{of: "AWS::AutoScaling::AutoScalingGroup", min: "MinSize", most: "MaxSize"},
	{of: "AWS::AutoScaling::AutoScalingGroup", min: "MinSize", most: "DesiredCapacity"},
	{of: "AWS::AutoScaling::AutoScalingGroup", min: "DesiredCapacity", most: "MaxSize"},
	{of: "AWS::ECS::Service", path: []string{"DeploymentConfiguration"}, min: "MinimumHealthyPercent", most: "MaximumPercent", apart: true},
	{of: "AWS::RDS::DBCluster", path: []string{"ServerlessV2ScalingConfiguration"}, min: "MinCapacity", most: "MaxCapacity"},
	{of: "AWS::RDS::DBCluster", path: []string{"ScalingConfiguration"}, min: "MinCapacity", most: "MaxCapacity"},
}

func scalingRanges(a *Assembly, found *report) {
	for _, row := range capacities {
		for _, r := range a.Of(row.of) {
			for _, parent := range each(r.Properties, row.path...) {
				least, ok := number(r.Stack.settle(at(parent, row.min)))
				most, also := number(r.Stack.settle(at(parent, row.most)))
				switch {
				case ok && also && least > most:
					found.on(r, "its %s is %v and its %s %v: the minimum may not be above the maximum", row.min, least, row.most, most)
				case ok && also && row.apart && least == most:
					found.on(r, "its %s and its %s are both %v: nothing can be replaced, the minimum must be below the maximum", row.min, row.most, most)
				case ok && least < 0:
					found.on(r, "its %s is %v: the minimum is 0", row.min, least)
				}
			}
		}
	}
}

func scalingTargets(a *Assembly, found *report) {
	for _, r := range a.Of("AWS::ApplicationAutoScaling::ScalableTarget") {
		if r.Properties["ServiceNamespace"] != "ecs" {
			continue
		}
		if problem := a.scaled(r); problem != "" {
			found.on(r, "its ResourceId %s", problem)
		}
	}
}

// scaled describes a wrong ResourceId of a scalable target, "" if it is right or known only
// when deployed.
func (a *Assembly) scaled(r *Resource) string {
	pieces, ok := pieces(r.Properties["ResourceId"])
	if !ok {
		return ""
	}
	var segments [3][]any
	n := 0
	for _, piece := range pieces {
		text, isText := piece.(string)
		if !isText {
			segments[n] = append(segments[n], piece)
			continue
		}
		for i, part := range strings.Split(text, "/") {
			if i > 0 {
				if n++; n > 2 {
					return "has more than three parts: the form is service/CLUSTER/SERVICE"
				}
			}
			if part != "" {
				segments[n] = append(segments[n], part)
			}
		}
	}
	if n < 2 {
		return scaledShort(pieces)
	}
	if len(segments[0]) != 1 || segments[0][0] != "service" || len(segments[1]) == 0 || len(segments[2]) == 0 {
		return "is not of the form service/CLUSTER/SERVICE"
	}
	if len(segments[1]) > 1 || len(segments[2]) > 1 {
		return ""
	}
	return a.scaledService(r.Stack, segments[1][0], segments[2][0])
}

// scaledShort returns what is wrong with a scalable target's resource id of fewer parts
// than three; a parameter may stand for several of them.
func scaledShort(pieces []any) string {
	for _, piece := range pieces {
		if _, isText := piece.(string); !isText {
			return ""
		}
	}
	return "is not of the form service/CLUSTER/SERVICE"
}

func (a *Assembly) scaledService(s *Stack, cluster, service any) string {
	on, onAttribute := s.Target(cluster)
	of, ofAttribute := s.Target(service)
	switch {
	case on != nil && (on.Type != "AWS::ECS::Cluster" || onAttribute != ""):
		return fmt.Sprintf("names %s as the cluster: it is not the name of a cluster", label(on, onAttribute))
	case of != nil && (of.Type != "AWS::ECS::Service" || ofAttribute != "Name"):
		return fmt.Sprintf("names %s as the service: it is not the name of a service", label(of, ofAttribute))
	}
	name, isText := service.(string)
	if !isText || on == nil {
		return ""
	}
	if !slices.ContainsFunc(a.Of("AWS::ECS::Service"), func(r *Resource) bool {
		known, isText := r.Properties["ServiceName"].(string)
		return known == name || !isText
	}) {
		return fmt.Sprintf("names the service %q, and the assembly has no such service", name)
	}
	return ""
}

func label(r *Resource, attribute string) string {
	if attribute == "" {
		return "Ref " + r.LogicalID
	}
	return r.LogicalID + "." + attribute
}
