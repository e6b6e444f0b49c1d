//go:build !race

package pipelines

import (
	"testing"

	"composecdk/gate"
	"composecdk/test/engine"
)

// acceptedInPipelines are the findings of the gate that are right as they are.
var acceptedInPipelines = []gate.Acceptance{
	{Rule: "wildcard-resource", At: "*/StagesUpdatePipelineSelfMutationRoleDefaultPolicy*", Reason: "CDK Pipelines makes this policy: stacks and buckets are only listed; what may be deployed is said by the roles that it may assume"},
	{Rule: "wildcard-resource", At: "Roles-*/Execution*", Reason: "CloudFormation makes what templates say, under names that AWS makes up; services are listed, and roles limited by the permissions boundary"},
	{Rule: "wildcard-action", At: "Roles-*/Execution*", Reason: "CloudFormation reads whatever there is to read of the listed services; what changes something is named, but in the tooling account"},
}

// TestPipelineGate holds the rules of package gate over the pipelines, and all that
// they deploy.
func TestPipelineGate(t *testing.T) {
	used := map[gate.Acceptance]bool{}
	for _, c := range deliveredCases(t) {
		t.Run(c.name, func(t *testing.T) { engine.Unaccepted(t, c.found, acceptedInPipelines, used) })
	}
	engine.AllUsed(t, acceptedInPipelines, used)
}
