package shared

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecr"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssigner"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
)

// Props are the arguments of New and NewRegional.
type Props struct {
	Config *config.Config
	// Synthesizer names the roles that deploy the stack; nil means the roles of the
	// CDK's bootstrap stack.
	Synthesizer awscdk.IStackSynthesizer
}

// New adds the stack that all pipelines use, in the tooling account and region: the
// image repositories, the artifact bucket and its key, the topics. Resources that hold
// data are retained when the stack is deleted. Users find them by the names of the
// configuration: the stack exports nothing.
func New(scope constructs.Construct, id string, props *Props) awscdk.Stack {
	c := props.Config
	stack := newStack(scope, id, c.SharedStack(), c.Tooling.Region, props)
	key := artifactKey(stack, c)
	bucket := artifactBucket(stack, c, c.Tooling.Region, key)
	parameter(stack, config.KeyParameter, key.KeyArn())
	parameter(stack, config.BucketParameter, bucket.BucketName())
	for _, app := range c.Apps {
		repository(stack, c, app)
	}
	signing(stack, c)
	for _, event := range []config.Event{config.ApprovalNeeded, config.Failed, config.Succeeded} {
		topic(stack, c, event, key)
	}
	return stack
}

func newStack(scope constructs.Construct, id, name, region string, props *Props) awscdk.Stack {
	c := props.Config
	return awscdk.NewStack(scope, &id, &awscdk.StackProps{
		Env:         &awscdk.Environment{Account: &c.Tooling.Account.ID, Region: &region},
		StackName:   &name,
		Description: jsii.String(c.Name + ": what all pipelines use"),
		Synthesizer: props.Synthesizer,

		TerminationProtection: jsii.Bool(true),
	})
}

func parameter(stack awscdk.Stack, name string, value *string) {
	awsssm.NewStringParameter(stack, &name, &awsssm.StringParameterProps{ParameterName: &name, StringValue: value})
}

func repository(stack awscdk.Stack, c *config.Config, app *config.App) {
	mutability := awsecr.TagMutability_IMMUTABLE
	if app.Repository.TagMutability == "MUTABLE" {
		mutability = awsecr.TagMutability_MUTABLE
	}
	repository := awsecr.NewRepository(stack, jsii.String("Repository "+app.Name), &awsecr.RepositoryProps{
		RepositoryName:     &app.Repository.Name,
		ImageTagMutability: mutability,
		ImageScanOnPush:    &app.Repository.ScanOnPush,
		LifecycleRules: &[]*awsecr.LifecycleRule{
			{
				Description:  jsii.String("untagged images go"),
				RulePriority: jsii.Number(1), TagStatus: awsecr.TagStatus_UNTAGGED,
				MaxImageAge: awscdk.Duration_Days(jsii.Number(app.Repository.ExpireUntaggedDays)),
			},
			{
				Description:  jsii.String("the newest releases stay"),
				RulePriority: jsii.Number(2), TagStatus: awsecr.TagStatus_TAGGED, TagPatternList: jsii.Strings("*"),
				MaxImageCount: jsii.Number(app.Repository.KeepReleases),
			},
		},
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
	for _, s := range policy.Repository(c) {
		repository.AddToResourcePolicy(statement(s))
	}
}

func statement(s policy.Statement) awsiam.PolicyStatement {
	return awsiam.PolicyStatement_FromJson(s.Map())
}

// maxFilters limits the repositories that one signing rule names. See
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_SigningRule.html
const maxFilters = 100

// signing lets ECR sign the images of applications that ask for it. A registry has
// one such configuration.
func signing(stack awscdk.Stack, c *config.Config) {
	var filters []any
	for _, app := range c.Apps {
		if app.Sign {
			filters = append(filters, &awsecr.CfnSigningConfiguration_RepositoryFilterProperty{
				Filter: &app.Repository.Name, FilterType: jsii.String("WILDCARD_MATCH"),
			})
		}
	}
	if len(filters) == 0 {
		return
	}
	profile := awssigner.NewCfnSigningProfile(stack, jsii.String("SigningProfile"), &awssigner.CfnSigningProfileProps{
		PlatformId: jsii.String("Notation-OCI-SHA384-ECDSA"), ProfileName: jsii.String(c.SigningProfile()),
	})
	profile.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	var rules []any
	for some := range slices.Chunk(filters, maxFilters) {
		rules = append(rules, &awsecr.CfnSigningConfiguration_RuleProperty{
			SigningProfileArn: profile.AttrArn(), RepositoryFilters: some,
		})
	}
	awsecr.NewCfnSigningConfiguration(stack, jsii.String("Signing"), &awsecr.CfnSigningConfigurationProps{Rules: rules})
}

// topic notifies the e-mail addresses that the file gives for an event.
func topic(stack awscdk.Stack, c *config.Config, event config.Event, key awskms.IKey) {
	topic := awssns.NewTopic(stack, jsii.String("Topic "+string(event)), &awssns.TopicProps{
		TopicName: jsii.String(c.Topic(event)), MasterKey: key, EnforceSSL: jsii.Bool(true),
	})
	for _, s := range policy.Topic(c, *topic.TopicArn()) {
		topic.AddToResourcePolicy(statement(s))
	}
	emails := map[string]bool{}
	for _, n := range c.Notifications {
		if n.Email != "" && slices.Contains(n.Events, event) {
			emails[n.Email] = true
		}
	}
	for _, email := range slices.Sorted(maps.Keys(emails)) {
		topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(&email, nil))
	}
}
