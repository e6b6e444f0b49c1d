package plan

// Quota is a limit of AWS, or of our use of it.
type Quota struct {
	// What is counted, and Per which thing.
	What, Per string
	Most      int
	// Adjustable means that AWS raises the quota on request.
	Adjustable bool
	// Source has the URL of the number.
	Source string
}

// Sources of quotas, as of 2026-11.
const (
	codePipelineLimits   = "https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html"
	iamLimits            = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
	cloudFormationLimits = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
)

// Quotas that pipelines come near to. Regions may differ: af-south-1 and eu-south-1 have
// 100 rules of EventBridge.
var (
	pipelinesPerRegion = Quota{"pipelines", "account and region", 1000, true, codePipelineLimits}
	stagesPerPipeline  = Quota{"stages", "pipeline", 50, false, codePipelineLimits}
	// AWS allows 100 since 2024-10, but CDK Pipelines begins another stage after 50, and
	// then prepares all change sets before it executes the first.
	actionsPerStage      = Quota{"actions", "stage", 50, false, "https://github.com/aws/aws-cdk/issues/16336"}
	actionsPerPipeline   = Quota{"actions", "pipeline", 1000, false, "https://github.com/awslabs/aws-deployment-framework/issues/792"}
	rulesPerCondition    = Quota{"alarms of targets", "wave", 5, false, "https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_Condition.html"}
	appsPerGroup         = Quota{"applications", "group", 30, false, "docs/decisions/plan.md"}
	resourcesPerStack    = Quota{"resources", "stack", 500, false, cloudFormationLimits}
	templateBytes        = Quota{"bytes", "template", 1_000_000, false, cloudFormationLimits}
	stacksPerRegion      = Quota{"stacks", "account and region", 2000, true, cloudFormationLimits}
	rulesPerBus          = Quota{"event rules", "account and region", 300, true, "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"}
	rolesPerAccount      = Quota{"roles", "account", 1000, true, iamLimits}
	notificationsPerRule = Quota{"notification rules", "account and region", 1000, false, "https://docs.aws.amazon.com/dtconsole/latest/userguide/limits.html"}
	projectsPerRegion    = Quota{"build projects", "account and region", 5000, true, "https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html"}
	repositoriesPerAcct  = Quota{"image repositories", "account and region", 100_000, true, "https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html"}

	inlineBytes     = Quota{"bytes of inline policies", "role", 10_240, false, iamLimits}
	managedBytes    = Quota{"bytes", "managed policy", 6_144, false, iamLimits}
	trustBytes      = Quota{"bytes", "trust policy", 2_048, true, iamLimits}
	keyBytes        = Quota{"bytes", "key policy", 32_768, false, "https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html"}
	bucketBytes     = Quota{"bytes", "bucket policy", 20_480, false, "https://docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html"}
	repositoryBytes = Quota{"bytes", "repository policy", 10_240, false, "https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html"}
)

// Warned is the share of a quota from which Check warns.
const Warned = 0.8
