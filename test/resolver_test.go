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
	"AWS::DynamoDB::Table":        "arn:aws:dynamodb:eu-west-1:111111111111:table/*",
	"AWS::EFS::AccessPoint":       "arn:aws:elasticfilesystem:eu-west-1:111111111111:access-point/*",
	"AWS::EFS::FileSystem":        "arn:aws:elasticfilesystem:eu-west-1:111111111111:file-system/*",
	"AWS::IAM::Role":              "arn:aws:iam::111111111111:role/*",
	"AWS::KMS::Key":               "arn:aws:kms:eu-west-1:111111111111:key/*",
	"AWS::Logs::LogGroup":         "arn:aws:logs:eu-west-1:111111111111:log-group:*:*",
	"AWS::RDS::DBCluster":         "arn:aws:rds:eu-west-1:111111111111:cluster:*",
	"AWS::RDS::DBInstance":        "arn:aws:rds:eu-west-1:111111111111:db:*",
	"AWS::S3::Bucket":             "arn:aws:s3:::*",
	"AWS::SecretsManager::Secret": "arn:aws:secretsmanager:eu-west-1:111111111111:secret:*-AbCdEf",
	"AWS::SQS::Queue":             "arn:aws:sqs:eu-west-1:111111111111:*",
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
	Resources map[string]map[string]any
	Outputs   map[string]any
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
	before, after, _ := strings.Cut(form, "*")
	return before + p.stack + "-" + p.id + after
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

var pseudoParameters = map[string]string{
	"AWS::AccountId": homeAccount, "AWS::Region": homeRegion, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
}

func (r resolver) ref(stack, id string) any {
	p := placed{stack, id}
	resource := r.stacks[stack].Resources[id]
	value, pseudo := pseudoParameters[id]
	switch {
	case pseudo:
		return value
	case resource["Type"] == "AWS::SecretsManager::Secret":
		return r.arn(p)
	case resource["Type"] == "AWS::SecretsManager::SecretTargetAttachment":
		return r.resolve(stack, at(resource, "Properties", "SecretId"))
	default:
		return stack + "-" + id
	}
}

func (r resolver) attribute(p placed, name string) any {
	if name == "Arn" || name == "DBClusterArn" || name == "DBInstanceArn" {
		return r.arn(p)
	}
	return p.stack + "-" + p.id + "." + name
}
