package pipelines

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awschatbot"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodestarnotifications"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
)

// notified are the events of a pipeline that a topic hears of. An approval action
// tells its topic itself.
var notified = []struct {
	event  config.Event
	id     string
	events []awscodepipeline.PipelineNotificationEvents
}{
	{config.Failed, "NotifyFailed", []awscodepipeline.PipelineNotificationEvents{
		awscodepipeline.PipelineNotificationEvents_PIPELINE_EXECUTION_FAILED,
		awscodepipeline.PipelineNotificationEvents_MANUAL_APPROVAL_FAILED,
	}},
	{config.Succeeded, "NotifySucceeded", []awscodepipeline.PipelineNotificationEvents{
		awscodepipeline.PipelineNotificationEvents_PIPELINE_EXECUTION_SUCCEEDED,
	}},
}

// notify tells the shared topics of what becomes of a pipeline.
func notify(pipeline awscodepipeline.Pipeline, c *config.Config) {
	for _, n := range notified {
		pipeline.NotifyOn(jsii.String(n.id), topic(pipeline, c, n.event), &awscodepipeline.PipelineNotifyOnOptions{
			Events: &n.events,
		})
	}
}

// notifyFailed tells the topic of failures when an execution of a pipeline fails that is
// written as a resource.
func notifyFailed(scope constructs.Construct, id string, c *config.Config, pipeline awscodepipeline.CfnPipeline) {
	this := constructs.NewConstruct(scope, &id)
	awscodestarnotifications.NewCfnNotificationRule(this, jsii.String("Resource"), &awscodestarnotifications.CfnNotificationRuleProps{
		Name:       awscdk.Names_UniqueResourceName(this, &awscdk.UniqueResourceNameOptions{MaxLength: jsii.Number(longestRuleName)}),
		DetailType: jsii.String("FULL"), EventTypeIds: jsii.Strings("codepipeline-pipeline-pipeline-execution-failed"),
		Resource: jsii.String(arn(c, "codepipeline", *pipeline.Ref())),
		Targets: []any{&awscodestarnotifications.CfnNotificationRule_TargetProperty{
			TargetType: jsii.String("SNS"), TargetAddress: jsii.String(c.TopicARN(config.Failed)),
		}},
	})
}

// longestRuleName is what a notification rule takes.
// https://docs.aws.amazon.com/codestar-notifications/latest/APIReference/API_CreateNotificationRule.html
const longestRuleName = 64

// newSlack adds the channels of Slack that hear of events. A workspace is authorised
// once, by hand, in the console of Amazon Q Developer in chat applications. Whoever
// is in a channel can do nothing from there: the role has no rights, and the
// guardrail denies whatever it may get.
func newSlack(stack awscdk.Stack, c *config.Config) {
	var nothing awsiam.IManagedPolicy
	for _, n := range c.Notifications {
		if n.SlackChannel == "" {
			continue
		}
		if nothing == nil {
			nothing = awsiam.NewManagedPolicy(stack, jsii.String("SlackGuardrail"), &awsiam.ManagedPolicyProps{
				Description: jsii.String("from a channel of Slack nothing can be done"),
				Document:    awsiam.PolicyDocument_FromJson(denyAll.Map()),
			})
		}
		name := c.Name + "-" + n.SlackChannel
		this := constructs.NewConstruct(stack, jsii.String("Slack-"+n.SlackWorkspace+"-"+n.SlackChannel))
		topics := []awssns.ITopic{}
		for _, e := range n.Events {
			topics = append(topics, topic(this, c, e))
		}
		awschatbot.NewSlackChannelConfiguration(this, jsii.String("Channel"), &awschatbot.SlackChannelConfigurationProps{
			SlackChannelConfigurationName: &name, SlackWorkspaceId: &n.SlackWorkspace, SlackChannelId: &n.SlackChannel,
			NotificationTopics: &topics, GuardrailPolicies: &[]awsiam.IManagedPolicy{nothing},
		})
	}
}

var denyAll = policy.Document{{Sid: "Nothing", Effect: "Deny", Action: []string{"*"}, Resource: []string{"*"}}}
