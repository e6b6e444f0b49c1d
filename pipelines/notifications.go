package pipelines

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
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
		pipeline.NotifyOn(jsii.String(n.id), topic(pipeline.Stack(), c, n.event), &awscodepipeline.PipelineNotifyOnOptions{
			Events: &n.events, NotificationRuleName: jsii.String(*pipeline.Node().Id()),
		})
	}
}
