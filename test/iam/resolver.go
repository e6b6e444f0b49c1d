package iam

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"composecdk/test/assembly"
)

// Where the resolved templates are deployed to.
const (
	HomeAccount = "111111111111"
	HomeRegion  = "eu-west-1"
)

// ARNForms are the ARNs of the types that policies name; * is the name, invented
// from the stack and the logical id.
var ARNForms = map[string]string{
	"AWS::CertificateManager::Certificate": "arn:aws:acm:eu-west-1:111111111111:certificate/*",
	"AWS::CodeBuild::Project":              "arn:aws:codebuild:eu-west-1:111111111111:project/*",
	"AWS::CodePipeline::Pipeline":          "arn:aws:codepipeline:eu-west-1:111111111111:*",
	"AWS::DynamoDB::Table":                 "arn:aws:dynamodb:eu-west-1:111111111111:table/*",
	"AWS::ECR::Repository":                 "arn:aws:ecr:eu-west-1:111111111111:repository/*",
	"AWS::EFS::AccessPoint":                "arn:aws:elasticfilesystem:eu-west-1:111111111111:access-point/*",
	"AWS::EFS::FileSystem":                 "arn:aws:elasticfilesystem:eu-west-1:111111111111:file-system/*",
	"AWS::Events::Rule":                    "arn:aws:events:eu-west-1:111111111111:rule/*",
	"AWS::IAM::ManagedPolicy":              "arn:aws:iam::111111111111:policy/*",
	"AWS::IAM::Role":                       "arn:aws:iam::111111111111:role/*",
	"AWS::KMS::Key":                        "arn:aws:kms:eu-west-1:111111111111:key/*",
	"AWS::KMS::ReplicaKey":                 "arn:aws:kms:eu-west-1:111111111111:key/*",
	"AWS::Logs::LogGroup":                  "arn:aws:logs:eu-west-1:111111111111:log-group:*:*",
	"AWS::RDS::DBCluster":                  "arn:aws:rds:eu-west-1:111111111111:cluster:*",
	"AWS::RDS::DBInstance":                 "arn:aws:rds:eu-west-1:111111111111:db:*",
	"AWS::Route53::HostedZone":             "arn:aws:route53:::hostedzone/*",
	"AWS::S3::Bucket":                      "arn:aws:s3:::*",
	"AWS::SNS::Topic":                      "arn:aws:sns:eu-west-1:111111111111:*",
	"AWS::SecretsManager::Secret":          "arn:aws:secretsmanager:eu-west-1:111111111111:secret:*-AbCdEf",
	"AWS::Signer::SigningProfile":          "arn:aws:signer:eu-west-1:111111111111:/signing-profiles/*",
	"AWS::StepFunctions::StateMachine":     "arn:aws:states:eu-west-1:111111111111:stateMachine:*",
	"AWS::SQS::Queue":                      "arn:aws:sqs:eu-west-1:111111111111:*",
}

// unanswered are what a look-up stands for until the CDK CLI has answered it. The
// simulator takes these forms for the same type.
var unanswered = strings.NewReplacer(
	"arn:aws:dynamodb:us-east-1:000000000000:table:lookup-000000", "arn:aws:dynamodb:eu-west-1:111111111111:table/unanswered",
	"arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-0000-0000-000000000000", "arn:aws:acm:eu-west-1:111111111111:certificate/unanswered",
	"arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000", "arn:aws:kms:eu-west-1:111111111111:key/unanswered",
	"arn:aws:s3:::lookup-000000", "arn:aws:s3:::unanswered",
	"arn:aws:rds:us-east-1:000000000000:dbcluster:lookup-000000", "arn:aws:rds:eu-west-1:111111111111:cluster:unanswered",
	"arn:aws:rds:us-east-1:000000000000:dbinstance:lookup-000000", "arn:aws:rds:eu-west-1:111111111111:db:unanswered",
	"arn:aws:secretsmanager:us-east-1:000000000000:secret:lookup-000000", "arn:aws:secretsmanager:eu-west-1:111111111111:secret:unanswered-AbCdEf",
	"arn:aws:sqs:us-east-1:000000000000:queue:lookup-000000", "arn:aws:sqs:eu-west-1:111111111111:unanswered",
)

// Resolver turns what templates say into what it is once they are deployed.
type Resolver struct {
	T      *testing.T
	Name   string
	Stacks map[string]Stack // by physical name
}

// Stack is a parsed template with the account and region it is deployed to.
type Stack struct {
	Resources  map[string]map[string]any
	Outputs    map[string]any
	Parameters map[string]struct{ Default any }
	// Account and Region are HomeAccount and HomeRegion where they are empty.
	Account, Region string
}

// Where returns the account and region of a stack.
func (r Resolver) Where(stack string) (account, region string) {
	return cmp.Or(r.Stacks[stack].Account, HomeAccount), cmp.Or(r.Stacks[stack].Region, HomeRegion)
}

// names are the properties that name a resource, of the types that pipelines name.
var names = map[string]string{
	"AWS::CodeBuild::Project": "Name", "AWS::CodePipeline::Pipeline": "Name", "AWS::ECR::Repository": "RepositoryName",
	"AWS::IAM::ManagedPolicy": "ManagedPolicyName", "AWS::IAM::Role": "RoleName", "AWS::S3::Bucket": "BucketName",
	"AWS::SNS::Topic": "TopicName", "AWS::Logs::LogGroup": "LogGroupName",
}

// Physical returns the name of a resource: its own, or an invented one.
func (r Resolver) Physical(p Placed) string {
	resource := r.Stacks[p.Stack].Resources[p.ID]
	if name, ok := assembly.At(resource, "Properties", names[fmt.Sprint(resource["Type"])]).(string); ok {
		return name
	}
	if assembly.At(resource, "Properties", "MultiRegion") == true {
		return "mrk-" + p.ID
	}
	return p.Stack + "-" + p.ID
}

// NewResolver parses the templates of a case by their stack ids; physical names of stacks
// begin with the name of the case.
func NewResolver(t *testing.T, name string, templates map[string]assembly.Template) Resolver {
	t.Helper()
	r := Resolver{t, name, map[string]Stack{}}
	for stack, tm := range templates {
		var parsed Stack
		if err := json.Unmarshal([]byte(tm.Text), &parsed); err != nil {
			t.Fatal(err)
		}
		r.Stacks[name+"-"+stack] = parsed
	}
	return r
}

// Placed is a resource of a template, by its stack and logical id.
type Placed struct{ Stack, ID string }

// All returns the resources of a type, sorted.
func (r Resolver) All(kind string) []Placed {
	var found []Placed
	for stack, parsed := range r.Stacks {
		for id, resource := range parsed.Resources {
			if resource["Type"] == kind {
				found = append(found, Placed{stack, id})
			}
		}
	}
	slices.SortFunc(found, func(a, b Placed) int { return strings.Compare(a.Stack+a.ID, b.Stack+b.ID) })
	return found
}

// Properties returns the properties of a resource, resolved.
func (r Resolver) Properties(p Placed) map[string]any {
	properties, _ := r.resolve(p.Stack, r.Stacks[p.Stack].Resources[p.ID]["Properties"]).(map[string]any)
	return properties
}

// Property returns one property as written.
func (r Resolver) Property(p Placed, name string) any {
	return assembly.At(r.Stacks[p.Stack].Resources[p.ID], "Properties", name)
}

// ARN returns the ARN of a resource.
func (r Resolver) ARN(p Placed) string {
	kind, _ := r.Stacks[p.Stack].Resources[p.ID]["Type"].(string)
	form, ok := ARNForms[kind]
	if !ok {
		r.T.Fatalf("%s: a policy names %s, a %s: add the form of its ARN to ARNForms", r.Name, p.ID, kind)
	}
	account, region := r.Where(p.Stack)
	form = strings.NewReplacer(HomeAccount, account, HomeRegion, region).Replace(form)
	return strings.Replace(form, "*", r.Physical(p), 1)
}

// resolve replaces the intrinsic functions in a value.
func (r Resolver) resolve(stack string, v any) any {
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

// function returns the value of an intrinsic function.
func (r Resolver) function(stack, name string, argument any) any {
	switch name {
	case "Ref":
		return r.ref(stack, argument.(string))
	case "Fn::GetAtt":
		return r.attribute(Placed{stack, assembly.At(argument, 0).(string)}, assembly.At(argument, 1).(string))
	case "Fn::GetStackOutput":
		other := r.resolve(stack, assembly.At(argument, "StackName")).(string)
		return r.resolve(other, assembly.At(r.Stacks[other].Outputs, assembly.At(argument, "OutputName").(string), "Value"))
	case "Fn::Join":
		var parts []string
		for _, part := range r.resolve(stack, assembly.At(argument, 1)).([]any) {
			parts = append(parts, fmt.Sprint(part))
		}
		return unanswered.Replace(strings.Join(parts, assembly.At(argument, 0).(string)))
	case "Fn::Select":
		list := r.resolve(stack, assembly.At(argument, 1)).([]any)
		index := assembly.At(argument, 0)
		return list[int(index.(float64))]
	case "Fn::Split":
		var parts []any
		for _, part := range strings.Split(r.resolve(stack, assembly.At(argument, 1)).(string), assembly.At(argument, 0).(string)) {
			parts = append(parts, part)
		}
		return parts
	case "Fn::Sub":
		text, _ := argument.(string)
		return regexp.MustCompile(`\$\{([^}!]+)\}`).ReplaceAllStringFunc(text, func(variable string) string {
			return fmt.Sprint(r.ref(stack, variable[2:len(variable)-1]))
		})
	default:
		return name + " " + assembly.Text(argument) // such as Fn::GetAZs: of no policy
	}
}

func (r Resolver) ref(stack, id string) any {
	p := Placed{stack, id}
	resource := r.Stacks[stack].Resources[id]
	account, region := r.Where(stack)
	value, pseudo := map[string]string{
		"AWS::AccountId": account, "AWS::Region": region, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
	}[id]
	parameter, isParameter := r.Stacks[stack].Parameters[id]
	switch {
	case pseudo:
		return value
	case isParameter:
		return r.parameter(parameter.Default)
	case resource["Type"] == "AWS::SecretsManager::SecretTargetAttachment":
		return r.resolve(stack, assembly.At(resource, "Properties", "SecretId"))
	case slices.Contains(refIsARN, fmt.Sprint(resource["Type"])):
		return r.ARN(p)
	default:
		return r.Physical(p)
	}
}

// refIsARN are the types of which Ref is the ARN.
var refIsARN = []string{"AWS::IAM::ManagedPolicy", "AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::StepFunctions::StateMachine"}

// parameter returns what a template's parameter of SSM holds, by its name.
func (r Resolver) parameter(name any) any {
	for _, p := range r.All("AWS::SSM::Parameter") {
		if properties := r.Properties(p); properties["Name"] == name {
			return properties["Value"]
		}
	}
	return name
}

func (r Resolver) attribute(p Placed, name string) any {
	if name == "Arn" || strings.HasSuffix(name, "Arn") && name != "StreamArn" {
		return r.ARN(p)
	}
	return p.Stack + "-" + p.ID + "." + name
}
