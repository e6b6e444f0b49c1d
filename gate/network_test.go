package gate

import "testing"

// groupWith returns a security group G with rules for what comes in.
func groupWith(rules string) string {
	return `"G": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"SecurityGroupIngress": [` + rules + `]}}`
}

// ingressRule returns one rule.
func ingressRule(protocol, ports, from string) string {
	return `{"IpProtocol": "` + protocol + `", ` + ports + `, ` + from + `}`
}

// balancer returns a load balancer B with group G, and its listener on a port.
func balancer(port, protocol string) string {
	return `, "B": {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties": {"SecurityGroups": [{"Ref": "G"}]}},
		"L": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {"LoadBalancerArn": {"Ref": "B"}, "Port": ` + port + `, "Protocol": "` + protocol + `"}}`
}

const (
	world  = `"CidrIp": "0.0.0.0/0"`
	world6 = `"CidrIpv6": "::/0"`
	inside = `"CidrIp": "10.0.0.0/16"`
	on80   = `"FromPort": 80, "ToPort": 80`
)

var onG = []string{"G"}

func TestWaysIn(t *testing.T) {
	alone := func(group, rule string) string {
		return `"I": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"GroupId": ` + group + `, ` + rule[1:] + `}`
	}
	onI := []string{"I"}
	runCases(t, []ruleCase{
		{"every protocol", "all-ports", groupWith(ingressRule("-1", on80, inside)), onG},
		{"every protocol, as a number", "all-ports", groupWith(`{"IpProtocol": -1, ` + inside + `}`), onG},
		{"every port", "all-ports", groupWith(ingressRule("tcp", `"FromPort": 0, "ToPort": 65535`, inside)), onG},
		{"every port but 0", "all-ports", groupWith(ingressRule("17", `"FromPort": "1", "ToPort": "65535"`, inside)), onG},
		{"every port but two", "all-ports", groupWith(ingressRule("udp", `"FromPort": 2, "ToPort": 65535`, inside)), nil},
		{"every port but the last", "all-ports", groupWith(ingressRule("tcp", `"FromPort": 0, "ToPort": 65534`, inside)), nil},
		{"every message of ICMP", "all-ports", groupWith(ingressRule("icmp", `"FromPort": -1, "ToPort": 65535`, inside)), nil},
		{"one port", "all-ports", groupWith(ingressRule("tcp", on80, inside)), nil},
		{"a rule of its own", "all-ports", alone(`"sg-1"`, ingressRule("-1", on80, `"SourceSecurityGroupId": "sg-2"`)), onI},
		{"egress rules", "all-ports", `"G": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"SecurityGroupEgress": [` + ingressRule("-1", on80, world) + `]}}`, nil},

		{"the world at a listener", "open-to-world", groupWith(ingressRule("tcp", on80, world)) + balancer("80", "HTTP"), nil},
		{"the world at a listener, as text", "open-to-world", groupWith(ingressRule("6", `"FromPort": "80", "ToPort": "80"`, world6)) + balancer(`"80"`, "HTTPS"), nil},
		{"the world at another port", "open-to-world", groupWith(ingressRule("tcp", `"FromPort": 81, "ToPort": 81`, world)) + balancer("80", "HTTP"), onG},
		{"the world over IPv6", "open-to-world", groupWith(ingressRule("tcp", `"FromPort": 81, "ToPort": 81`, world6)) + balancer("80", "HTTP"), onG},
		{"the world at more than a listener", "open-to-world", groupWith(ingressRule("tcp", `"FromPort": 80, "ToPort": 81`, world)) + balancer("80", "HTTP"), onG},
		{"the world by another protocol", "open-to-world", groupWith(ingressRule("udp", on80, world)) + balancer("80", "TCP"), onG},
		{"the world by UDP", "open-to-world", groupWith(ingressRule("17", on80, world)) + balancer("80", "UDP"), nil},
		{"the world by both, UDP", "open-to-world", groupWith(ingressRule("udp", on80, world)) + balancer("80", "TCP_UDP"), nil},
		{"the world by both, TCP", "open-to-world", groupWith(ingressRule("tcp", on80, world)) + balancer("80", "TCP_UDP"), nil},
		{"the world at no listener", "open-to-world", groupWith(ingressRule("tcp", on80, world)), onG},
		{"all ports are said elsewhere", "open-to-world", groupWith(ingressRule("-1", on80, world)), nil},
		{"a port that a deployment tells", "open-to-world", groupWith(ingressRule("tcp", `"FromPort": {"Ref": "P"}, "ToPort": {"Ref": "P"}`, world)), nil},
		{"the VPC", "open-to-world", groupWith(ingressRule("tcp", on80, inside)), nil},
		{"a range that a deployment tells", "open-to-world", groupWith(ingressRule("tcp", on80, `"CidrIp": {"Ref": "R"}`)), nil},
		{"a rule of its own", "open-to-world", groupWith("") + "," + alone(`{"Fn::GetAtt": ["G", "GroupId"]}`, ingressRule("tcp", on80, world)) + balancer("80", "HTTP"), nil},
		{"a rule of its own at no listener", "open-to-world", groupWith("") + "," + alone(`{"Fn::GetAtt": ["G", "GroupId"]}`, ingressRule("tcp", on80, world)) + balancer("81", "HTTP"), onI},
		{"a group that is not here, a listener elsewhere", "open-to-world", alone(`"sg-1"`, ingressRule("tcp", on80, world)) + `, "L": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {"LoadBalancerArn": "arn:b", "Port": 80, "Protocol": "HTTP"}}`, nil},
		{"a group that is not here, a listener here", "open-to-world", alone(`"sg-1"`, ingressRule("tcp", on80, world)) + "," + groupWith("") + balancer("80", "HTTP"), onI},
		{"a group that is here, a listener elsewhere", "open-to-world", groupWith(ingressRule("tcp", on80, world)) + `, "L": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {"LoadBalancerArn": "arn:b", "Port": 80, "Protocol": "HTTP"}}`, onG},

		{"the VPC at a listener", "wider-than-listener", groupWith(ingressRule("tcp", on80, inside)) + balancer("80", "HTTP"), nil},
		{"the VPC beside a listener", "wider-than-listener", groupWith(ingressRule("tcp", `"FromPort": 81, "ToPort": 81`, inside)) + balancer("80", "HTTP"), onG},
		{"the world is said elsewhere", "wider-than-listener", groupWith(ingressRule("tcp", `"FromPort": 81, "ToPort": 81`, world)) + balancer("80", "HTTP"), nil},
		{"all ports are said elsewhere", "wider-than-listener", groupWith(ingressRule("-1", on80, inside)) + balancer("80", "HTTP"), nil},
		{"no load balancer", "wider-than-listener", groupWith(ingressRule("tcp", `"FromPort": 81, "ToPort": 81`, inside)), nil},
		{"a group of tasks as well", "wider-than-listener", groupWith(ingressRule("tcp", `"FromPort": 81, "ToPort": 81`, inside)) + balancer("80", "HTTP") + "," + ecsService(`, "NetworkConfiguration": {"AwsvpcConfiguration": {"SecurityGroups": [{"Ref": "G"}]}}`), nil},
		{"a rule of a group that is not here", "wider-than-listener", alone(`"sg-1"`, ingressRule("tcp", `"FromPort": 81, "ToPort": 81`, inside)) + `, "L": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {"LoadBalancerArn": "arn:b", "Port": 80, "Protocol": "HTTP"}}`, nil},
	})
}

func TestMessagesOfSecurityRules(t *testing.T) {
	for _, c := range []struct{ rule, resources, message string }{
		{"all-ports", groupWith(ingressRule("-1", on80, inside)), "G: the rule opens all ports to 10.0.0.0/16: name the protocol and the ports"},
		{"all-ports", groupWith(`{"IpProtocol": "-1", "SourceSecurityGroupId": {"Ref": "G"}}`), "G: the rule opens all ports to ${t/G}: name the protocol and the ports"},
		{"all-ports", groupWith(`{"IpProtocol": "-1"}`), "G: the rule opens all ports to its peers: name the protocol and the ports"},
		{"open-to-world", groupWith(ingressRule("tcp", on80, world)), "G: the rule opens tcp 80 to 0.0.0.0/0, and no load balancer with the group listens there"},
		{"open-to-world", groupWith(ingressRule("tcp", `"FromPort": 80, "ToPort": 90`, world6)), "G: the rule opens tcp 80-90 to ::/0, and no load balancer with the group listens there"},
		{"wider-than-listener", groupWith(ingressRule("udp", `"FromPort": 53, "ToPort": 53`, inside)) + balancer("80", "HTTP"), "G: the rule opens udp 53 of a load balancer to 10.0.0.0/16, and no listener is there"},
	} {
		if got := found(t, c.rule, oneTemplate(t, `{"Resources": {`+c.resources+`}}`)); len(got) != 1 || got[0] != c.message {
			t.Errorf("got %q, want %q", got, c.message)
		}
	}
}

// reach is a service S of tasks with group H behind load balancer B with group G.
type reach struct {
	target, groupOfB, groupsOfS, in, out, action, port string
}

func (r reach) resources() string {
	or := func(given, otherwise string) string {
		if given != "" {
			return given
		}
		return otherwise
	}
	return ecsTask(`[{"Name": "a", "PortMappings": [{"ContainerPort": 8080}]}]`, "") + "," +
		ecsService(`, "LoadBalancers": [{"ContainerName": "a", "ContainerPort": `+or(r.port, `8080`)+`, "TargetGroupArn": {"Ref": "X"}}],
			"NetworkConfiguration": {"AwsvpcConfiguration": {"SecurityGroups": `+or(r.groupsOfS, `[{"Ref": "H"}]`)+`}}`) + `,
		"G": {"Type": "AWS::EC2::SecurityGroup", "Properties": {` + r.out + `}},
		"H": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"SecurityGroupIngress": [` + r.in + `]}},
		"X": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": {` + or(r.target, `"Protocol": "HTTP"`) + `}},
		"B": {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties": {"SecurityGroups": ` + or(r.groupOfB, `[{"Ref": "G"}]`) + `}},
		"L": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {"LoadBalancerArn": {"Ref": "B"}, "Port": 80, "Protocol": "HTTP", "DefaultActions": ` + or(r.action, `[{"TargetGroupArn": {"Ref": "X"}}]`) + `}}`
}

func TestTargetsAreReached(t *testing.T) {
	from := func(source string, port string) string {
		return `{"IpProtocol": "tcp", "FromPort": ` + port + `, "ToPort": ` + port + `, ` + source + `}`
	}
	const (
		balancerGroup = `"SourceSecurityGroupId": {"Fn::GetAtt": ["G", "GroupId"]}`
		none          = `"SecurityGroupEgress": [{"CidrIp": "255.255.255.255/32", "IpProtocol": "-1"}]`
	)
	open := from(balancerGroup, "8080")
	udp := `{"IpProtocol": "udp", "FromPort": 8080, "ToPort": 8080, ` + balancerGroup + `}`
	for _, c := range []struct {
		name  string
		reach reach
		wrong bool
	}{
		{"a rule from the load balancer", reach{in: open}, false},
		{"no rule", reach{}, true},
		{"a range with the port", reach{in: `{"IpProtocol": "tcp", "FromPort": 8000, "ToPort": 9000, ` + balancerGroup + `}`}, false},
		{"a range that ends before", reach{in: `{"IpProtocol": "tcp", "FromPort": 8000, "ToPort": 8079, ` + balancerGroup + `}`}, true},
		{"a range that begins after", reach{in: `{"IpProtocol": "tcp", "FromPort": 8081, "ToPort": 9000, ` + balancerGroup + `}`}, true},
		{"every protocol", reach{in: `{"IpProtocol": "-1", ` + balancerGroup + `}`}, false},
		{"another protocol", reach{in: udp}, true},
		{"from another group", reach{in: from(`"SourceSecurityGroupId": {"Ref": "H"}`, "8080")}, true},
		{"from a group by its id", reach{in: from(`"SourceSecurityGroupId": "sg-1"`, "8080")}, true},
		{"from a group that a deployment tells", reach{in: from(`"SourceSecurityGroupId": {"Ref": "P"}`, "8080")}, false},
		{"from addresses", reach{in: from(`"CidrIp": "10.0.0.0/16"`, "8080")}, false},
		{"a port that a deployment tells", reach{in: `{"IpProtocol": "tcp", "FromPort": {"Ref": "P"}, "ToPort": {"Ref": "P"}, ` + balancerGroup + `}`}, false},
		{"a load balancer without groups", reach{groupOfB: `[]`, in: from(`"CidrIp": "10.0.0.0/16"`, "8080")}, false},
		{"a load balancer without groups, a rule from a group", reach{groupOfB: `[]`, in: open}, true},
		{"a load balancer with a group that is not here", reach{groupOfB: `["sg-1"]`}, false},
		{"tasks with a group that is not here", reach{groupsOfS: `[{"Ref": "H"}, "sg-1"]`}, false},
		{"tasks with a group of the VPC", reach{groupsOfS: `[]`}, false},
		{"tasks with something else as a group", reach{groupsOfS: `[{"Ref": "X"}]`}, false},
		{"the second of two groups", reach{groupsOfS: `[{"Ref": "G"}, {"Ref": "H"}]`, in: open}, false},
		{"the container has not the port", reach{port: `9090`}, false},
		{"a port that a deployment tells, of the service", reach{port: `{"Ref": "P"}`}, false},
		{"the listener sends elsewhere", reach{action: `[{"Type": "fixed-response"}]`}, false},
		{"the listener sends to two groups", reach{action: `[{"ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:x"}, {"TargetGroupArn": {"Ref": "X"}}]}}]`}, true},
		{"nothing goes out", reach{in: open, out: none}, true},
		{"all goes out", reach{in: open, out: `"SecurityGroupEgress": [{"CidrIp": "0.0.0.0/0", "IpProtocol": "-1"}]`}, false},
		{"it goes out to the tasks", reach{in: open, out: `"SecurityGroupEgress": [{"DestinationSecurityGroupId": {"Ref": "H"}, "IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080}]`}, false},
		{"it goes out to others", reach{in: open, out: `"SecurityGroupEgress": [{"DestinationSecurityGroupId": {"Ref": "G"}, "IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080}]`}, true},
		{"the health check is at the port of the traffic", reach{in: open, target: `"Protocol": "HTTP", "HealthCheckPort": "traffic-port"`}, false},
		{"the health check is at the same port", reach{in: open, target: `"Protocol": "HTTP", "HealthCheckPort": "8080"`}, false},
		{"the health check is elsewhere", reach{in: open, target: `"Protocol": "HTTP", "HealthCheckPort": "9000"`}, true},
		{"the health check is elsewhere, and off", reach{in: open, target: `"Protocol": "HTTP", "HealthCheckPort": "9000", "HealthCheckEnabled": false`}, false},
		{"the health check is elsewhere, and open", reach{in: open + "," + from(balancerGroup, "9000"), target: `"Protocol": "HTTP", "HealthCheckPort": 9000`}, false},
		{"UDP without TCP for the health check", reach{in: udp, target: `"Protocol": "UDP"`}, true},
		{"UDP with TCP for the health check", reach{in: udp + "," + open, target: `"Protocol": "UDP"`}, false},
		{"both without UDP", reach{in: open, target: `"Protocol": "TCP_UDP"`}, true},
		{"both", reach{in: open + "," + udp, target: `"Protocol": "TCP_UDP"`}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := found(t, "target-unreachable", oneTemplate(t, `{"Resources": {`+c.reach.resources()+`}}`)); len(got) > 0 != c.wrong {
				t.Errorf("found %v", got)
			}
		})
	}
	// clients of a load balancer without groups reach the tasks with their own addresses
	runCases(t, []ruleCase{
		{"clients of a load balancer without groups", "open-to-world", reach{groupOfB: `[]`, in: from(world, "8080")}.resources(), nil},
		{"clients of a load balancer without groups, elsewhere", "open-to-world", reach{groupOfB: `[]`, in: from(world, "8081")}.resources(), []string{"H"}},
		{"clients of a load balancer with a group", "open-to-world", reach{in: from(world, "8080")}.resources(), []string{"H"}},
		{"clients of a load balancer with a group that is not here", "open-to-world", reach{groupOfB: `["sg-1"]`, in: from(world, "8080")}.resources(), []string{"H"}},
	})
}

func TestMessagesOfTargets(t *testing.T) {
	got := found(t, "target-unreachable", oneTemplate(t, `{"Resources": {`+reach{out: `"SecurityGroupEgress": []`}.resources()+`}}`))
	want := []string{
		"S: no rule lets load balancer B connect to tcp port 8080 of the tasks, so that every request fails",
		"S: the security group of load balancer B lets nothing out to tcp port 8080 of the tasks, so that every request fails",
	}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPublicAddresses(t *testing.T) {
	service := func(assign string) string {
		return ecsService(`, "NetworkConfiguration": {"AwsvpcConfiguration": {` + assign + `}}`)
	}
	runCases(t, []ruleCase{
		{"enabled", "public-task", service(`"AssignPublicIp": "ENABLED"`), []string{onS}},
		{"disabled", "public-task", service(`"AssignPublicIp": "DISABLED"`), nil},
		{"by default", "public-task", service(``), nil},
		{"a database", "public-database", `"D": {"Type": "AWS::RDS::DBInstance", "Properties": {"PubliclyAccessible": "true"}}`, []string{"D"}},
		{"a private database", "public-database", `"D": {"Type": "AWS::RDS::DBInstance", "Properties": {"PubliclyAccessible": false}}`, nil},
		{"a broker", "public-database", `"D": {"Type": "AWS::AmazonMQ::Broker", "Properties": {"PubliclyAccessible": true}}`, []string{"D"}},
		{"by default", "public-database", `"D": {"Type": "AWS::RDS::DBInstance", "Properties": {}}`, nil},
	})
}
