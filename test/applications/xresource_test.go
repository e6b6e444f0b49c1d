//go:build !race

package applications

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"composecdk/compose"
	"composecdk/test/fixture"
)

// role lists what the role of a family may do: actions, "on", resources.
func (a application) role(name string) []string { return statements(a.templates["Services"], name) }

// container returns the container of a name, in whatever family.
func (a application) container(name string) map[string]any {
	for _, task := range a.templates["Services"].Of("AWS::ECS::TaskDefinition") {
		for _, c := range at(task, "Properties", "ContainerDefinitions").([]any) {
			if at(c, "Name") == name {
				return c.(map[string]any)
			}
		}
	}
	return nil
}

const mailFile = `
services:
  app01: {image: nginx}
  app02: {image: nginx}
x-sqs:
  queue01:
    Properties: {RedrivePolicy: {deadLetterTargetArn: x-sqs::dlq::Arn, maxReceiveCount: 3}}
    Services: {app01: {Access: Publish}}
  dlq: {}
`

// A task role must hold what its family's bindings say on the one resource, and
// nothing on any other; a family without a binding must hold nothing.
func TestAccessIsTheBindingsOnly(t *testing.T) {
	app := synthesise(t, target{}, fixture.Write(t, mailFile))
	may := app.role("app01TaskRole")
	if len(may) != 1 || !strings.HasPrefix(may[0], `["sqs:GetQueueAttributes","sqs:GetQueueUrl","sqs:SendMessage"] on `) ||
		!strings.Contains(may[0], "queue01Definition") || strings.Contains(may[0], "*") {
		t.Errorf("app01 may %v", may)
	}
	equal(t, "app02", app.role("app02TaskRole"), []string(nil))
	contains(t, "variables", app.container("app01")["Environment"], `"Name":"QUEUE01"`)
	equal(t, "app02's variables", app.container("app02")["Environment"], any(nil))
}

// Nobody may reach a queue without TLS, and nobody is let in by its policy.
func TestQueuesRefusePlainText(t *testing.T) {
	app := synthesise(t, target{}, fixture.Write(t, mailFile))
	policies := app.templates["Data"].Of("AWS::SQS::QueuePolicy")
	if len(policies) != 2 {
		t.Fatalf("%d policies of 2 queues", len(policies))
	}
	for _, p := range policies {
		list := at(p, "Properties", "PolicyDocument", "Statement").([]any)
		if len(list) != 1 || at(list[0], "Effect") != "Deny" {
			t.Errorf("got %v", list)
		}
	}
}

const bankFile = `
services:
  one: {image: nginx, deploy: {labels: {ecs.task.family: batch}}}
  two: {image: nginx, deploy: {labels: {ecs.task.family: batch}}}
  web: {image: nginx}
  idle: {image: nginx}
x-rds:
  ledger:
    MacroParameters: {Engine: aurora-postgresql, EngineVersion: "16.4"}
    Services:
      batch: {SecretsMappings: {Mappings: {password: DB_PASSWORD}}}
      web: {DoNotExposeMappings: true}
  audit:
    Properties: {Engine: mysql, Port: 3310}
    Services:
      web: {GenerateConnectionStringSecret: AUDIT_URL}
`

// The execution role must read exactly the secrets that its containers get.
func TestAgentReadsTheSecretsOfItsContainers(t *testing.T) {
	app := synthesise(t, target{}, fixture.Write(t, bankFile))
	reads := func(family string) string {
		var all []string
		for _, s := range app.role(family + "ExecutionRole") {
			if strings.Contains(s, "secretsmanager:") {
				all = append(all, s)
			}
		}
		return strings.Join(all, "\n")
	}
	for family, want := range map[string][]string{"batch": {"ledgerSecret"}, "web": {"auditSecret", "auditConnectionString"}, "idle": nil} {
		got := reads(family)
		for _, secret := range []string{"ledgerSecret", "auditSecret", "auditConnectionString"} {
			if strings.Contains(got, secret) != slices.Contains(want, secret) {
				t.Errorf("%s reads %s", family, got)
			}
		}
		if strings.Contains(got, "*") {
			t.Errorf("%s reads more than one secret: %s", family, got)
		}
		for _, s := range app.role(family + "TaskRole") {
			if strings.Contains(s, "secretsmanager") {
				t.Errorf("the application of %s reads %s", family, s)
			}
		}
	}
}

// A database must be reached by its bound families only, each by one rule on its
// port, which stands in the stack of the services.
func TestDatabasePortIsOpenToBoundFamilies(t *testing.T) {
	app := synthesise(t, target{}, fixture.Write(t, bankFile))
	app.templates["Data"].Count("AWS::EC2::SecurityGroupIngress", 0)
	for _, g := range app.templates["Data"].Of("AWS::EC2::SecurityGroup") {
		equal(t, "rules in the group", at(g, "Properties", "SecurityGroupIngress"), any(nil))
	}
	var rules []string
	for _, r := range app.templates["Services"].Of("AWS::EC2::SecurityGroupIngress") {
		p := r["Properties"]
		rules = append(rules, text(at(p, "Description"))+" "+text(at(p, "FromPort"))+" "+text(at(p, "SourceSecurityGroupId", "Fn::GetAtt", 0)))
	}
	slices.Sort(rules)
	for i, want := range []string{`"batch to x-rds.ledger" 5432 "batch`, `"web to x-rds.audit" 3310 "web`, `"web to x-rds.ledger" 5432 "web`} {
		if i >= len(rules) || !strings.HasPrefix(rules[i], want) {
			t.Fatalf("got %v", rules)
		}
	}
	equal(t, "number of rules", len(rules), 3)
}

// A password must be in no variable, output, command or description: only
// CloudFormation resolves it, for the database and the connection string.
func TestPasswordsAreInNoPlainPlace(t *testing.T) {
	app := synthesise(t, target{}, fixture.Write(t, bankFile))
	if strings.Contains(app.templates["Services"].Text, "{{resolve") {
		t.Error("the services' template resolves a secret")
	}
	for id, r := range app.templates["Data"].Resources {
		kind := at(r, "Type").(string)
		allowed := map[string]string{
			"AWS::RDS::DBCluster": "Master", "AWS::RDS::DBInstance": "Master", "AWS::SecretsManager::Secret": "SecretString",
		}[kind]
		properties, _ := at(r, "Properties").(map[string]any)
		for name, value := range properties {
			if strings.Contains(text(value), "{{resolve") && (allowed == "" || !strings.HasPrefix(name, allowed)) {
				t.Errorf("%s.%s holds a secret", id, name)
			}
		}
	}
	for _, r := range app.templates["Services"].Of("AWS::ECS::TaskDefinition") {
		for _, c := range at(r, "Properties", "ContainerDefinitions").([]any) {
			if e := text(at(c, "Environment")); strings.Contains(e, "PASSWORD") || strings.Contains(e, "AUDIT_URL") {
				t.Errorf("environment %s", e)
			}
		}
	}
}

// What has to be looked up must ask for the account, at its place in the file;
// what the file names fully must not.
func TestLookupsNeedATarget(t *testing.T) {
	t.Run("x-sqs and x-dynamodb by name", func(t *testing.T) {
		synthesise(t, target{}, fixture.Write(t, `
services: {web: {image: nginx}}
x-sqs: {q: {Lookup: {Identifier: stored}, Services: {web: {Access: Publish}}}}
x-dynamodb: {t: {Lookup: {Arn: "arn:aws:dynamodb:eu-west-1:111111111111:table/stored"}, Services: {web: {Access: RO}}}}
`))
	})
	for name, file := range map[string]string{
		"x-sqs":      `x-sqs: {q: {Lookup: {Tags: {a: b}}}}`,
		"x-dynamodb": `x-dynamodb: {q: {Lookup: {Tags: {a: b}}}}`,
		"x-rds":      `x-rds: {q: {Lookup: {db: {Name: stored}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			found := failures(t, target{}, fixture.Write(t, "services: {web: {image: nginx}}\n"+file+"\n"))
			if len(found) != 1 || found[0].Pos.Line != 2 || !strings.Contains(found[0].Message, "-c account=") ||
				!strings.HasPrefix(string(found[0].Path), name+".q.Lookup") {
				t.Errorf("got %v", found)
			}
		})
	}
}

// The answers of look-ups must be used as they are.
func TestLookedUpDatabase(t *testing.T) {
	file := fixture.Write(t, `
services: {web: {image: nginx, environment: {HOST: x-rds::db::Endpoint.Address}}}
x-rds:
  db:
    Lookup: {cluster: {Name: stored}, secret: {Name: stored/secret}}
    Services: {web: {GenerateConnectionStringSecret: URL}}
`)
	to := target{Account: "111111111111", Region: "eu-west-1"}
	manifest, err := os.ReadFile(filepath.Join(synthesise(t, to, file).dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var asked struct {
		Missing []struct{ Key, Provider string }
	}
	if err := json.Unmarshal(manifest, &asked); err != nil {
		t.Fatal(err)
	}
	to.Context = map[string]any{}
	for _, m := range asked.Missing {
		if m.Provider == "cc-api-provider" {
			to.Context[m.Key] = []any{map[string]any{
				"DBClusterArn": "arn:aws:rds:eu-west-1:111111111111:cluster:stored", "DBClusterIdentifier": "stored", "Engine": "aurora-mysql",
				"Endpoint.Address": "stored.example", "Endpoint.Port": "3307", "ReadEndpoint.Address": "ro.stored.example",
				"VpcSecurityGroupIds.0": "sg-123", "Identifier": "stored",
			}}
		}
	}
	app := synthesise(t, to, file)
	rule := app.templates["Services"].One("AWS::EC2::SecurityGroupIngress")
	equal(t, "group", rule["GroupId"], any("sg-123"))
	equal(t, "port", rule["FromPort"], any(3307.0))
	contains(t, "variables", app.container("web")["Environment"], "stored.example")
	contains(t, "connection string", app.templates["Data"].One("AWS::SecretsManager::Secret")["SecretString"], "mysql://{{resolve")
}

// failures returns the errors of files that cannot be built.
func failures(t *testing.T, to target, files ...string) compose.Diagnostics {
	t.Helper()
	app, err := attempt(to, t.TempDir(), files...)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(app.found, func(d compose.Diagnostic) bool { return d.Severity != compose.Error })
}

// Every property must arrive as it was written, with references resolved at any
// depth: also one that the CDK does not know, which its validation reports.
func TestPropertiesAreKeptWhole(t *testing.T) {
	app := synthesise(t, target{}, fixture.Write(t, `
services: {web: {image: nginx}}
x-sqs:
  other: {}
  queue:
    Properties:
      VisibilityTimeout: "30"
      MaximumMessageSize: {"Fn::Select": ["1", ["1024", "2048"]]}
      NewProperty: {Nested: [1, "2", {Deep: "x-sqs::other::Arn"}], Flag: "true", Where: "in ${AWS::Region}"}
      RedriveAllowPolicy: {redrivePermission: byQueue, sourceQueueArns: ["x-sqs::other::Arn", {"Fn::Join": [":", [a, {Ref: "AWS::AccountId"}]]}]}
      Tags:
        - {Key: a, Value: {"Fn::Base64": "x-sqs::other::QueueName"}}
        - {Key: b, Value: {"Fn::Select": [0, {"Fn::GetAZs": {Ref: "AWS::Region"}}]}}
        - {Key: c, Value: {"Fn::ImportValue": {"Fn::Sub": "x-${AWS::Region}"}}}
        - {Key: d, Value: {"Fn::Sub": ["${!A}-x-sqs::other::QueueName-${AWS::Region}", {A: "x-sqs::other::Url"}]}}
`))
	var properties any
	for _, q := range app.resources("AWS::SQS::Queue") {
		if q.properties["Tags"] != nil {
			properties = q.properties
		}
	}
	got := regexp.MustCompile(`xsqsotherDefinition\w+`).ReplaceAllString(text(properties), "OTHER")
	equal(t, "properties", got, `{"MaximumMessageSize":2048,`+
		`"NewProperty":{"Flag":"true","Nested":[1,"2",{"Deep":{"Fn::GetAtt":["OTHER","Arn"]}}],"Where":{"Fn::Join":["",["in ",{"Ref":"AWS::Region"}]]}},`+
		`"RedriveAllowPolicy":{"redrivePermission":"byQueue","sourceQueueArns":[{"Fn::GetAtt":["OTHER","Arn"]},{"Fn::Join":[":",["a",{"Ref":"AWS::AccountId"}]]}]},`+
		`"SqsManagedSseEnabled":true,`+
		`"Tags":[{"Key":"a","Value":{"Fn::Base64":{"Fn::GetAtt":["OTHER","QueueName"]}}},`+
		`{"Key":"b","Value":{"Fn::Select":[0,{"Fn::GetAZs":{"Ref":"AWS::Region"}}]}},`+
		`{"Key":"c","Value":{"Fn::ImportValue":{"Fn::Sub":"x-${AWS::Region}"}}},`+
		`{"Key":"d","Value":{"Fn::Sub":["${A}-${Reference1}-${AWS::Region}",{"A":{"Ref":"OTHER"},"Reference1":{"Fn::GetAtt":["OTHER","QueueName"]}}]}}],`+
		`"VisibilityTimeout":30}`)
}
