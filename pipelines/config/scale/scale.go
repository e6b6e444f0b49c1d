// Package scale writes projects of any size for tests: a pipeline.yaml that uses
// everything that the schema has for many applications and accounts, and the compose
// repository that belongs to it.
package scale

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// pipelineFile deploys to every account of a unit, a canary first.
const pipelineFile = `Name: scale
OrganizationId: o-abc1234567
Tooling: {Account: shared, Region: eu-west-1}
Accounts: {Include: accounts.json}
Connections:
  github: {Arn: "arn:aws:codeconnections:eu-west-1:100000000000:connection/0c0ffee0-1234-4abc-9def-0123456789ab"}
Compose:
  Source: {CodeCommit: {Repository: scale-compose}}
  Files: [compose.yaml]
Defaults:
  Group: "${Team}"
  Source: {Connection: {Name: github, Repository: "my-org/${App}"}}
  Scan: {Critical: 0, High: 0}
Include: [apps/*.yaml]
Environments:
  - Name: throwaway
    Type: ephemeral
    Target: {Account: dev}
    Tests: [{Name: smoke, Env: {URL: "${Outputs.AlbEndpoint}"}, Commands: ['curl --fail "$URL/"']}]
  - Name: production
    Type: permanent
    Targets:
      - {Accounts: {Tags: {tier: canary}}}
      - {Accounts: {Ou: /workloads/prod, Exclude: [legacy]}}
    Wave: {Size: %d, Bake: {Alarms: [ErrorsHigh], For: PT30M}}
    Vpc: {Use: {FromAccount: true}}
    Approval: {Comment: Roll out to all accounts?}
Notifications:
  - {Email: team@example.org}
`

// team is the number of applications of a team.
const team = 20

// Write writes pipeline.yaml, its included files, and the compose files of a number of
// applications to a folder, for a number of accounts, 4 at least: the tooling account,
// one for tests, one that is excluded, and the production accounts, of which the first
// is the canary.
func Write(dir string, apps, accounts int) error {
	wave := 3 // a wave has 50 actions at most, and each stack takes two
	if apps > 100 {
		wave = 1
	}
	files := map[string]string{"pipeline.yaml": fmt.Sprintf(pipelineFile, wave), "accounts.json": accountsFile(accounts), "compose.yaml": composeFile(apps)}
	for i := range apps {
		name := fmt.Sprintf("apps/team-%02d.yaml", i/team)
		files[name] += fmt.Sprintf("%s: {Team: team-%02d}\n", service(i), i/team)
		files["images/"+service(i)+".yaml"] = fmt.Sprintf("services:\n  %s:\n    image: %s\n", service(i),
			fmt.Sprintf("100000000000.dkr.ecr.eu-west-1.amazonaws.com/scale/%s@sha256:%064x", service(i), i+1))
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func service(i int) string { return fmt.Sprintf("svc-%03d", i) }

type m = map[string]any

func accountsFile(n int) string {
	const zones = `["eu-west-1a","eu-west-1b"]`
	all := m{
		"shared": m{"Id": "100000000000"},
		"dev":    m{"Id": "100000000001", "Ou": "/workloads/test", "AvailabilityZones": json.RawMessage(zones)},
		"legacy": m{"Id": "100000000002", "Ou": "/workloads/prod/old"},
	}
	for i := 3; i < n; i++ {
		tier := "rest"
		if i == 3 {
			tier = "canary"
		}
		subnets := func(tier int) []string {
			return []string{fmt.Sprintf("subnet-%08x", 16*i+2*tier), fmt.Sprintf("subnet-%08x", 16*i+2*tier+1)}
		}
		all[fmt.Sprintf("prod-%02d", i-2)] = m{
			"Id": fmt.Sprintf("1%011d", i), "Ou": "/workloads/prod", "Tags": m{"tier": tier}, "Roles": "managed",
			"Regions": m{"eu-west-1": m{
				"AvailabilityZones": json.RawMessage(zones), "Cluster": "apps",
				"Vpc": m{"VpcId": fmt.Sprintf("vpc-%08x", i), "PublicSubnets": subnets(0), "AppSubnets": subnets(1), "StorageSubnets": subnets(2)},
			}},
		}
	}
	text, _ := json.MarshalIndent(all, "", "  ") //nolint:errchkjson // text and lists of it
	return string(text)
}

// composeFile writes a service per application: the first behind a load balancer, every
// fifth with a queue; each calls the first one of its team.
func composeFile(apps int) string {
	var b, queues strings.Builder
	b.WriteString("name: scale\nservices:\n")
	for i := range apps {
		fmt.Fprintf(&b, "  %s:\n    image: %s\n    expose: [\"8080\"]\n", service(i), service(i))
		if first := i - i%team; i != first {
			fmt.Fprintf(&b, "    depends_on: [%s]\n", service(first))
		}
		b.WriteString("    deploy: {replicas: 2, resources: {limits: {cpus: \"0.25\", memory: 512M}}}\n")
		if i%5 == 0 {
			fmt.Fprintf(&queues, "  queue-%03d:\n    Services: {%s: {Access: Publish}}\n", i, service(i))
		}
	}
	fmt.Fprintf(&b, `x-elbv2:
  public:
    Properties: {Type: application, Scheme: internet-facing}
    MacroParameters: {Ingress: {ExtSources: [{IPv4: 0.0.0.0/0, Name: ANY}]}}
    Listeners: [{Port: 80, Protocol: HTTP, Targets: [{name: "%[1]s:%[1]s", access: /}]}]
    Services: {"%[1]s:%[1]s": {port: 8080, protocol: HTTP, healthcheck: "8080:HTTP:/:200"}}
x-sqs:
%[2]s`, service(0), queues.String())
	return b.String()
}
