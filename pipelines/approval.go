package pipelines

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipelineactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	cdkpipelines "github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
)

// approval asks a person. CDK Pipelines has one too, but without a timeout.
type approval struct {
	cdkpipelines.Step
	ask     *config.Approval
	comment string
	topic   awssns.ITopic
}

// review makes the builds that report changes, and the approvals of them.
type review struct {
	*projects
	assembly cdkpipelines.IFileSetProducer
	builds   *builds // nil before the first
}

// newApproval asks with the values that the build of changes exports.
func (r *review) newApproval(e *config.Environment, summary, changed string) *approval {
	a := &approval{ask: e.Approval, comment: e.Approval.Comment, topic: topic(constructs.NewConstruct(r.stack, jsii.String("Approval-"+e.Name)), r.config, config.ApprovalNeeded)}
	if a.comment != "" {
		a.comment += "\n"
	}
	a.comment += summary
	cdkpipelines.NewStep_Override(a, jsii.String("Approve-"+e.Name))
	a.DiscoverReferencedOutputs([]string{summary, changed})
	return a
}

// ProduceAction implements cdkpipelines.ICodePipelineActionFactory.
func (a *approval) ProduceAction(stage awscodepipeline.IStage, o *cdkpipelines.ProduceActionOptions) *cdkpipelines.CodePipelineActionFactoryResult {
	props := &awscodepipelineactions.ManualApprovalActionProps{
		ActionName: o.ActionName, RunOrder: o.RunOrder,
		AdditionalInformation: &a.comment, NotificationTopic: a.topic,
		Timeout: awscdk.Duration_Minutes(jsii.Number(a.ask.Timeout.Minutes())),
	}
	if a.ask.URL != "" {
		props.ExternalEntityLink = &a.ask.URL
	}
	stage.AddAction(awscodepipelineactions.NewManualApprovalAction(props))
	return &cdkpipelines.CodePipelineActionFactoryResult{RunOrdersConsumed: jsii.Number(1)}
}

// addReview adds the stages before the first wave of an environment: the report of
// changes, and the approval. An approval of change sets is returned instead, for
// approveChangeSets. A release enters the environment only if all rules of entry hold.
func (d *cd) addReview(e *config.Environment) (behindChangeSets *approval, entry []rule) {
	entry = triggerRules(d.config, e)
	if e.Approval == nil {
		return nil, entry
	}
	changes := d.review.newChanges(e)
	d.engine.AddWave(jsii.String(changesStage(e)), &cdkpipelines.WaveOptions{Pre: &[]cdkpipelines.Step{changes}})
	d.settings[changesStage(e)] = &stageSettings{entry: entry}
	changed := *changes.ExportedVariable(jsii.String("CHANGED"))
	if e.Approval.SkipWhenUnchanged {
		entry = append(entry, equals("Changed", changed, "true"))
	}
	ask := d.review.newApproval(e, *changes.ExportedVariable(jsii.String("SUMMARY")), changed)
	if e.Review {
		return ask, entry
	}
	d.engine.AddWave(jsii.String(approvalStage(e)), &cdkpipelines.WaveOptions{Pre: &[]cdkpipelines.Step{ask}})
	d.settings[approvalStage(e)] = &stageSettings{entry: entry}
	return nil, entry
}

// approveChangeSets puts the approval between the change sets and the execution of the
// stacks without dependencies, in all targets. The other stacks wait: their change sets
// need resources of these.
func approveChangeSets(deployments []cdkpipelines.StageDeployment, ask *approval) {
	for _, deployment := range deployments {
		for _, stack := range *deployment.Stacks() {
			if len(*stack.StackDependencies()) == 0 {
				stack.AddStackSteps(&[]cdkpipelines.Step{}, &[]cdkpipelines.Step{ask}, &[]cdkpipelines.Step{})
			}
		}
	}
}

func changesStage(e *config.Environment) string  { return e.Name + "-changes" }
func approvalStage(e *config.Environment) string { return e.Name + "-approval" }
