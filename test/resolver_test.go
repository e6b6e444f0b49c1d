//go:build !race

package test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Where the resolved templates are deployed to.
const (
	homeAccount = "111111111111"
	homeRegion  = "eu-west-1"
)

// arnForms are the ARNs of the types that policies name; * is the name, invented
// from the stack and the logical id.
var arnForms = map[string]string{
	"AWS::CodeBuild::Project":          "arn:aws:codebuild:eu-west-1:111111111111:project/*",
	"AWS::CodePipeline::Pipeline":      "arn:aws:codepipeline:eu-west-1:111111111111:*",
	"AWS::DynamoDB::Table":             "arn:aws:dynamodb:eu-west-1:111111111111:table/*",
	"AWS::ECR::Repository":             "arn:aws:ecr:eu-west-1:111111111111:repository/*",
	"AWS::EFS::AccessPoint":            "arn:aws:elasticfilesystem:eu-west-1:111111111111:access-point/*",
	"AWS::EFS::FileSystem":             "arn:aws:elasticfilesystem:eu-west-1:111111111111:file-system/*",
	"AWS::Events::Rule":                "arn:aws:events:eu-west-1:111111111111:rule/*",
	"AWS::IAM::ManagedPolicy":          "arn:aws:iam::111111111111:policy/*",
	"AWS::IAM::Role":                   "arn:aws:iam::111111111111:role/*",
	"AWS::KMS::Key":                    "arn:aws:kms:eu-west-1:111111111111:key/*",
	"AWS::KMS::ReplicaKey":             "arn:aws:kms:eu-west-1:111111111111:key/*",
	"AWS::Logs::LogGroup":              "arn:aws:logs:eu-west-1:111111111111:log-group:*:*",
	"AWS::RDS::DBCluster":              "arn:aws:rds:eu-west-1:111111111111:cluster:*",
	"AWS::RDS::DBInstance":             "arn:aws:rds:eu-west-1:111111111111:db:*",
	"AWS::S3::Bucket":                  "arn:aws:s3:::*",
	"AWS::SNS::Topic":                  "arn:aws:sns:eu-west-1:111111111111:*",
	"AWS::SecretsManager::Secret":      "arn:aws:secretsmanager:eu-west-1:111111111111:secret:*-AbCdEf",
	"AWS::Signer::SigningProfile":      "arn:aws:signer:eu-west-1:111111111111:/signing-profiles/*",
	"AWS::StepFunctions::StateMachine": "arn:aws:states:eu-west-1:111111111111:stateMachine:*",
	"AWS::SQS::Queue":                  "arn:aws:sqs:eu-west-1:111111111111:*",
}

// unanswered are what a look-up stands for until the CDK CLI has answered it. The
// forms are those that the simulator takes for the same type.
var unanswered = strings.NewReplacer(
	"arn:aws:dynamodb:us-east-1:000000000000:table:lookup-000000", "arn:aws:dynamodb:eu-west-1:111111111111:table/unanswered",
	"arn:aws:rds:us-east-1:000000000000:dbcluster:lookup-000000", "arn:aws:rds:eu-west-1:111111111111:cluster:unanswered",
	"arn:aws:rds:us-east-1:000000000000:dbinstance:lookup-000000", "arn:aws:rds:eu-west-1:111111111111:db:unanswered",
	"arn:aws:secretsmanager:us-east-1:000000000000:secret:lookup-000000", "arn:aws:secretsmanager:eu-west-1:111111111111:secret:unanswered-AbCdEf",
	"arn:aws:sqs:us-east-1:000000000000:queue:lookup-000000", "arn:aws:sqs:eu-west-1:111111111111:unanswered",
)

// resolver turns what templates say into what it is once they are deployed.
type resolver struct {
	t      *testing.T
	name   string
	stacks map[string]parsedStack // by physical name
}

type parsedStack struct {
	Resources  map[string]map[string]any
	Outputs    map[string]any
	Parameters map[string]struct{ Default any }
	// account and region are homeAccount and homeRegion where they are empty.
	account, region string
}

// where is the account and region of a stack.
func (r resolver) where(stack string) (account, region string) {
	return or(r.stacks[stack].account, homeAccount), or(r.stacks[stack].region, homeRegion)
}

// names are the properties that name a resource, of the types that pipelines name.
var names = map[string]string{
	"AWS::CodeBuild::Project": "Name", "AWS::CodePipeline::Pipeline": "Name", "AWS::ECR::Repository": "RepositoryName",
	"AWS::IAM::ManagedPolicy": "ManagedPolicyName", "AWS::IAM::Role": "RoleName", "AWS::S3::Bucket": "BucketName",
	"AWS::SNS::Topic": "TopicName", "AWS::Logs::LogGroup": "LogGroupName",
}

// physical is the name of a resource: its own, or one that is invented.
func (r resolver) physical(p placed) string {
	resource := r.stacks[p.stack].Resources[p.id]
	if name, ok := at(resource, "Properties", names[fmt.Sprint(resource["Type"])]).(string); ok {
		return name
	}
	if at(resource, "Properties", "MultiRegion") == true {
		return "mrk-" + p.id
	}
	return p.stack + "-" + p.id
}

func newResolver(t *testing.T, c judged) resolver {
	t.Helper()
	r := resolver{t, c.name, map[string]parsedStack{}}
	for stack, tm := range c.templates {
		var parsed parsedStack
		if err := json.Unmarshal([]byte(tm.text), &parsed); err != nil {
			t.Fatal(err)
		}
		r.stacks[c.name+"-"+stack] = parsed
	}
	return r
}

// placed is a resource of a template, by its stack and logical id.
type placed struct{ stack, id string }

// all are the resources of a type, sorted.
func (r resolver) all(kind string) []placed {
	var found []placed
	for stack, parsed := range r.stacks {
		for id, resource := range parsed.Resources {
			if resource["Type"] == kind {
				found = append(found, placed{stack, id})
			}
		}
	}
	slices.SortFunc(found, func(a, b placed) int { return strings.Compare(a.stack+a.id, b.stack+b.id) })
	return found
}

// properties are those of a resource, resolved.
func (r resolver) properties(p placed) map[string]any {
	properties, _ := r.resolve(p.stack, r.stacks[p.stack].Resources[p.id]["Properties"]).(map[string]any)
	return properties
}

// property is one property as written.
func (r resolver) property(p placed, name string) any {
	return at(r.stacks[p.stack].Resources[p.id], "Properties", name)
}

// arn is the ARN of a resource.
func (r resolver) arn(p placed) string {
	kind, _ := r.stacks[p.stack].Resources[p.id]["Type"].(string)
	form, ok := arnForms[kind]
	if !ok {
		r.t.Fatalf("%s: a policy names %s, a %s: add the form of its ARN to arnForms", r.name, p.id, kind)
	}
	account, region := r.where(p.stack)
	form = strings.NewReplacer(homeAccount, account, homeRegion, region).Replace(form)
	return strings.Replace(form, "*", r.physical(p), 1)
}

// resolve replaces the intrinsic functions in a value.
func (r resolver) resolve(stack string, v any) any {
	switch v := v.(type) {
	case string:
		return unanswered.Replace(v)
	case []any:
		out := []any{}
		for _, item := range v {
			out = append(out, r.resolve(stack, item))
		}
		return out
	case map[string]any:
		for key, argument := range v {
			if len(v) == 1 && (key == "Ref" || strings.HasPrefix(key, "Fn::")) {
				return r.function(stack, key, argument)
			}
		}
		out := map[string]any{}
		for key, item := range v {
			out[key] = r.resolve(stack, item)
		}
		return out
	default:
		return v
	}
}

// function is the value of an intrinsic function.
func (r resolver) function(stack, name string, argument any) any {
	switch name {
	case "Ref":
		return r.ref(stack, argument.(string))
	case "Fn::GetAtt":
		return r.attribute(placed{stack, at(argument, 0).(string)}, at(argument, 1).(string))
	case "Fn::GetStackOutput":
		other := r.resolve(stack, at(argument, "StackName")).(string)
		return r.resolve(other, at(r.stacks[other].Outputs, at(argument, "OutputName").(string), "Value"))
	case "Fn::Join":
		var parts []string
		for _, part := range r.resolve(stack, at(argument, 1)).([]any) {
			parts = append(parts, fmt.Sprint(part))
		}
		return unanswered.Replace(strings.Join(parts, at(argument, 0).(string)))
	case "Fn::Select":
		list := r.resolve(stack, at(argument, 1)).([]any)
		index := at(argument, 0)
		return list[int(index.(float64))]
	case "Fn::Split":
		var parts []any
		for _, part := range strings.Split(r.resolve(stack, at(argument, 1)).(string), at(argument, 0).(string)) {
			parts = append(parts, part)
		}
		return parts
	case "Fn::Sub":
		text, _ := argument.(string)
		return regexp.MustCompile(`\$\{([^}!]+)\}`).ReplaceAllStringFunc(text, func(variable string) string {
			return fmt.Sprint(r.ref(stack, variable[2:len(variable)-1]))
		})
	default:
		return name + " " + text(argument) // such as Fn::GetAZs: of no policy
	}
}

func (r resolver) ref(stack, id string) any {
	p := placed{stack, id}
	resource := r.stacks[stack].Resources[id]
	account, region := r.where(stack)
	value, pseudo := map[string]string{
		"AWS::AccountId": account, "AWS::Region": region, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
	}[id]
	parameter, isParameter := r.stacks[stack].Parameters[id]
	switch {
	case pseudo:
		return value
	case isParameter:
		return r.parameter(parameter.Default)
	case resource["Type"] == "AWS::SecretsManager::SecretTargetAttachment":
		return r.resolve(stack, at(resource, "Properties", "SecretId"))
	case slices.Contains(refIsARN, fmt.Sprint(resource["Type"])):
		return r.arn(p)
	default:
		return r.physical(p)
	}
}

// refIsARN are the types of which Ref is the ARN.
var refIsARN = []string{"AWS::IAM::ManagedPolicy", "AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::StepFunctions::StateMachine"}

// parameter is what a template's parameter of SSM holds, by its name.
func (r resolver) parameter(name any) any {
	for _, p := range r.all("AWS::SSM::Parameter") {
		if properties := r.properties(p); properties["Name"] == name {
			return properties["Value"]
		}
	}
	return name
}

func (r resolver) attribute(p placed, name string) any {
	if name == "Arn" || strings.HasSuffix(name, "Arn") && name != "StreamArn" {
		return r.arn(p)
	}
	return p.stack + "-" + p.id + "." + name
}
