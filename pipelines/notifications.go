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

// notified lists the events that topics receive. An approval action notifies its topic
// itself.
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

// notify sends the events of a pipeline to the shared topics.
func notify(pipeline awscodepipeline.Pipeline, c *config.Config) {
	for _, n := range notified {
		pipeline.NotifyOn(jsii.String(n.id), topic(pipeline, c, n.event), &awscodepipeline.PipelineNotifyOnOptions{
			Events: &n.events,
		})
	}
}

// notifyFailed notifies the topic of failures for a pipeline that is written as a
// CfnPipeline.
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

// longestRuleName limits the name of a notification rule. See
// https://docs.aws.amazon.com/codestar-notifications/latest/APIReference/API_CreateNotificationRule.html
const longestRuleName = 64

// newSlack adds the Slack channels that receive events. A person authorises a workspace
// once, in the console of Amazon Q Developer in chat applications. Nobody can act from a
// channel: its role has no rights, and the guardrail denies any that it may get.
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
