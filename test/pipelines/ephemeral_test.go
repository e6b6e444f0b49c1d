//go:build !race

package pipelines

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/test/assembly"
	"composecdk/test/fixture"
)

// TestEphemeral: nothing of an ephemeral environment may outlive its stacks, and
// production's stacks cannot be deleted by mistake.
func TestEphemeral(t *testing.T) {
	d := deliver(t, threeAccounts())
	n := 0
	for name, tm := range d.assembly {
		if !strings.HasPrefix(name, "throwaway") {
			continue
		}
		for id, r := range tm.Resources {
			n++
			if kept := at(r, "DeletionPolicy"); kept != nil && kept != "Delete" {
				t.Errorf("%s: %s has DeletionPolicy %v", name, id, kept)
			}
		}
	}
	if n == 0 {
		t.Fatal("there is no ephemeral environment")
	}
	for stage, want := range map[string]any{"throwaway-shop": nil, "production-shop": true} {
		var manifest struct {
			Artifacts map[string]struct {
				Type       string
				Properties map[string]any
			}
		}
		assembly.ReadJSON(t, filepath.Join(d.dir, "assembly-"+stage, "manifest.json"), &manifest)
		for id, a := range manifest.Artifacts {
			if a.Type == "aws:cloudformation:stack" {
				got := a.Properties["terminationProtection"]
				if got == false {
					got = nil
				}
				equal(t, "termination protection of "+id, got, want)
			}
		}
	}
}

// TestOutputsOfTests: a test gets the outputs of the environment that is deployed, as
// a whole or within a text.
func TestOutputsOfTests(t *testing.T) {
	d := deliver(t, threeAccounts())
	stages, _ := d.pipelineStages()
	smoke := action(t, stages["throwaway-shop"], "smoke")
	var variables []struct{ Name, Value string }
	if err := json.Unmarshal([]byte(at(smoke, "Configuration", "EnvironmentVariables").(string)), &variables); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, v := range variables {
		values[v.Name] = v.Value
	}
	deployed := action(t, stages["throwaway-shop"], "Services.Deploy")
	output := "#{" + at(deployed, "Namespace").(string) + ".Endpointpublic80}"
	equal(t, "the variables", values, map[string]string{"API_URL": output, "HEALTH": output + "/health", "MODE": "fast"})
	equal(t, "what is tested", at(smoke, "InputArtifacts", 0, "Name"), at(action(t, stages["Source"], "Source"), "OutputArtifacts", 0, "Name"))

	c := threeAccounts()
	c.Environments[0].Tests[0].Env["API_URL"] = "${Outputs.Nonesuch}"
	c.Environments[0].Tests[0].Path = "Environments[0].Tests[0]"
	if _, err := tryDeliver(t, c, nil); err == nil || err.Error() != `Environments[0].Tests[0]: the environment has no output "Nonesuch"` {
		t.Errorf("an output that is not there: %v", err)
	}
}

// TestEmptyStack: an environment whose network and cluster exist has a stack without
// resources, which CloudFormation refuses.
func TestEmptyStack(t *testing.T) {
	c := threeAccounts()
	c.Environments = c.Environments[1:]
	d, err := deliverFile(t, c, nil, fixture.Write(t, `
name: shop
services: {web: {image: "nginx:1.27"}}
x-vpc:
  Lookup:
    VpcId: vpc-0224f562ec65d1d46
    PublicSubnets: [subnet-056d1f5f3e836ee88, subnet-00b6cae7cc7834d5d]
    AppSubnets: [subnet-035f33435dfe8b950, subnet-08aa089d7b0c9c806]
    StorageSubnets: [subnet-026edefbe7cd6f626, subnet-0225326e7ecc03e73]
x-cluster: {Lookup: production}
`))
	if err != nil {
		t.Fatal(err)
	}
	for name, tm := range d.assembly {
		if strings.HasPrefix(name, "productionshopNetwork") {
			equal(t, "resources", len(tm.Of("AWS::CloudFormation::WaitConditionHandle")), 1)
			return
		}
	}
	t.Error("there is no network stack")
}
