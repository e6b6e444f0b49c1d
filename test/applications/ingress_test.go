//go:build !race

package applications

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"composecdk/compose"
	"composecdk/compose/load"
	"composecdk/constructs/guard"
	"composecdk/constructs/ingress"
	"composecdk/constructs/network"
	"composecdk/constructs/service"
)

// ingressCase is a compose file on its way to a template.
type ingressCase struct {
	stack awscdk.Stack
	lbs   map[string]*ingress.LoadBalancer
}

// tryIngress builds the families and the load balancers of a compose file in a
// VPC, which is a new one unless another is given.
func tryIngress(t *testing.T, file string, vpc *compose.Network, account string, ephemeral bool) (ingressCase, error) {
	t.Helper()
	m := ingressModel(t, file)
	stack := newStack(t, account)
	if vpc == nil {
		vpc = newVPC()
	}
	n := mustNetwork(t, stack, vpc)
	cluster, err := network.NewCluster(stack, "x-cluster", &compose.Cluster{}, n)
	if err != nil {
		t.Fatal(err)
	}
	ns, err := network.NewNamespaces(stack, "x-cloudmap", []*compose.Namespace{{Name: compose.DefaultNamespace, Zone: "shop.internal"}}, n)
	if err != nil {
		t.Fatal(err)
	}
	families := map[string]*service.Family{}
	for _, f := range m.Families {
		families[f.Name], err = service.NewFamily(stack, f.Name, &service.FamilyProps{
			Family: f, Network: n, Cluster: cluster, Namespaces: ns, Resolve: resolver,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	c := ingressCase{stack, map[string]*ingress.LoadBalancer{}}
	for _, model := range m.LoadBalancers {
		c.lbs[model.Name], err = ingress.New(stack, model.Key+"/"+model.Name, &ingress.Props{
			Model: model, Network: n, Resolve: resolver, Ephemeral: ephemeral,
		})
		if err != nil {
			return c, err
		}
		if err := c.lbs[model.Name].Attach(func(name string) *service.Family { return families[name] }); err != nil {
			return c, err
		}
	}
	return c, nil
}

func ingressModel(t *testing.T, file string) *compose.Model {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "compose.yml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	p, ds := load.Files(context.Background(), load.Options{Files: []string{"compose.yml"}, WorkingDir: dir, ProjectName: "shop"})
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	m, ds := compose.Resolve(p, nil)
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	return m
}

func buildIngress(t *testing.T, file string) template {
	t.Helper()
	c, err := tryIngress(t, file, nil, "", false)
	if err != nil {
		t.Fatal(err)
	}
	return synth(t, c.stack)
}

// ways lists the rules of security groups as "in|out <group> <peer> <ports>",
// with groups by their description.
func ways(tm template) []string {
	names := map[string]string{}
	var found []string
	for id, r := range tm.Resources {
		if at(r, "Type") == "AWS::EC2::SecurityGroup" {
			names[text(map[string]any{"Fn::GetAtt": []any{id, "GroupId"}})], _ = at(r, "Properties", "GroupDescription").(string)
		}
	}
	name := func(v any) string {
		if s, ok := v.(string); ok {
			return s
		}
		return names[text(v)]
	}
	ports := func(rule any) string {
		if at(rule, "IpProtocol") == "-1" {
			return "all"
		}
		if text(at(rule, "FromPort")) != text(at(rule, "ToPort")) {
			return "nothing" // the CDK's own rule that lets no traffic out
		}
		return text(at(rule, "FromPort")) + "/" + at(rule, "IpProtocol").(string)
	}
	for _, r := range tm.Of("AWS::EC2::SecurityGroup") {
		group := at(r, "Properties", "GroupDescription").(string)
		for key, direction := range map[string]string{"SecurityGroupIngress": "in ", "SecurityGroupEgress": "out "} {
			rules, _ := at(r, "Properties", key).([]any)
			for _, rule := range rules {
				if ports(rule) == "nothing" {
					continue
				}
				peer := at(rule, "CidrIp")
				for _, other := range []string{"CidrIpv6", "SourcePrefixListId", "SourceSecurityGroupId"} {
					if v := at(rule, other); v != nil {
						peer = v
					}
				}
				found = append(found, direction+group+" <> "+name(peer)+" "+ports(rule))
			}
		}
	}
	for _, r := range tm.Of("AWS::EC2::SecurityGroupIngress") {
		p := r["Properties"]
		peer := at(p, "SourceSecurityGroupId")
		for _, other := range []string{"CidrIp", "SourcePrefixListId"} {
			if v := at(p, other); v != nil {
				peer = v
			}
		}
		found = append(found, "in "+name(at(p, "GroupId"))+" <> "+name(peer)+" "+ports(p))
	}
	for _, r := range tm.Of("AWS::EC2::SecurityGroupEgress") {
		p := r["Properties"]
		found = append(found, "out "+name(at(p, "GroupId"))+" <> "+name(at(p, "DestinationSecurityGroupId"))+" "+ports(p))
	}
	slices.Sort(found)
	return found
}

// listener returns the logical id and the resource of the listener on a port.
func listener(tm template, port int) (string, map[string]any) {
	tm.T.Helper()
	for id, r := range tm.Resources {
		if at(r, "Type") == "AWS::ElasticLoadBalancingV2::Listener" && text(at(r, "Properties", "Port")) == text(port) {
			return id, at(r, "Properties").(map[string]any)
		}
	}
	tm.T.Fatalf("no listener on port %d", port)
	return "", nil
}

const publicWeb = `
services:
  web:
    image: nginx:1.27
    ports: ["80:8080"]
    stop_grace_period: 45s
    healthcheck: {test: [CMD, curl, -f, "http://localhost:8080/ping"], start_period: 90s}
    x-ingress: public
  worker:
    image: busybox:1.36
`

// A service with x-ingress: public is reached by everybody on its published
// port, and only through the load balancer.
func TestIngressPublic(t *testing.T) {
	tm := buildIngress(t, publicWeb)
	equal(t, "ways", ways(tm), []string{
		"in load balancer public <> 0.0.0.0/0 80/tcp",
		"in tasks of web <> load balancer public 8080/tcp",
		"out load balancer public <> tasks of web 8080/tcp",
		"out tasks of web <> 0.0.0.0/0 all",
		"out tasks of worker <> 0.0.0.0/0 all",
	})
	lb := tm.One("AWS::ElasticLoadBalancingV2::LoadBalancer")
	equal(t, "scheme", lb["Scheme"], "internet-facing")
	equal(t, "type", lb["Type"], "application")
	contains(t, "attributes", lb["LoadBalancerAttributes"], `{"Key":"routing.http.drop_invalid_header_fields.enabled","Value":"true"}`)
	contains(t, "subnets", lb["Subnets"], "PublicSubnets")
	group := tm.One("AWS::ElasticLoadBalancingV2::TargetGroup")
	equal(t, "target type", group["TargetType"], "ip")
	equal(t, "port", group["Port"], 8080)
	equal(t, "health check path", group["HealthCheckPath"], "/ping")
	equal(t, "healthy codes", at(group, "Matcher", "HttpCode"), "200-399")
	contains(t, "group attributes", group["TargetGroupAttributes"], `{"Key":"deregistration_delay.timeout_seconds","Value":"45"}`)
	id, l := listener(tm, 80)
	equal(t, "protocol", l["Protocol"], "HTTP")
	equal(t, "action", at(l, "DefaultActions", 0, "Type"), "forward")
	for _, s := range tm.Of("AWS::ECS::Service") {
		if targets, _ := at(s, "Properties", "LoadBalancers").([]any); len(targets) > 0 {
			equal(t, "container", at(targets, 0, "ContainerName"), "web")
			equal(t, "container port", at(targets, 0, "ContainerPort"), 8080)
			equal(t, "grace period", at(s, "Properties", "HealthCheckGracePeriodSeconds"), 90)
			contains(t, "ECS waits for the listener", s["DependsOn"], id)
			continue
		}
		equal(t, "worker has no listener", strings.Contains(text(s["DependsOn"]), id), false)
	}
	if ids := listenerIDs(tm); ids[0] != id || !strings.HasPrefix(id, "xingresspubliclistener80") {
		t.Errorf("listener is named %s", id)
	}
}

func listenerIDs(tm template) []string {
	var ids []string
	for id, r := range tm.Resources {
		if at(r, "Type") == "AWS::ElasticLoadBalancingV2::Listener" {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Two syntheses give the same bytes, and another service on the shared load
// balancer changes nothing of what is there for the first one.
func TestIngressDeterminism(t *testing.T) {
	first := buildIngress(t, publicWeb)
	if second := buildIngress(t, publicWeb); second.Text != first.Text {
		t.Error("two syntheses differ")
	}
	more := buildIngress(t, publicWeb+`
  admin:
    image: nginx:1.27
    ports: ["8081:80"]
    x-ingress: public
`)
	for id, r := range first.Resources {
		if kind := at(r, "Type"); kind == "AWS::EC2::SecurityGroup" && strings.HasPrefix(id, "xingress") {
			continue // the ports that are open to the world stand in one list
		}
		if at(r, "Type") != "AWS::CDK::Metadata" && text(more.Resources[id]) != text(r) {
			t.Errorf("%s changed: %s\nto %s", id, text(r), text(more.Resources[id]))
		}
	}
}

// An internal load balancer is open to the VPC only, and refuses to be built
// where nobody knows the VPC's range.
func TestIngressInternal(t *testing.T) {
	file := `
services:
  web: {image: nginx:1.27, ports: ["80:80"], x-ingress: internal}
`
	tm := buildIngress(t, file)
	equal(t, "ways", ways(tm), []string{
		"in load balancer internal <> 10.0.0.0/16 80/tcp",
		"in tasks of web <> load balancer internal 80/tcp",
		"out load balancer internal <> tasks of web 80/tcp",
		"out tasks of web <> 0.0.0.0/0 all",
	})
	lb := tm.One("AWS::ElasticLoadBalancingV2::LoadBalancer")
	equal(t, "scheme", lb["Scheme"], "internal")
	contains(t, "subnets", lb["Subnets"], "AppSubnets")

	unknown := &compose.Network{Path: "x-vpc", Existing: &compose.ExistingVPC{ID: "vpc-1", AvailabilityZones: []string{"eu-west-1a"}, Subnets: map[string]compose.SubnetSelection{
		compose.AppSubnets: {IDs: []string{"subnet-a"}}, compose.PublicSubnets: {IDs: []string{"subnet-b"}},
	}}}
	_, err := tryIngress(t, file, unknown, "", false)
	var at *guard.Error
	if !errors.As(err, &at) || at.At != "services.web.x-ingress" || !strings.Contains(err.Error(), "x-vpc.Lookup.VpcCidr") {
		t.Errorf("got %v", err)
	}
}

const richFile = `
services:
  web:
    image: nginx:1.27
    ports: ["80"]
    expose: ["9000"]
  api:
    image: nginx:1.27
    ports: ["5000"]
x-elbv2:
  edge:
    Properties:
      Scheme: internet-facing
      Type: application
      IpAddressType: dualstack
      Tags: {owner: me}
      LoadBalancerAttributes:
        deletion_protection.enabled: true
        access_logs.s3.enabled: true
        access_logs.s3.bucket: logs-${AWS::AccountId}
      MinimumLoadBalancerCapacity: {CapacityUnits: 100}
    MacroParameters: {timeout_seconds: 120, http2: false, drop_invalid_header_fields: false}
    Listeners:
      - Port: 80
        Protocol: HTTP
        DefaultActions: [{Redirect: HTTP_TO_HTTPS}]
      - Port: 443
        Protocol: HTTP
        Certificates:
          - Arn: arn:aws:acm:eu-west-1:012345678912:certificate/one
          - CertificateArn: "arn:${AWS::Partition}:acm:${AWS::Region}:${AWS::AccountId}:certificate/two"
        Targets:
          - {name: "web:web", access: /}
          - {name: "api:api", access: /api/*}
          - name: api:api
            Conditions:
              - HostHeaderConfig: {Values: [api.example.com]}
                HttpRequestMethodConfig: {Values: [GET]}
            AuthenticateOidcConfig:
              Issuer: https://idp
              AuthorizationEndpoint: https://idp/a
              TokenEndpoint: https://idp/t
              UserInfoEndpoint: https://idp/u
              ClientId: me
              ClientSecret: "{{resolve:secretsmanager:idp:SecretString:client}}"
              SessionTimeout: 3600
      - Port: 8080
        Targets:
          - {name: "api:api", access: api.example.com/v1}
    Services:
      web:web: {port: 80, protocol: HTTP, healthcheck: "9000:HTTP:5:2:15:3:/ping:200,201"}
      api:api: {port: 5000, protocol: HTTP, healthcheck: "5000:HTTP", TargetGroupAttributes: [{Key: stickiness.enabled, Value: "true"}]}
`

// x-elbv2 gives certificates, redirects, rules and health checks as written.
func TestElbv2Application(t *testing.T) {
	tm := buildIngress(t, richFile)
	equal(t, "ways", ways(tm), []string{
		"in load balancer edge <> 0.0.0.0/0 443/tcp",
		"in load balancer edge <> 0.0.0.0/0 80/tcp",
		"in load balancer edge <> 0.0.0.0/0 8080/tcp",
		"in load balancer edge <> ::/0 443/tcp",
		"in load balancer edge <> ::/0 80/tcp",
		"in load balancer edge <> ::/0 8080/tcp",
		"in tasks of api <> load balancer edge 5000/tcp",
		"in tasks of web <> load balancer edge 80/tcp",
		"in tasks of web <> load balancer edge 9000/tcp",
		"out load balancer edge <> tasks of api 5000/tcp",
		"out load balancer edge <> tasks of web 80/tcp",
		"out load balancer edge <> tasks of web 9000/tcp",
		"out tasks of api <> 0.0.0.0/0 all",
		"out tasks of web <> 0.0.0.0/0 all",
	})
	lb := tm.One("AWS::ElasticLoadBalancingV2::LoadBalancer")
	equal(t, "address type", lb["IpAddressType"], "dualstack")
	equal(t, "other properties", lb["MinimumLoadBalancerCapacity"], map[string]any{"CapacityUnits": 100})
	contains(t, "pseudo parameters", lb["LoadBalancerAttributes"], `{"Key":"access_logs.s3.bucket","Value":{"Fn::Join":["",["logs-",{"Ref":"AWS::AccountId"}]]}}`)
	contains(t, "tags", lb["Tags"], `{"Key":"owner","Value":"me"}`)
	for _, pair := range []string{
		`{"Key":"deletion_protection.enabled","Value":"true"}`, `{"Key":"idle_timeout.timeout_seconds","Value":"120"}`,
		`{"Key":"routing.http2.enabled","Value":"false"}`, `{"Key":"routing.http.drop_invalid_header_fields.enabled","Value":"false"}`,
	} {
		contains(t, "attributes", lb["LoadBalancerAttributes"], pair)
	}

	_, plain := listener(tm, 80)
	equal(t, "redirect", plain["DefaultActions"], []any{map[string]any{
		"Type": "redirect", "RedirectConfig": map[string]any{"Port": "443", "Protocol": "HTTPS", "StatusCode": "HTTP_301"},
	}})
	id, secure := listener(tm, 443)
	equal(t, "upgraded", secure["Protocol"], "HTTPS")
	equal(t, "policy", secure["SslPolicy"], "ELBSecurityPolicy-TLS13-1-2-2021-06")
	equal(t, "certificate", at(secure, "Certificates", 0, "CertificateArn"), "arn:aws:acm:eu-west-1:012345678912:certificate/one")
	further := tm.One("AWS::ElasticLoadBalancingV2::ListenerCertificate")
	contains(t, "further certificate", at(further, "Certificates", 0, "CertificateArn"), `":acm:",{"Ref":"AWS::Region"}`)
	equal(t, "its listener", at(further, "ListenerArn", "Ref"), id)
	_, other := listener(tm, 8080)
	equal(t, "teapot", at(other, "DefaultActions", 0, "FixedResponseConfig", "StatusCode"), "418")

	var rules []string
	for _, r := range tm.Of("AWS::ElasticLoadBalancingV2::ListenerRule") {
		rules = append(rules, text(at(r, "Properties", "Conditions")))
		if strings.Contains(text(at(r, "Properties", "Conditions")), "http-request-method") {
			equal(t, "authentication first", at(r, "Properties", "Actions", 0, "Type"), "authenticate-oidc")
			equal(t, "session timeout is a number", at(r, "Properties", "Actions", 0, "AuthenticateOidcConfig", "SessionTimeout"), 3600)
			equal(t, "then forward", at(r, "Properties", "Actions", 1, "Order"), 2)
		}
	}
	slices.Sort(rules)
	equal(t, "rules", rules, []string{
		`[{"Field":"host-header","HostHeaderConfig":{"Values":["api.example.com"]}},{"Field":"http-request-method","HttpRequestMethodConfig":{"Values":["GET"]}}]`,
		`[{"Field":"host-header","HostHeaderConfig":{"Values":["api.example.com"]}},{"Field":"path-pattern","PathPatternConfig":{"Values":["/v1"]}}]`,
		`[{"Field":"path-pattern","PathPatternConfig":{"Values":["/api/*"]}}]`,
	})
	// ECS must wait for all that put the service's group behind the load balancer.
	for _, s := range tm.Of("AWS::ECS::Service") {
		if at(s, "Properties", "LoadBalancers", 0, "ContainerName") == "api" {
			contains(t, "api waits for its rules", s["DependsOn"], "xelbv2edgelistener443pathapi")
		}
	}
	for _, g := range tm.Of("AWS::ElasticLoadBalancingV2::TargetGroup") {
		if text(at(g, "Properties", "Port")) == "80" {
			equal(t, "health", []any{
				at(g, "Properties", "HealthCheckPort"), at(g, "Properties", "HealthyThresholdCount"), at(g, "Properties", "UnhealthyThresholdCount"),
				at(g, "Properties", "HealthCheckIntervalSeconds"), at(g, "Properties", "HealthCheckTimeoutSeconds"),
				at(g, "Properties", "HealthCheckPath"), at(g, "Properties", "Matcher", "HttpCode"),
			}, []any{"9000", 5, 2, 15, 3, "/ping", "200,201"})
		}
	}
}

// An ephemeral environment can always be deleted.
func TestElbv2Destroyable(t *testing.T) {
	c, err := tryIngress(t, richFile, nil, "", true)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "attributes", synth(t, c.stack).One("AWS::ElasticLoadBalancingV2::LoadBalancer")["LoadBalancerAttributes"],
		`{"Key":"deletion_protection.enabled","Value":"false"}`)
	equal(t, "endpoints", c.lbs["edge"].Endpoints(), []ingress.Endpoint{{Protocol: "HTTP", Port: 80}, {Protocol: "HTTPS", Port: 443}, {Protocol: "HTTP", Port: 8080}})
}

// A network load balancer passes TCP and UDP on, from fixed addresses, to all
// the families of a shared target group.
func TestElbv2Network(t *testing.T) {
	file := `
services:
  a: {image: nginx:1.27, ports: ["80"]}
  b: {image: nginx:1.27, ports: ["80"]}
  dns: {image: coredns/coredns:1.12.0, ports: ["53:53/udp", "53:53/tcp"], expose: ["8080"]}
x-elbv2:
  net:
    Properties: {Scheme: internet-facing, Type: network}
    MacroParameters: {cross_zone: true, Ingress: {ExtSources: [{IPv4: 192.0.2.0/24, Ports: [53]}, {IPv4: 198.51.100.7}], AwsSources: [{Type: PrefixList, Id: pl-6da54004}]}}
    Settings: {RetainEips: true, NoAllocateEips: false}
    Listeners:
      8080: {Protocol: TCP, Targets: [{name: all, access: /}]}
      53: {Protocol: TCP_UDP, Targets: [{name: dns, access: /}]}
    TargetGroups:
      all: {Port: 80, Protocol: TCP, Services: [{Name: "a:a", Port: 80}, {Name: "b:b", Port: 80}], HealthCheck: {HealthCheckProtocol: TCP, HealthCheckIntervalSeconds: 17, HealthCheckTimeoutSeconds: 10}}
    Services:
      dns:dns: {port: 53, protocol: TCP_UDP, healthcheck: "8080:HTTP:/health"}
`
	tm := buildIngress(t, file)
	equal(t, "ways", ways(tm), []string{
		"in load balancer net <> 192.0.2.0/24 53/tcp",
		"in load balancer net <> 192.0.2.0/24 53/udp",
		"in load balancer net <> 198.51.100.7/32 53/tcp",
		"in load balancer net <> 198.51.100.7/32 53/udp",
		"in load balancer net <> 198.51.100.7/32 8080/tcp",
		"in load balancer net <> pl-6da54004 53/tcp",
		"in load balancer net <> pl-6da54004 53/udp",
		"in load balancer net <> pl-6da54004 8080/tcp",
		"in tasks of a <> load balancer net 80/tcp",
		"in tasks of b <> load balancer net 80/tcp",
		"in tasks of dns <> load balancer net 53/tcp",
		"in tasks of dns <> load balancer net 53/udp",
		"in tasks of dns <> load balancer net 8080/tcp",
		"out load balancer net <> tasks of a 80/tcp",
		"out load balancer net <> tasks of b 80/tcp",
		"out load balancer net <> tasks of dns 53/tcp",
		"out load balancer net <> tasks of dns 53/udp",
		"out load balancer net <> tasks of dns 8080/tcp",
		"out tasks of a <> 0.0.0.0/0 all",
		"out tasks of b <> 0.0.0.0/0 all",
		"out tasks of dns <> 0.0.0.0/0 all",
	})
	lb := tm.One("AWS::ElasticLoadBalancingV2::LoadBalancer")
	equal(t, "mappings", len(lb["SubnetMappings"].([]any)), 2)
	equal(t, "no subnets beside", lb["Subnets"], nil)
	contains(t, "attributes", lb["LoadBalancerAttributes"], `{"Key":"load_balancing.cross_zone.enabled","Value":"true"}`)
	retained := 0
	for _, eip := range tm.Of("AWS::EC2::EIP") {
		if eip["DeletionPolicy"] == "Retain" && eip["UpdateReplacePolicy"] == "Retain" {
			retained++
		}
	}
	equal(t, "retained addresses", retained, 2)
	served := map[string]int{}
	for _, s := range tm.Of("AWS::ECS::Service") {
		for _, target := range at(s, "Properties", "LoadBalancers").([]any) {
			served[text(at(target, "TargetGroupArn"))]++
		}
	}
	equal(t, "target groups", len(served), 2)

	none := buildIngress(t, strings.Replace(file, "NoAllocateEips: false", "NoAllocateEips: true", 1))
	equal(t, "addresses left", len(none.Of("AWS::EC2::EIP")), 1) // of the NAT gateway
	equal(t, "subnets", len(none.One("AWS::ElasticLoadBalancingV2::LoadBalancer")["Subnets"].([]any)), 2)
}

// An existing load balancer gets listeners; its own security group is not
// touched, and the targets let it in.
func TestElbv2Lookup(t *testing.T) {
	file := `
services:
  web: {image: nginx:1.27, ports: ["80"]}
x-elbv2:
  old:
    Lookup: {loadbalancer: {Tags: [{owner: platform}]}}
    Listeners: [{Port: 8080, Protocol: HTTP, Targets: [{name: "web:web", access: /}]}]
    Services:
      web:web: {port: 80, protocol: HTTP, healthcheck: 80:HTTP}
`
	c, err := tryIngress(t, file, nil, "123456789012", false)
	if err != nil {
		t.Fatal(err)
	}
	tm := synth(t, c.stack)
	tm.Count("AWS::ElasticLoadBalancingV2::LoadBalancer", 0)
	contains(t, "looked up", missingContext(t, tm), "load-balancer")
	_, l := listener(tm, 8080)
	contains(t, "existing load balancer", l["LoadBalancerArn"], "arn:")
	var in []string
	for _, way := range ways(tm) {
		if strings.HasPrefix(way, "in ") {
			in = append(in, way)
		}
	}
	equal(t, "ways in", len(in), 1)
	contains(t, "way in", in, "in tasks of web \\u003c\\u003e sg-")
	tm.Count("AWS::EC2::SecurityGroupEgress", 0)

	if _, err := tryIngress(t, file, nil, "", false); err == nil || !strings.Contains(err.Error(), "-c account=") {
		t.Errorf("without an account: %v", err)
	}
}
