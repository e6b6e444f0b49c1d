//go:build !race

package applications

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"composecdk/examples/blog/local"
	"composecdk/test/fixture"
)

// deployed stands for what CloudFormation makes of the stacks: it has the physical
// ids of resources and resolves intrinsic functions with them.
type deployed struct {
	t       *testing.T
	stacks  map[string]template // by stack name
	outputs map[string]map[string]any
	// refs and arns of resources by logical id.
	refs, arns map[string]string
}

func deploy(t *testing.T, app application) *deployed {
	t.Helper()
	d := &deployed{t, map[string]template{}, map[string]map[string]any{}, map[string]string{}, map[string]string{}}
	for id, tm := range app.templates {
		name := app.model.Name + "-" + id
		var parsed struct{ Outputs map[string]any }
		if err := json.Unmarshal([]byte(tm.Text), &parsed); err != nil {
			t.Fatal(err)
		}
		d.stacks[name], d.outputs[name] = tm, parsed.Outputs
	}
	return d
}

// value resolves a value of a template; what it does not know fails the test.
func (d *deployed) value(v any) string {
	d.t.Helper()
	if literal, ok := v.(string); ok {
		return literal
	}
	call, _ := v.(map[string]any)
	for function, argument := range call {
		switch function {
		case "Ref":
			name, _ := argument.(string)
			if name == "AWS::Region" {
				return local.Region
			}
			if ref, ok := d.refs[name]; ok {
				return ref
			}
		case "Fn::GetAtt":
			if id, _ := at(argument, 0).(string); at(argument, 1) == "Arn" && d.arns[id] != "" {
				return d.arns[id]
			}
		case "Fn::GetStackOutput":
			stack, output := d.value(at(argument, "StackName")), d.value(at(argument, "OutputName"))
			if region := d.value(at(argument, "Region")); region != local.Region {
				d.t.Fatalf("the output of a stack in %s", region)
			}
			return d.value(at(d.outputs[stack][output], "Value"))
		case "Fn::Join":
			var parts []string
			for _, part := range at(argument, 1).([]any) {
				parts = append(parts, d.value(part))
			}
			return strings.Join(parts, at(argument, 0).(string))
		}
	}
	d.t.Fatalf("nothing is known of %s", text(v))
	return ""
}

// environment returns what ECS gives a container of the task definition.
func (d *deployed) environment(definition map[string]any) map[string]string {
	d.t.Helper()
	environment := map[string]string{}
	variables, _ := definition["Environment"].([]any)
	for _, v := range variables {
		environment[at(v, "Name").(string)] = d.value(at(v, "Value"))
	}
	if definition["Secrets"] != nil {
		d.t.Fatalf("%s has secrets", definition["Name"])
	}
	return environment
}

// taskContainer returns the definition of a container by name, in any task definition.
func taskContainer(tm template, name string) map[string]any {
	tm.T.Helper()
	for _, task := range tm.Of("AWS::ECS::TaskDefinition") {
		for _, c := range at(task, "Properties", "ContainerDefinitions").([]any) {
			if at(c, "Name") == name {
				return c.(map[string]any)
			}
		}
	}
	tm.T.Fatalf("no task definition has a container %s", name)
	return nil
}

// TestBlogRuns: the two programs of the example must work with exactly the
// environment variables that the synthesised task definitions give them.
func TestBlogRuns(t *testing.T) {
	app := synthesise(t, target{}, fixture.Blog+"/compose.yaml")
	services := app.templates["Services"]
	d := deploy(t, app)
	bin := t.TempDir()
	for _, name := range []string{"app01", "app02"} {
		if err := local.Build(filepath.Join(fixture.Blog, name), filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	endpoint := local.Moto(t)
	for id, resource := range app.templates["Data"].Resources {
		if at(resource, "Type") == "AWS::SQS::Queue" {
			d.refs[id] = local.CreateQueue(t, endpoint, id)
			d.arns[id] = "arn:aws:sqs:" + local.Region + ":123456789012:" + id
		}
	}
	environment01 := d.environment(taskContainer(services, "app01"))
	environment02 := d.environment(taskContainer(services, "app02"))
	daemon := local.XRayDaemon(t, environment01["AWS_XRAY_DAEMON_ADDRESS"])

	app02 := local.Start(t, filepath.Join(bin, "app02"), environment02)
	app01 := local.Start(t, filepath.Join(bin, "app01"), environment01, local.Platform(endpoint),
		local.Discovery(t, serviceConnect(services, map[string]string{"app02": app02.Address})))

	asked := time.Now()
	response, err := http.Get(app01.URL + "/a/page")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Message string    `json:"message"`
		Time    time.Time `json:"time"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v", response.Status, err)
	}
	if !local.Between(answer.Time, asked, time.Now()) {
		t.Errorf("app02 says it is %s", answer.Time)
	}
	for id, url := range d.refs {
		messages := local.ReceiveMessages(t, endpoint, url)
		if want := strings.HasPrefix(id, "xsqsQueue01"); len(messages) == 1 != want {
			t.Errorf("%d messages are in %s", len(messages), id)
		} else if want && messages[0].ID != answer.Message {
			t.Errorf("the message in the queue is %s, app01 says %s", messages[0].ID, answer.Message)
		}
	}
	inner, outer := daemon.Next(t), daemon.Next(t)
	if inner.Name != "app02" || outer.Name != "app01" || inner.TraceID != outer.TraceID {
		t.Errorf("one trace through both was expected: %+v, %+v", outer, inner)
	}
	if environment01["AWS_XRAY_DAEMON_ADDRESS"] != environment02["AWS_XRAY_DAEMON_ADDRESS"] {
		t.Error("the two programs send their traces to different addresses")
	}
}

// serviceConnect maps the names under which services find each other to addresses
// of processes, by service.
func serviceConnect(tm template, processes map[string]string) map[string]string {
	addresses := map[string]string{}
	for _, service := range tm.Of("AWS::ECS::Service") {
		names, _ := at(service, "Properties", "ServiceConnectConfiguration", "Services").([]any)
		for _, name := range names {
			for service, address := range processes {
				if strings.HasPrefix(at(name, "PortName").(string), service+"-") {
					addresses[fmt.Sprintf("%v:%v", at(name, "ClientAliases", 0, "DnsName"), at(name, "ClientAliases", 0, "Port"))] = address
				}
			}
		}
	}
	return addresses
}

// TestBlogWiring: who may do what in the example, and who may reach whom.
func TestBlogWiring(t *testing.T) {
	app := synthesise(t, target{}, fixture.Blog+"/compose.yaml")
	services, data := app.templates["Services"], app.templates["Data"]
	d := deploy(t, app)
	for id := range data.Resources {
		d.refs[id], d.arns[id] = id, "arn:"+id
	}
	for _, role := range []string{"app01TaskRole", "app02TaskRole"} {
		for _, p := range services.Of("AWS::IAM::Policy") {
			if !strings.HasPrefix(text(at(p, "Properties", "Roles", 0, "Ref")), `"`+role) {
				continue
			}
			for _, s := range at(p, "Properties", "PolicyDocument", "Statement").([]any) {
				actions := text(at(s, "Action"))
				if strings.Contains(actions, "xray:") && !strings.Contains(actions, "sqs:") {
					continue
				}
				want := `["sqs:GetQueueAttributes","sqs:GetQueueUrl","sqs:SendMessage"]`
				if resource := d.value(at(s, "Resource")); role != "app01TaskRole" || actions != want || !strings.HasPrefix(resource, "arn:xsqsQueue01") {
					t.Errorf("%s may %s on %s", role, actions, resource)
				}
			}
		}
	}
	redrive(t, data, 3)
	for _, service := range services.Of("AWS::ECS::Service") {
		balancers, _ := at(service, "Properties", "LoadBalancers").([]any)
		name, _ := at(service, "Properties", "TaskDefinition", "Ref").(string)
		if want := strings.HasPrefix(name, "app01"); len(balancers) > 0 != want {
			t.Errorf("%s has %d target groups", name, len(balancers))
		}
	}
	for _, rule := range services.Of("AWS::EC2::SecurityGroupIngress") {
		to, from := text(at(rule, "Properties", "GroupId")), text(at(rule, "Properties", "SourceSecurityGroupId"))
		if strings.Contains(to, "app02") && !strings.Contains(from, "app01SecurityGroup") {
			t.Errorf("app02 is open to %s", from)
		}
	}
	if _, found := serviceConnect(services, map[string]string{"app02": "here"})["app02:8080"]; !found {
		t.Error("app02 cannot be found by its name")
	}
}

// redrive checks that there are two queues, Queue01 with DLQ behind it.
func redrive(t *testing.T, data template, receives int) {
	t.Helper()
	data.Count("AWS::SQS::Queue", 2)
	for id, resource := range data.Resources {
		if at(resource, "Type") != "AWS::SQS::Queue" {
			continue
		}
		policy := at(resource, "Properties", "RedrivePolicy")
		if strings.HasPrefix(id, "xsqsDLQ") != (policy == nil) {
			t.Errorf("the redrive policy of %s is %s", id, text(policy))
		} else if policy != nil {
			contains(t, "target", at(policy, "deadLetterTargetArn", "Fn::GetAtt", 0), "xsqsDLQ")
			equal(t, "maxReceiveCount", at(policy, "maxReceiveCount"), receives)
		}
	}
}

// TestBlueprint: the blueprint's own file, which is written for the first release
// of ECS ComposeX, must become what it says there.
func TestBlueprint(t *testing.T) {
	file := "../../../shared/corpus/seeds/myapps-compose.yml"
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not beside this repository", file)
	}
	app := synthesise(t, target{}, file)
	redrive(t, app.templates["Data"], 1)
	services := app.templates["Services"]
	for name, digest := range map[string]string{
		"app01": "sha256:0bf30cce6c4a58a9d494cd2dcada2c102a9d92e449059ca3d2d7d8c15980cc55",
		"app03": "sha256:e30331fe53304b5fd7ecce973d8e2a1cf91030f362c5df45c5c063d127d138e9",
	} {
		contains(t, "image of "+name, taskContainer(services, name)["Image"], "@"+digest)
	}
	services.Count("AWS::ElasticLoadBalancingV2::LoadBalancer", 1)
	equal(t, "scheme", services.One("AWS::ElasticLoadBalancingV2::LoadBalancer")["Scheme"], "internet-facing")
	equal(t, "type", services.One("AWS::ElasticLoadBalancingV2::LoadBalancer")["Type"], "application")
	var names []string
	for name := range serviceConnect(services, map[string]string{"app01": "", "app02": "", "app03": ""}) {
		names = append(names, name)
	}
	slices.Sort(names)
	// A family may be found by Service Connect or by a record of Cloud Map.
	records := len(services.Of("AWS::ServiceDiscovery::Service")) + len(app.templates["Network"].Of("AWS::ServiceDiscovery::Service"))
	if !slices.Contains(names, "app03:80") && records == 0 {
		t.Errorf("app03 cannot be found by its name: %v", names)
	}
}
