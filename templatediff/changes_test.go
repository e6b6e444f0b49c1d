package templatediff

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	one = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	two = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

func parse(t *testing.T, text string) *Template {
	t.Helper()
	if text == "" {
		return nil
	}
	template, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return template
}

func resources(text string) string { return `{"Resources": {` + text + `}}` }

func task(image string) string {
	return `"Task": {"Type": "AWS::ECS::TaskDefinition", "Metadata": {"aws:cdk:path": "shop/Services/web/Task/Resource"}, "Properties": {"ContainerDefinitions": [
		{"Name": "web", "Image": ` + image + `, "Environment": [{"Name": "PASSWORD", "Value": ` + strconv.Quote("hunter2 "+image) + `}]}, {"Name": "log", "Image": "fluent"}]}}`
}

// The text must tell a reader what a release changes, without values other than numbers,
// switches and images.
func TestText(t *testing.T) {
	cases := []struct{ name, before, after, want string }{
		{"a new stack", "", resources(task(`"r/web@` + one + `"`)), `shop: new, 1 resource
  image log: none -> fluent
  image web: none -> r/web@` + one},
		{"no changes", resources(task(`"r/web@` + one + `"`)), resources(task(`"r/web@` + one + `"`)), "shop: no changes"},
		{"an image, and a secret", resources(task(`"r/web@` + one + `"`)), resources(task(`"r/web@` + two + `"`)), `shop: 0 added, 1 changed, 0 removed
  ~ AWS::ECS::TaskDefinition shop/Services/web/Task
      ContainerDefinitions[web].Environment[PASSWORD]
      ContainerDefinitions[web].Image
  image web: r/web@` + one + ` -> r/web@` + two},
		{"an image with intrinsic functions", resources(task(`{"Fn::Join": ["", ["1.dkr.ecr.", {"Ref": "AWS::Region"}, "/w@` + one + `"]]}`)), resources(task(`{"Fn::Sub": "w@` + two + `"}`)), `shop: 0 added, 1 changed, 0 removed
  ~ AWS::ECS::TaskDefinition shop/Services/web/Task
      ContainerDefinitions[web].Environment[PASSWORD]
      ContainerDefinitions[web].Image
  image web: 1.dkr.ecr.${AWS::Region}/w@` + one + ` -> w@` + two},
		{"numbers, switches, texts", resources(`"S": {"Type": "AWS::ECS::Service", "Properties": {"DesiredCount": 2, "EnableExecuteCommand": false, "ServiceName": "a", "MasterUserPassword": 1}}`), resources(`"S": {"Type": "AWS::ECS::Service", "Properties": {"DesiredCount": 4, "EnableExecuteCommand": true, "ServiceName": "b", "MasterUserPassword": 2, "HealthCheckGracePeriodSeconds": 60}}`), `shop: 0 added, 1 changed, 0 removed
  ~ AWS::ECS::Service S
      DesiredCount 2 -> 4
      EnableExecuteCommand false -> true
      HealthCheckGracePeriodSeconds none -> 60
      MasterUserPassword
      ServiceName`},
		{"added and removed", resources(`"A": {"Type": "AWS::SNS::Subscription"}, "B": {"Type": "AWS::S3::Bucket"}, "C": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"}, "E": {"Type": "AWS::Lambda::Function", "DeletionPolicy": "Retain"}`), resources(`"D": {"Type": "AWS::SNS::Subscription"}`), `shop: 1 added, 0 changed, 4 removed
  + AWS::SNS::Subscription D
  - AWS::Lambda::Function E (is kept outside of the stack)
  - AWS::S3::Bucket B (is lost)
  - AWS::SNS::Subscription A
  - AWS::SQS::Queue C (is kept outside of the stack)`},
		{"replaced", resources(`"A": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "a"}}, "B": {"Type": "AWS::RDS::DBCluster", "UpdateReplacePolicy": "Snapshot", "Properties": {"KmsKeyId": {"Ref": "K"}}}, "C": {"Type": "AWS::EFS::AccessPoint", "Properties": {"PosixUser": {"Uid": "1", "Gid": "1"}}}`), resources(`"A": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b"}}, "B": {"Type": "AWS::RDS::DBCluster", "UpdateReplacePolicy": "Snapshot", "Properties": {"KmsKeyId": {"Ref": "L"}}}, "C": {"Type": "AWS::EFS::AccessPoint", "Properties": {"PosixUser": {"Uid": "2", "Gid": "1"}}}`), `shop: 0 added, 3 changed, 0 removed
  ~ AWS::EFS::AccessPoint C (is replaced, the old one is lost)
      PosixUser.Uid
  ~ AWS::RDS::DBCluster B (may be replaced, the old one is kept)
      KmsKeyId
  ~ AWS::S3::Bucket A (is replaced, the old one is lost)
      BucketName`},
		{"another type", resources(`"A": {"Type": "AWS::S3::Bucket"}`), resources(`"A": {"Type": "AWS::SNS::Topic"}`), `shop: 0 added, 1 changed, 0 removed
  ~ AWS::SNS::Topic A (is replaced, the old one is lost)
      Type`},
		{"other attributes and sections", `{"Outputs": {"A": {"Value": "a"}}, "Description": "a", "Resources": {"A": {"Type": "T", "DependsOn": ["B"]}}}`, `{"Outputs": {"A": {"Value": "b"}}, "Transform": "x", "Resources": {"A": {"Type": "T", "DeletionPolicy": "Retain", "Metadata": {"AWS::CloudFormation::Init": {}}}}}`, `shop: 0 added, 1 changed, 0 removed
  ~ T A
      DeletionPolicy
      DependsOn
      Metadata
  ~ Description
  ~ Outputs
  ~ Transform`},
		{"lists and depths", resources(`"A": {"Type": "T", "Properties": {"L": [1, 2], "M": {"a": {"b": {"c": {"d": 1, "e": 2}}}}, "N": [{"Name": "a"}, {"Name": "b"}], "O": {"Fn::If": ["a", 1, 2]}}}`), resources(`"A": {"Type": "T", "Properties": {"L": [1, 3], "M": {"a": {"b": {"c": {"d": 2, "e": 3}}}}, "N": [{"Name": "b"}, {"Name": "a"}], "O": 3}}`), `shop: 0 added, 1 changed, 0 removed
  ~ T A
      L
      M.a.b.c
      N
      O`},
		{"a loop", resources(`"Fn::ForEach::X": ["a", ["b"], {}]`), resources(`"Fn::ForEach::X": ["a", ["c"], {}]`), `shop: 0 added, 1 changed, 0 removed
  ~  Fn::ForEach::X
      Fn::ForEach`},
		{"what the CDK notes", resources(`"A": {"Type": "T", "Metadata": {"aws:cdk:path": "a"}}`), `{"Metadata": {"x": 1}, "Parameters": {"BootstrapVersion": {}}, "Rules": {"CheckBootstrapVersion": {}}, "Conditions": {"CDKMetadataAvailable": {}}, "Resources": {"CDKMetadata": {"Type": "AWS::CDK::Metadata"}, "A": {"Type": "T", "Metadata": {"aws:cdk:path": "b", "cdk_nag": {}}}}}`, "shop: no changes"},
		{"characters that CloudFormation does not tell", resources(`"A": {"Type": "T", "Properties": {"Description": "Gr?n ?"}}`), resources(`"A": {"Type": "T", "Properties": {"Description": "Grün 𝄞"}}`), "shop: no changes"},
		{"what a terminal would take for a command", "", resources(`"A": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [{"Image": "a\u001b[2J\nb"}]}}`), "shop: new, 1 resource\n  image 0: none -> a?[2J?b"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := Compare(Stack{Name: "shop", Template: parse(t, c.after)}, parse(t, c.before))
			var b strings.Builder
			if err := Text(&b, []Difference{d}); err != nil {
				t.Fatal(err)
			}
			got := b.String()
			got = strings.TrimSuffix(got[:strings.LastIndex(strings.TrimSuffix(got, "\n"), "\n")+1], "\n")
			if got != c.want {
				t.Errorf("want\n%s\ngot\n%s", c.want, got)
			}
			if d.Changes() == strings.Contains(c.want, "no changes") {
				t.Errorf("Changes is %v", d.Changes())
			}
		})
	}
}

// The summary must fit into one line that no template can break, with losses first.
func TestSummary(t *testing.T) {
	web := Compare(Stack{Name: "a", Template: parse(t, resources(task(`"registry/shop/web@`+two+`"`)))}, parse(t, resources(task(`"registry/shop/web@`+one+`"`)+`, "B": {"Type": "AWS::S3::Bucket"}`)))
	if got, want := Summary([]Difference{web, web}), "2 stacks, 0 new, 2 changed; 0 resources added, 2 changed, 2 removed; AT RISK: AWS::S3::Bucket B (is lost); image web web@111111111111 to web@222222222222"; got != want {
		t.Errorf("want %s\n got %s", want, got)
	}
	same := Compare(Stack{Name: "a", Template: parse(t, resources(task(`"a"`)))}, parse(t, resources(task(`"a"`))))
	if got := Summary([]Difference{same}); got != "1 stack, no changes" {
		t.Errorf("got %s", got)
	}
	var many strings.Builder
	for i := range 100 {
		fmt.Fprintf(&many, `{"Name": "c%d\n$(x)#{y}'\"", "Image": "i%d"},`, i, i)
	}
	got := Summary([]Difference{Compare(Stack{Name: "a", Template: parse(t, resources(`"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [`+strings.TrimSuffix(many.String(), ",")+`]}}`))}, nil)})
	if len(got) > maxSummary || len(got) < maxSummary-100 || strings.ContainsAny(got, "\n$#{}'\"\\`") || !strings.Contains(got, "; and ") {
		t.Errorf("got %d characters: %s", len(got), got)
	}
}

func TestParseFails(t *testing.T) {
	for _, text := range []string{"Resources: {}", "[]", "\x00", strings.Repeat("[", 100_000)} {
		if _, err := Parse([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), "it is no template in JSON: ") {
			t.Errorf("%.20q: got %v", text, err)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Read must include nested assemblies, and know the target of each stack.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "manifest.json"), `{"artifacts": {
		"assembly-prod": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-prod"}},
		"any": {"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/unknown-region", "properties": {"templateFile": "any.json"}}}}`)
	write(t, filepath.Join(dir, "any.json"), `{}`)
	write(t, filepath.Join(dir, "assembly-prod", "manifest.json"), `{"artifacts": {"s": {"type": "aws:cloudformation:stack", "environment": "aws://111111111111/us-gov-west-1",
		"properties": {"templateFile": "s.json", "stackName": "Shop", "lookupRole": {"arn": "arn:${AWS::Partition}:iam::111111111111:role/lookup-${AWS::AccountId}-${AWS::Region}"}}}}}`)
	write(t, filepath.Join(dir, "assembly-prod", "s.json"), resources(`"A": {"Type": "T"}`))
	stacks, err := Read(dir)
	if err != nil || len(stacks) != 2 {
		t.Fatalf("want 2 stacks, got %v, %v", stacks, err)
	}
	shop := stacks[0]
	if shop.Name != "Shop" || shop.Account != "111111111111" || shop.Region != "us-gov-west-1" || shop.Template.Resources["A"].Type != "T" ||
		shop.LookupRole != "arn:aws-us-gov:iam::111111111111:role/lookup-111111111111-us-gov-west-1" {
		t.Errorf("got %+v", shop)
	}
	if other := stacks[1]; other.Name != "any" || other.Account != "" || other.Region != "" || other.LookupRole != "" {
		t.Errorf("got %+v", other)
	}
}

func TestReadFails(t *testing.T) {
	outside := t.TempDir()
	write(t, filepath.Join(outside, "t.json"), "{}")
	stack := func(file string) string {
		return `{"artifacts": {"s": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "` + file + `"}}}}`
	}
	cases := []struct{ name, manifest, want string }{
		{"no JSON", "x", "manifest.json: it is no manifest of a cloud assembly: "},
		{"no stack", "{}", "the assembly holds no stack"},
		{"no template", stack("t.json"), "t.json: no such file"},
		{"a folder", stack("."), "it cannot be read"},
		{"outside", stack("../" + filepath.Base(outside) + "/t.json"), "no such file"},
		{"by a link", stack("link/t.json"), "link/t.json: no such file"},
		{"no template in the file", stack("manifest.json"), ""},
		{"itself", `{"artifacts": {"a": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "."}}}}`, "the assembly holds itself"},
		{"no folder", `{"artifacts": {"a": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "x/.."}}}}`, "the assembly holds itself"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "manifest.json"), c.manifest)
			if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
				t.Fatal(err)
			}
			_, err := Read(dir)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("want %q, got %v", c.want, err)
			}
		})
	}
	if _, err := Read(filepath.Join(outside, "nowhere")); err == nil {
		t.Error("a folder that is not there must be refused")
	}
}
