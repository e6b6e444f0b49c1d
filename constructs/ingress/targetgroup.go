package ingress

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	elbv2 "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/guard"
	"composecdk/constructs/service"
)

// targetGroup is a target group, and what has to exist before ECS can use it.
type targetGroup struct {
	model *compose.TargetGroup
	// values has the return values of the group, by name.
	values map[string]cfn.Value
	// add puts a container behind the group.
	add func(target awsecs.IEcsLoadBalancerTarget)
	// listeners are the listeners and rules that forward to the group.
	listeners []constructs.IDependable
}

// The name of the value of a target group that listeners use.
const groupARN = "TargetGroupArn"

// createdGroup is what application and network target groups share.
type createdGroup interface {
	constructs.Construct
	TargetGroupArn() *string
	TargetGroupFullName() *string
	SetAttribute(key, value *string)
}

// addTargetGroups makes the target groups, still without targets.
func (lb *LoadBalancer) addTargetGroups() error {
	for _, m := range lb.model.TargetGroups {
		g := &targetGroup{model: m}
		var l2 createdGroup
		if lb.network() {
			l2 = lb.networkGroup(g)
		} else {
			l2 = lb.applicationGroup(g)
		}
		g.values = map[string]cfn.Value{groupARN: cfn.FromToken(l2.TargetGroupArn()), "TargetGroupFullName": cfn.FromToken(l2.TargetGroupFullName())}
		for _, name := range slices.Sorted(maps.Keys(m.Attributes)) {
			value, err := lb.props.Resolve.Text(compose.ParseText(m.Attributes[name]))
			if err != nil {
				return err
			}
			l2.SetAttribute(jsii.String(name), value.Token())
		}
		for _, key := range slices.Sorted(maps.Keys(m.Tags)) {
			awscdk.Tags_Of(l2).Add(jsii.String(key), jsii.String(m.Tags[key]), nil)
		}
		lb.groups[m.Name] = g
	}
	return nil
}

func (lb *LoadBalancer) applicationGroup(g *targetGroup) createdGroup {
	l2 := elbv2.NewApplicationTargetGroup(lb.construct, jsii.String(g.model.Name), &elbv2.ApplicationTargetGroupProps{
		Vpc:             lb.props.Network.VPC(),
		TargetType:      elbv2.TargetType_IP,
		Port:            jsii.Number(g.model.Port),
		Protocol:        elbv2.ApplicationProtocol(g.model.Protocol),
		ProtocolVersion: elbv2.ApplicationProtocolVersion(g.model.ProtocolVersion),
		HealthCheck:     healthCheck(g.model),
	})
	g.add = func(target awsecs.IEcsLoadBalancerTarget) { l2.AddTarget(target) }
	return l2
}

func (lb *LoadBalancer) networkGroup(g *targetGroup) createdGroup {
	l2 := elbv2.NewNetworkTargetGroup(lb.construct, jsii.String(g.model.Name), &elbv2.NetworkTargetGroupProps{
		Vpc:         lb.props.Network.VPC(),
		TargetType:  elbv2.TargetType_IP,
		Port:        jsii.Number(g.model.Port),
		Protocol:    elbv2.Protocol(g.model.Protocol),
		HealthCheck: healthCheck(g.model),
	})
	g.add = func(target awsecs.IEcsLoadBalancerTarget) { l2.AddTarget(target) }
	return l2
}

func healthCheck(g *compose.TargetGroup) *elbv2.HealthCheck {
	h := g.HealthCheck
	check := &elbv2.HealthCheck{
		Protocol:                elbv2.Protocol(h.Protocol),
		HealthyThresholdCount:   positive(h.Healthy),
		UnhealthyThresholdCount: positive(h.Unhealthy),
		Interval:                seconds(h.Interval),
		Timeout:                 seconds(h.Timeout),
	}
	if h.Port != 0 {
		check.Port = jsii.String(strconv.Itoa(h.Port))
	}
	if h.Path != "" {
		check.Path = jsii.String(h.Path)
	}
	switch {
	case h.Codes == "":
	case g.ProtocolVersion == "GRPC":
		check.HealthyGrpcCodes = jsii.String(h.Codes)
	default:
		check.HealthyHttpCodes = jsii.String(h.Codes)
	}
	return check
}

func positive(n int) *float64 {
	if n == 0 {
		return nil
	}
	return jsii.Number(n)
}

func seconds(n int) awscdk.Duration {
	if n == 0 {
		return nil
	}
	return awscdk.Duration_Seconds(jsii.Number(n))
}

// Attach puts the families behind their target groups, opens their ports to the load
// balancer, and lets each ECS service wait for the listeners: ECS refuses a target
// group that no load balancer uses. find returns a family by its name, or nil.
func (lb *LoadBalancer) Attach(find func(name string) *service.Family) error {
	opened := map[targetPort]bool{}
	for _, m := range lb.model.TargetGroups {
		g := lb.groups[m.Name]
		for _, t := range m.Targets {
			family := find(t.Family)
			if family == nil {
				return &guard.Error{At: m.Path, Message: fmt.Sprintf("target group %q names family %q, which is not built", m.Name, t.Family)}
			}
			options := &awsecs.LoadBalancerTargetOptions{
				ContainerName: jsii.String(t.Container), ContainerPort: jsii.Number(t.Port), Protocol: awsecs.Protocol_TCP,
			}
			if m.Protocol == "UDP" {
				options.Protocol = awsecs.Protocol_UDP
			}
			g.add(family.LoadBalancerTarget(options))
			family.Service().Node().AddDependency(g.listeners...)
			for _, port := range targetPorts(m, t) {
				if opened[port] {
					continue
				}
				opened[port] = true
				if err := lb.openTarget(port, family.SecurityGroupID()); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// targetPorts lists the ports of a target for requests and for health checks.
func targetPorts(g *compose.TargetGroup, t compose.Target) []targetPort {
	var all []targetPort
	for _, protocol := range transports(g.Protocol) {
		all = append(all, targetPort{t.Family, t.Port, protocol})
	}
	port := g.HealthCheck.Port
	if port == 0 {
		port = t.Port
	}
	return append(all, targetPort{t.Family, port, "tcp"})
}
