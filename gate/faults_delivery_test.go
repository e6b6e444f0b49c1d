package gate

// command adds a command to the buildspec of the tests.
func command(text string) func(*template) {
	return func(t *template) {
		t.Helper()
		spec := parse(t.get("Test", "Source", "BuildSpec").(string))
		commands := append([]any{text}, at(spec, "phases", "build", "commands").([]any)...)
		at(spec, "phases", "build").(map[string]any)["commands"] = commands
		t.resource("Test")["Properties"].(map[string]any)["Source"].(map[string]any)["BuildSpec"] = canonical(spec)
	}
}

// sourceAction sets a field of the configuration of the source.
func sourceAction(name string, value any) func(*template) {
	return setting("Pipeline", value, "Stages", 0, "Actions", 0, "Configuration", name)
}

// deliveryFaults holds mistakes in pipelines and in their builds.
var deliveryFaults = []fault{
	{
		name: "a pipeline of the type of old", rule: "pipeline-type", in: pipeline, on: "Pipeline",
		inject: setting("Pipeline", "V1", "PipelineType"),
	},
	{
		name: "a pipeline that leaves its type to CodePipeline", rule: "pipeline-type", in: pipeline, on: "Pipeline",
		inject: removing("Pipeline", "PipelineType"),
	},
	{
		name: "a source polls", rule: "pipeline-polls", in: pipeline, on: "Pipeline",
		inject: sourceAction("PollForSourceChanges", true),
	},
	{
		name: "a source polls because nothing is said", rule: "pipeline-polls", in: pipeline, on: "Pipeline",
		inject: removing("Pipeline", "Stages", 0, "Actions", 0, "Configuration", "PollForSourceChanges"),
	},
	{
		name: "an event starts another pipeline", rule: "pipeline-never-starts", in: pipeline, on: "Pipeline",
		inject: setting("Start", "arn:aws:codepipeline:eu-west-1:222222222222:other", "Targets", 0, "Arn"),
	},
	{
		name: "a connection tells of no change", rule: "pipeline-never-starts", in: pipeline, on: "Pipeline",
		inject: func(t *template) {
			t.set("Pipeline", "CodeStarSourceConnection", "Stages", 0, "Actions", 0, "ActionTypeId", "Provider")
			t.set("Pipeline", parse(`{"DetectChanges": false}`), "Stages", 0, "Actions", 0, "Configuration")
			t.set("Start", []any{}, "Targets")
		},
	},
	{
		name: "nobody is asked before production", rule: "pipeline-approval", in: pipeline, on: "Pipeline",
		inject: removing("Pipeline", "Stages", 2, "Actions", 1),
	},
	{
		name: "who is asked cannot hold production back", rule: "pipeline-approval", in: pipeline, on: "Pipeline",
		inject: setting("Pipeline", 3.0, "Stages", 2, "Actions", 1, "RunOrder"),
	},
	{
		name: "production is changed while somebody looks at the change", rule: "pipeline-approval", in: pipeline, on: "Pipeline",
		inject: setting("Pipeline", "CREATE_UPDATE", "Stages", 2, "Actions", 0, "Configuration", "ActionMode"),
	},
	{
		name: "the role of an action trusts the account", rule: "action-role-trust", in: pipeline, on: "ApproveRole",
		inject: setting("ApproveRole", `{"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}`, "AssumeRolePolicyDocument", "Statement", 0, "Principal"),
	},
	{
		name: "a key is open to all of another account", rule: "foreign-account", in: pipeline, on: "Key",
		inject: removing("Key", "KeyPolicy", "Statement", 1, "Condition"),
	},
	{
		name: "a key is open to all of another account, through S3", rule: "foreign-account", in: pipeline, on: "Key",
		inject: setting("Key", `{"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}`, "KeyPolicy", "Statement", 1, "Condition"),
	},
	{
		name: "a bucket is open to all of another account", rule: "foreign-account", in: pipeline, on: "ArtifactsPolicy",
		inject: removing("ArtifactsPolicy", "PolicyDocument", "Statement", 1, "Condition"),
	},
	{
		name: "a build lets CodeBuild make its log group", rule: "build-log-group", in: pipeline, on: "Test",
		inject: removing("Test", "LogsConfig", "CloudWatchLogs", "GroupName"),
	},
	{
		name: "a build has no settings of logs", rule: "build-log-group", in: pipeline, on: "Build",
		inject: removing("Build", "LogsConfig"),
	},
	{
		name: "a failed push passes through a pipe", rule: "build-pipefail", in: pipeline, on: "Test",
		inject: command("go test ./... | tee test.log"),
	},
	{
		name: "a failed read passes through the second pipe", rule: "build-pipefail", in: pipeline, on: "Test",
		inject: command(`aws ecr get-login-password | docker login --password-stdin x && aws ecr describe-images | jq '.a | .b'`),
	},
	{
		name: "the newest version of a tool", rule: "build-unpinned", in: pipeline, on: "Test",
		inject: command("npm install -g aws-cdk"),
	},
	{
		name: "any release of a major version", rule: "build-unpinned", in: pipeline, on: "Test",
		inject: command("npm install --silent -g aws-cdk@2 @scope/tool@1.2.3"),
	},
	{
		name: "the newest version by name", rule: "build-unpinned", in: pipeline, on: "Test",
		inject: command("go run example.com/tool@latest ./..."),
	},
	{
		name: "the newest package of Python", rule: "build-unpinned", in: pipeline, on: "Test",
		inject: command("pip3 install -r requirements.txt awscli==1.2.3 black"),
	},
	{
		name: "who builds images may change the compose files", rule: "build-privileged-push", in: pipeline, on: "Build",
		inject: func(t *template) {
			t.set("BuildRole", `{"Effect": "Allow", "Action": "codecommit:GitPush", "Resource": "arn:aws:codecommit:eu-west-1:222222222222:compose"}`,
				"Policies", 0, "PolicyDocument", "Statement", 6)
		},
	},
	{
		name: "any object may be read, in every bucket", rule: "wildcard-action", in: pipeline, on: "TestPolicy", also: []string{"wildcard-resource"},
		inject: func(t *template) {
			t.set("TestPolicy", []any{"s3:GetObject*", "s3:PutObject"}, "PolicyDocument", "Statement", 1, "Action")
			t.set("TestPolicy", "*", "PolicyDocument", "Statement", 1, "Resource")
		},
	},
	{
		name: "who deploys is administrator", rule: "administrator", in: pipeline, on: "PipelineRole",
		inject: setting("PipelineRole", []any{"arn:aws:iam::aws:policy/PowerUserAccess"}, "ManagedPolicyArns"),
	},
}
