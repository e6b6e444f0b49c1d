package pipelines

import (
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
)

// sourceAction names the action that fetches a pipeline's source, and its output
// artifact.
const sourceAction = "Source"

// provider describes a kind of source to CodePipeline: its name, the configuration of
// its action, and the rights of the action's role.
type provider struct {
	name          string
	configuration func(config.Source) map[string]any
	rights        func(*config.Config, config.Source) policy.Document
	// revision is the kind of revision that an event can ask for, and revisionPath its
	// place in the event.
	revision, revisionPath string
}

// providers never poll: an event rule or a trigger starts a pipeline. The rights follow
// https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
var providers = map[config.Provider]provider{
	config.CodeCommit: {
		name: "CodeCommit",
		configuration: func(s config.Source) map[string]any {
			return map[string]any{"RepositoryName": s.Repository, "BranchName": s.Branch, "PollForSourceChanges": false}
		},
		rights: func(c *config.Config, s config.Source) policy.Document {
			return policy.Document{allow("ReadSource", []string{
				"codecommit:CancelUploadArchive", "codecommit:GetBranch", "codecommit:GetCommit",
				"codecommit:GetUploadArchiveStatus", "codecommit:UploadArchive",
			}, arn(c, "codecommit", s.Repository))}
		},
		revision: "COMMIT_ID", revisionPath: "$.detail.commitId",
	},
	config.Connection: {
		name: "CodeStarSourceConnection",
		configuration: func(s config.Source) map[string]any {
			return map[string]any{
				"ConnectionArn": s.ConnectionARN, "FullRepositoryId": s.Repository, "BranchName": s.Branch, "DetectChanges": false,
			}
		},
		rights: func(_ *config.Config, s config.Source) policy.Document { return policy.Document{useConnection(s)} },
	},
	config.S3: {
		name: "S3",
		configuration: func(s config.Source) map[string]any {
			return map[string]any{"S3Bucket": s.Bucket, "S3ObjectKey": s.Key, "PollForSourceChanges": false}
		},
		rights: func(c *config.Config, s config.Source) policy.Document {
			bucket := "arn:" + c.Partition() + ":s3:::" + s.Bucket
			return policy.Document{
				allow("ReadSource", []string{"s3:GetObject", "s3:GetObjectVersion"}, bucket+"/"+s.Key),
				allow("FindSource", []string{"s3:GetBucketVersioning"}, bucket),
			}
		},
	},
	config.ECR: {
		name: "ECR",
		configuration: func(s config.Source) map[string]any {
			return map[string]any{"RepositoryName": s.Repository, "ImageTag": s.Tag}
		},
		rights: func(c *config.Config, s config.Source) policy.Document {
			return policy.Document{allow("FindSource", []string{"ecr:DescribeImages"}, arn(c, "ecr", "repository/"+s.Repository))}
		},
	},
}

// useConnection permits to use a connection for one repository. Connections were
// called CodeStar connections, and an action has the name that the ARN has. See
// https://docs.aws.amazon.com/dtconsole/latest/userguide/rename.html
func useConnection(s config.Source) policy.Statement {
	service := strings.SplitN(s.ConnectionARN, ":", 4)[2]
	use := allow("UseConnection", []string{service + ":UseConnection"}, s.ConnectionARN)
	use.Condition = policy.Condition{"StringEqualsIfExists": {service + ":FullRepositoryId": {s.Repository}}}
	return use
}

// permitConnection lets the role of a source action of a built pipeline use its
// connection: the CDK names the right by the service's name of old only.
func permitConnection(pipeline awscodepipeline.Pipeline, action string, s config.Source) {
	stage := pipeline.Node().TryFindChild(jsii.String("Source"))
	if s.Provider != config.Connection || stage == nil {
		return
	}
	if found := stage.Node().TryFindChild(&action); found != nil {
		role := found.Node().FindChild(jsii.String("CodePipelineActionRole")).(awsiam.Role)
		role.AddToPrincipalPolicy(awsiam.PolicyStatement_FromJson(useConnection(s).Map()))
	}
}

// starts describe the event rules and the triggers that start a pipeline.
type starts struct {
	events []map[string]any
	pushes []any
}

// onSource returns the pushes that start the pipeline of the source's branch.
func onSource(s config.Source, triggers []config.Trigger) starts {
	switch s.Provider {
	case config.S3:
		return starts{events: []map[string]any{event("aws.s3", "Object Created", map[string]any{
			"bucket": map[string]any{"name": []string{s.Bucket}}, "object": map[string]any{"key": []string{s.Key}},
		})}}
	case config.ECR:
		return starts{events: []map[string]any{event("aws.ecr", "ECR Image Action", map[string]any{
			"action-type": []string{"PUSH"}, "result": []string{"SUCCESS"},
			"repository-name": []string{s.Repository}, "image-tag": []string{s.Tag},
		})}}
	}
	var begin starts
	for _, t := range triggers {
		if len(t.Tags) > 0 {
			begin.add(s, config.Trigger{Tags: t.Tags})
		}
		if len(t.Tags) == 0 && len(t.Branches) == 0 || slices.ContainsFunc(t.Branches, matches(s.Branch)) {
			begin.add(s, config.Trigger{Branches: []string{s.Branch}, Paths: t.Paths})
		}
	}
	if len(triggers) == 0 {
		begin.add(s, config.Trigger{Branches: []string{s.Branch}})
	}
	return begin
}

// onOthers returns the pushes that start the pipeline of other branches.
func onOthers(s config.Source, triggers []config.Trigger) starts {
	var begin starts
	for _, t := range triggers {
		if others := slices.DeleteFunc(slices.Clone(t.Branches), func(b string) bool { return b == s.Branch }); len(others) > 0 {
			begin.add(s, config.Trigger{Branches: others, Paths: t.Paths})
		}
	}
	return begin
}

// otherBranches reports whether other branches of an application are built as well.
func otherBranches(app *config.App) bool {
	others := onOthers(app.Source, app.Triggers)
	return len(others.events) > 0 || len(others.pushes) > 0
}

// matches reports whether a glob pattern matches the branch.
func matches(branch string) func(pattern string) bool {
	return func(pattern string) bool {
		if pattern == "**" {
			return true
		}
		ok, err := path.Match(pattern, branch)
		return ok && err == nil
	}
}

func (b *starts) add(s config.Source, t config.Trigger) {
	if s.Provider == config.Connection {
		b.pushes = append(b.pushes, push(s, t))
		return
	}
	kind, names := "branch", t.Branches
	if len(t.Tags) > 0 {
		kind, names = "tag", t.Tags
	}
	b.events = append(b.events, codeCommitEvent(s, kind, names))
}

// codeCommitEvent ignores paths, which the events of CodeCommit do not have.
func codeCommitEvent(s config.Source, kind string, names []string) map[string]any {
	return event("aws.codecommit", "CodeCommit Repository State Change", map[string]any{
		"event":          []string{"referenceCreated", "referenceUpdated"},
		"repositoryName": []string{s.Repository},
		"referenceType":  []string{kind},
		"referenceName":  patterns(names),
	})
}

// patterns translates glob patterns for EventBridge, where one * matches any text.
func patterns(globs []string) []any {
	all := make([]any, len(globs))
	for i, glob := range globs {
		all[i] = glob
		if strings.Contains(glob, "*") {
			all[i] = map[string]any{"wildcard": strings.ReplaceAll(glob, "**", "*")}
		}
	}
	return all
}

func event(source, kind string, detail map[string]any) map[string]any {
	return map[string]any{"source": []string{source}, "detail-type": []string{kind}, "detail": detail}
}

// push returns the filter of a pipeline's trigger.
func push(s config.Source, t config.Trigger) *awscodepipeline.CfnPipeline_GitPushFilterProperty {
	if len(t.Tags) > 0 {
		return &awscodepipeline.CfnPipeline_GitPushFilterProperty{
			Tags: &awscodepipeline.CfnPipeline_GitTagFilterCriteriaProperty{Includes: jsii.Strings(t.Tags...)},
		}
	}
	branches := &awscodepipeline.CfnPipeline_GitBranchFilterCriteriaProperty{Includes: jsii.Strings(t.Branches...)}
	if !slices.Contains(t.Branches, s.Branch) && slices.ContainsFunc(t.Branches, matches(s.Branch)) {
		branches.Excludes = jsii.Strings(s.Branch)
	}
	filter := &awscodepipeline.CfnPipeline_GitPushFilterProperty{Branches: branches}
	if len(t.Paths) > 0 {
		filter.FilePaths = &awscodepipeline.CfnPipeline_GitFilePathFilterCriteriaProperty{Includes: jsii.Strings(t.Paths...)}
	}
	return filter
}

// triggers returns the triggers of the pipeline itself, which only connections have.
func (b starts) triggers() any {
	if b.pushes == nil {
		return nil
	}
	return []any{&awscodepipeline.CfnPipeline_PipelineTriggerDeclarationProperty{
		ProviderType: jsii.String("CodeStarSourceConnection"),
		GitConfiguration: &awscodepipeline.CfnPipeline_GitConfigurationProperty{
			SourceActionName: jsii.String(sourceAction), Push: b.pushes,
		},
	}}
}

// rules adds event rules that start a pipeline. If the event has a commit, the rule asks
// for it, so that the pipeline builds a tag, or another branch than its own, rather than
// the newest commit of its branch. See
// https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-trigger-source-overrides-eventbridge.html
func (b starts) rules(scope constructs.Construct, id string, s config.Source, pipeline, role string) []awsevents.CfnRule {
	var made []awsevents.CfnRule
	target := &awsevents.CfnRule_TargetProperty{Id: jsii.String("Pipeline"), Arn: &pipeline, RoleArn: &role}
	if p := providers[s.Provider]; p.revision != "" {
		target.InputTransformer = &awsevents.CfnRule_InputTransformerProperty{
			InputPathsMap: &map[string]*string{"revision": &p.revisionPath},
			InputTemplate: jsii.String(`{"sourceRevisions": [{"actionName": "` + sourceAction +
				`", "revisionType": "` + p.revision + `", "revisionValue": <revision>}]}`),
		}
	}
	for i, pattern := range b.events {
		suffix := ""
		if i > 0 {
			suffix = string(rune('1' + i))
		}
		made = append(made, awsevents.NewCfnRule(scope, jsii.String(id+suffix), &awsevents.CfnRuleProps{
			EventPattern: pattern, Targets: []any{target},
		}))
	}
	return made
}
