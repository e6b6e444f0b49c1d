package compose

// LoadBalancer is an Application or Network Load Balancer: one of x-elbv2, or
// the one shared by all services with the same x-ingress.
type LoadBalancer struct {
	// Key is "x-elbv2" or "x-ingress"; Name is unique within it.
	Key, Name string
	Path      Path
	Type      string // "application" or "network"
	Internal  bool
	// SubnetGroup is where it lives: PublicSubnets, or AppSubnets if internal.
	SubnetGroup string
	// Attributes are load balancer attributes by name.
	Attributes map[string]string
	// Properties are further CloudFormation properties, as written.
	Properties map[string]any
	// Tags are added to the stack's tags.
	Tags map[string]string
	// Sources may reach the listeners. A public load balancer has 0.0.0.0/0 and
	// ::/0 unless the file says otherwise; an internal one has the VPC.
	Sources      []IngressSource
	Listeners    []*Listener    // sorted by port
	TargetGroups []*TargetGroup // sorted by name
	// Aliases are DNS names of the load balancer.
	Aliases []Alias
	// Lookup finds an existing load balancer by ARN or tags.
	Lookup *LookupTarget
	// ElasticIPs gives a public network load balancer a fixed address per zone;
	// RetainElasticIPs keeps the addresses when the load balancer goes.
	ElasticIPs, RetainElasticIPs bool
}

// Alias are DNS names in a hosted zone that lead to a load balancer.
type Alias struct {
	Names []string
	// Zone is the id of the hosted zone.
	Zone Text
	Path Path
}

// Certificate is a certificate of a listener.
type Certificate struct {
	// Name tells the certificates of a listener apart. It follows from the text of
	// the file, so that construct ids can hold it; the ARN may be a token.
	Name string
	ARN  Text
}

// Listener is one port of a load balancer.
type Listener struct {
	Port         int
	Protocol     string // HTTP, HTTPS, TCP, TLS, UDP or TCP_UDP
	SSLPolicy    string
	Certificates []Certificate
	// Default is what happens when no rule matches.
	Default Action
	// Rules are sorted by priority.
	Rules []*Rule
	// Properties are further CloudFormation properties, as written.
	Properties map[string]any
	Path       Path
}

// Rule forwards the requests that match all its conditions.
type Rule struct {
	// Priority is 1 to 50000. It follows from the rule's own words, never from
	// its place in the file, so that adding a rule moves no other. Pinned says
	// that the file gives it as a number.
	Priority int
	Pinned   bool
	// Hosts and Paths are patterns; Conditions are CloudFormation rule
	// conditions as written.
	Hosts, Paths []string
	Conditions   []map[string]any
	Action       Action
	Path         Path
}

// Action of a listener or rule: exactly one of Forward, Redirect and Fixed is
// set, after Raw where both are, or Raw alone.
type Action struct {
	// Forward names target groups by weight; most often a single one.
	Forward []WeightedTarget
	// Redirect is an HTTP redirect.
	Redirect *Redirect
	// Fixed answers without a target.
	Fixed *FixedResponse
	// Raw are CloudFormation actions as written, such as an authentication.
	Raw []map[string]any
}

// WeightedTarget is a target group and its share of the requests.
type WeightedTarget struct {
	TargetGroup string
	Weight      int
}

// Redirect answers with a redirect; empty parts keep the request's own.
type Redirect struct {
	Protocol, Port, Host, Path, Query string
	Permanent                         bool
}

// FixedResponse answers with a fixed text.
type FixedResponse struct {
	Status            int
	ContentType, Body string
}

// TargetGroup is a port of containers that a load balancer sends requests to.
type TargetGroup struct {
	Name            string // unique within the load balancer
	Path            Path
	Targets         []Target // more than one for a group shared by families
	Port            int
	Protocol        string // HTTP, HTTPS, TCP, TLS, UDP or TCP_UDP
	ProtocolVersion string // HTTP1, HTTP2, GRPC or ""
	HealthCheck     TargetHealthCheck
	// Attributes are target group attributes by name.
	Attributes map[string]string
	// Tags are added to the stack's tags.
	Tags map[string]string
}

// Target is a port of a container of a family.
type Target struct {
	Family, Container string
	Port              int
}

// TargetHealthCheck says how a load balancer checks a target. Times are in
// seconds; zero values keep the load balancer's defaults.
type TargetHealthCheck struct {
	Protocol, Path, Codes                       string
	Port, Healthy, Unhealthy, Interval, Timeout int
}
