//go:build !race

package applications

import (
	"path/filepath"
	"testing"

	"composecdk/gate"
	"composecdk/test/engine"
	"composecdk/test/fixture"
)

// acceptedInGoldens are the findings of the gate that a golden case or an example
// asks for, to show that it can be asked for.
var acceptedInGoldens = []gate.Acceptance{
	{Rule: "circuit-breaker", At: "services/Services/batchService*", Reason: "the file says failure_action: pause"},
	{Rule: "data-unencrypted", At: "mail/Data/xsqslostDefinition*", Reason: "the file says SqsManagedSseEnabled: false"},
	{Rule: "public-task", At: "networks/Services/webService*", Reason: "the file says AssignPublicIp: true"},
}

// acceptedInCorpus are those that the untrusted files ask for.
var acceptedInCorpus = []gate.Acceptance{
	{Rule: "administrator", At: "*/Services/*TaskRole*", Reason: "the file attaches the policy (x-iam.ManagedPolicyArns)"},
	{Rule: "circuit-breaker", At: "*/Services/*Service*", Reason: "the file says failure_action: pause or x-aws-… without rollback"},
	{Rule: "data-public", At: "use-cases/Data/xs3bucket*", Reason: "the file says RestrictPublicBuckets: false"},
	{Rule: "data-unprotected", At: "*/Data/xrds*", Reason: "the file says DeletionProtection: false"},
	{Rule: "open-to-world", At: "*/Services/*ingress*", Reason: "the file says x-network.Ingress from 0.0.0.0/0"},
	{Rule: "plain-secret", At: "use-cases/Services/xelbv2lbAlistener443*", Reason: "the file has the ClientSecret in clear text, of which a warning tells"},
	{Rule: "public-task", At: "use-cases/Services/yelbuiService*", Reason: "the file says AssignPublicIp: true"},
	{Rule: "wildcard-action", At: "use-cases/Data/xkmskeyC*", Reason: "the policy is the file's own (KeyPolicy)"},
	{Rule: "wildcard-action", At: "use-cases/Data/xs3bucket*", Reason: "the policy is the file's own (MacroParameters.BucketPolicy)"},
	{Rule: "wildcard-action", At: "*/Services/*TaskRolexiam*", Reason: "the policy is the file's own (x-iam.Policies)"},
}

// gateFindings returns what the gate finds in an assembly, but for what is accepted;
// used notes which rows were needed.
func gateFindings(t *testing.T, dir string, accepted []gate.Acceptance, used map[gate.Acceptance]bool) []gate.Finding {
	t.Helper()
	assembly, err := gate.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return engine.Unaccepted(t, assembly.Check(), accepted, used)
}

// checkGate fails for whatever the gate finds in an application.
func checkGate(t *testing.T, app application) {
	t.Helper()
	gateFindings(t, app.dir, nil, nil)
}

// TestGate holds the rules of package gate over the golden cases and the examples;
// TestCorpus does over the untrusted files.
func TestGate(t *testing.T) {
	used := map[gate.Acceptance]bool{}
	for _, c := range gatedCases(t) {
		t.Run(c.name, func(t *testing.T) {
			gateFindings(t, c.synthesised(t).dir, acceptedInGoldens, used)
		})
	}
	engine.AllUsed(t, acceptedInGoldens, used)
}

// gatedCases returns the golden cases, and all the examples where no kind is chosen.
func gatedCases(t *testing.T) []goldenCase {
	t.Helper()
	cases := goldenCases(t)
	if fixture.Kind() != "" {
		return cases
	}
	for _, pattern := range []string{"../../examples/*/compose.yaml", fixture.Rich} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no example (%v)", pattern, err)
		}
		for _, file := range files {
			cases = append(cases, goldenCase{name: file, files: []string{file}})
		}
	}
	return cases
}
