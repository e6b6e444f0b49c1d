//go:build !race

package pipelines

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines"
	"composecdk/pipelines/config"
	"composecdk/test/assembly"
	"composecdk/test/fixture"
)

// ciApp returns an application with everything that a file leaves out.
func ciApp(name string, change func(*config.App)) *config.App {
	app := &config.App{
		Name: name, Group: "apps", Service: name,
		Source:     config.Source{Provider: config.CodeCommit, Repository: "blog-" + name, Branch: "main"},
		Repository: config.Repository{Name: "shop/" + name, TagMutability: "IMMUTABLE", KeepReleases: 10, ExpireUntaggedDays: 14},
		Build: config.Build{
			Context: ".", Dockerfile: "Dockerfile", Compute: "SMALL", Image: "standard:7.0", Privileged: true, Timeout: 30 * time.Minute,
		},
	}
	if change != nil {
		change(app)
	}
	return app
}

// toolingOf returns the configuration of the platform pipeline alone, with applications.
func toolingOf(apps ...*config.App) *config.Config {
	c := threeAccounts()
	c.Environments, c.Apps = nil, apps
	return c
}

// tooling synthesises the pipelines; the templates are by the id of the stack.
func tooling(t *testing.T, c *config.Config) map[string]template {
	t.Helper()
	dir := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &dir, AnalyticsReporting: jsii.Bool(false)})
	if err := pipelines.New(app, &pipelines.Props{Config: c}); err != nil {
		t.Fatal(err)
	}
	app.Synth(nil)
	templates := map[string]template{}
	files, err := filepath.Glob(filepath.Join(dir, "assembly-Tooling", "Tooling*.template.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	for _, file := range append(files, filepath.Join(dir, "Platform.template.json"), filepath.Join(dir, "Cd.template.json")) {
		tm, err := assembly.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		tm.T = t
		id := strings.TrimSuffix(filepath.Base(file), ".template.json")
		if rest, inStage := strings.CutPrefix(id, "Tooling"); inStage {
			id = rest[:len(rest)-8] // the hash of the path
		}
		templates[id] = tm
	}
	return templates
}

// shape returns a pipeline in a line: its stages and the actions in them, each with its
// provider.
func shape(t *testing.T, tm template, pipeline string) string {
	t.Helper()
	var stages []string
	for _, stage := range list(at(pipelineNamed(t, tm, pipeline), "Stages")) {
		var actions []string
		for _, a := range list(at(stage, "Actions")) {
			actions = append(actions, fmt.Sprintf("%v(%v)", at(a, "Name"), at(a, "ActionTypeId", "Provider")))
		}
		stages = append(stages, fmt.Sprintf("%v: %s", at(stage, "Name"), strings.Join(actions, ", ")))
	}
	return strings.Join(stages, "; ")
}

// pipelineNamed returns the properties of a pipeline.
func pipelineNamed(t *testing.T, tm template, name string) map[string]any {
	t.Helper()
	for _, p := range tm.Of("AWS::CodePipeline::Pipeline") {
		if at(p, "Properties", "Name") == name {
			return p["Properties"].(map[string]any)
		}
	}
	t.Fatalf("there is no pipeline %s", name)
	return nil
}

// ciGroup returns the template of the CI pipelines of applications of one group.
func ciGroup(t *testing.T, apps ...*config.App) template {
	t.Helper()
	return tooling(t, toolingOf(apps...))["Ciapps"]
}

func TestCIPipelineIsSourceBuildScanMerge(t *testing.T) {
	three := 3
	tm := ciGroup(t, ciApp("app01", func(a *config.App) { a.Scan = &config.Scan{Critical: new(int), High: &three} }), ciApp("app02", nil))
	equalText(t, "with a scan", shape(t, tm, "ci-app01"), "Source: Source(CodeCommit); Build: Build(CodeBuild); Scan: Scan(InspectorScan); Merge: Merge(CodeBuild)")
	equalText(t, "without", shape(t, tm, "ci-app02"), "Source: Source(CodeCommit); Build: Build(CodeBuild); Merge: Merge(CodeBuild)")
	equal(t, "the scan", at(actionOf(t, tm, "ci-app01", "Scan"), "Configuration"), map[string]any{
		"InspectorRunMode": "ECRImageScan", "ECRRepositoryName": "shop/app01", "ImageTag": "#{Build.IMAGE_TAG}",
		"CriticalThreshold": "0", "HighThreshold": "3",
	})
	p := pipelineNamed(t, tm, "ci-app01")
	equal(t, "type", p["PipelineType"], "V2")
	equal(t, "mode", p["ExecutionMode"], "SUPERSEDED")
	for _, stage := range list(p["Stages"]) {
		if role := at(stage, "Actions", 0, "RoleArn"); role != nil {
			t.Errorf("stage %v has a role of its own: %v", at(stage, "Name"), role)
		}
	}
	equal(t, "what the merge is told", overridesOf(t, actionOf(t, tm, "ci-app01", "Merge")), map[string]string{
		"SERVICE_NAME": "app01", "REPOSITORY": "shop/app01", "REPOSITORY_URI": registry + "/shop/app01",
	})
}

// githubConnection is a connection of the tooling account.
const githubConnection = "arn:aws:codeconnections:eu-west-1:111111111111:connection/0c0ffee0-1234-4abc-9def-0123456789ab"

func onConnection(triggers ...config.Trigger) func(*config.App) {
	return func(a *config.App) {
		a.Source = config.Source{Provider: config.Connection, Repository: "my-org/app", Branch: "main", ConnectionARN: githubConnection}
		a.Triggers = triggers
	}
}

func onCodeCommit(triggers ...config.Trigger) func(*config.App) {
	return func(a *config.App) { a.Triggers = triggers }
}

// What starts the pipeline of an application, and the one of its other branches.
func TestCITriggers(t *testing.T) {
	branch := func(names string) string {
		return `{"detail":{"event":["referenceCreated","referenceUpdated"],"referenceName":[` + names + `],"referenceType":["branch"],"repositoryName":["blog-app"]},"detail-type":["CodeCommit Repository State Change"],"source":["aws.codecommit"]}`
	}
	tag := strings.ReplaceAll(branch(`{"wildcard":"v*"}`), `"branch"`, `"tag"`)
	for name, test := range map[string]struct {
		change         func(*config.App)
		main, branches string
	}{
		"CodeCommit": {onCodeCommit(), branch(`"main"`), ""},
		"CodeCommit, tags": {
			onCodeCommit(config.Trigger{Tags: []string{"v*"}}), tag, "",
		},
		"CodeCommit, other branches": {
			onCodeCommit(config.Trigger{Branches: []string{"main", "feature/**"}}),
			branch(`"main"`), branch(`{"wildcard":"feature/*"}`),
		},
		"CodeCommit, a release by a tag, branches are tested": {
			onCodeCommit(config.Trigger{Tags: []string{"v*"}}, config.Trigger{Branches: []string{"feature/**"}}),
			tag, branch(`{"wildcard":"feature/*"}`),
		},
		"connection": {onConnection(), `{"Branches":{"Includes":["main"]}}`, ""},
		"connection, paths": {
			onConnection(config.Trigger{Branches: []string{"main"}, Paths: []string{"src/**"}}),
			`{"Branches":{"Includes":["main"]},"FilePaths":{"Includes":["src/**"]}}`, "",
		},
		"connection, paths alone": {
			onConnection(config.Trigger{Paths: []string{"src/**"}}),
			`{"Branches":{"Includes":["main"]},"FilePaths":{"Includes":["src/**"]}}`, "",
		},
		"connection, a tag and other branches": {
			onConnection(config.Trigger{Branches: []string{"*"}, Paths: []string{"src/**"}}, config.Trigger{Tags: []string{"v*"}}),
			`{"Branches":{"Includes":["main"]},"FilePaths":{"Includes":["src/**"]}} {"Tags":{"Includes":["v*"]}}`,
			`{"Branches":{"Excludes":["main"],"Includes":["*"]},"FilePaths":{"Includes":["src/**"]}}`,
		},
		"S3": {
			func(a *config.App) {
				a.Source = config.Source{Provider: config.S3, Bucket: "sources", Key: "app.zip"}
			},
			`{"detail":{"bucket":{"name":["sources"]},"object":{"key":["app.zip"]}},"detail-type":["Object Created"],"source":["aws.s3"]}`, "",
		},
		"ECR": {
			func(a *config.App) {
				a.Source = config.Source{Provider: config.ECR, Repository: "base", Tag: "stable"}
			},
			`{"detail":{"action-type":["PUSH"],"image-tag":["stable"],"repository-name":["base"],"result":["SUCCESS"]},"detail-type":["ECR Image Action"],"source":["aws.ecr"]}`, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tm := ciGroup(t, ciApp("app", test.change))
			equalText(t, "ci-app", startsOf(t, tm, "ci-app"), test.main)
			if test.branches == "" {
				tm.Count("AWS::CodePipeline::Pipeline", 1)
				return
			}
			equalText(t, "branches-app", startsOf(t, tm, "branches-app"), test.branches)
			equalText(t, "the pipeline of other branches", strings.ReplaceAll(shape(t, tm, "branches-app"), "CodeStarSourceConnection", "CodeCommit"),
				"Source: Source(CodeCommit); Build: Build(CodeBuild)")
		})
	}
}

// startsOf returns the triggers of a pipeline, or the patterns of the rules for it. Its
// source starts nothing by itself.
func startsOf(t *testing.T, tm template, pipeline string) string {
	t.Helper()
	var all []string
	for _, trigger := range list(pipelineNamed(t, tm, pipeline)["Triggers"]) {
		for _, push := range list(at(trigger, "GitConfiguration", "Push")) {
			all = append(all, text(push))
		}
	}
	for id, r := range tm.Resources {
		if at(r, "Type") != "AWS::CodePipeline::Pipeline" || at(r, "Properties", "Name") != pipeline {
			continue
		}
		for _, rule := range tm.Of("AWS::Events::Rule") {
			if strings.Contains(text(at(rule, "Properties", "Targets")), `"Ref":"`+id+`"`) {
				all = append(all, text(at(rule, "Properties", "EventPattern")))
			}
		}
	}
	configuration := at(actionOf(t, tm, pipeline, "Source"), "Configuration")
	for _, key := range []string{"PollForSourceChanges", "DetectChanges"} {
		if at(configuration, key) == true {
			t.Errorf("%s: %s is on", pipeline, key)
		}
	}
	return strings.Join(all, " ")
}

// The pipeline of a tag, or of another branch, must build what was pushed, and not
// what is newest on the branch of the source.
func TestCodeCommitEventAsksForItsCommit(t *testing.T) {
	target := at(ciGroup(t, ciApp("app", onCodeCommit(config.Trigger{Tags: []string{"v*"}}))).One("AWS::Events::Rule"), "Targets", 0)
	equal(t, "the input", at(target, "InputTransformer"), map[string]any{
		"InputPathsMap": map[string]string{"revision": "$.detail.commitId"},
		"InputTemplate": `{"sourceRevisions": [{"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": <revision>}]}`,
	})
}

// statementsOf returns the statements of a role, by their Sid.
func statementsOf(t *testing.T, tm template, id string) map[string]any {
	t.Helper()
	role, ok := tm.Resources[id]
	if !ok || len(list(at(role, "Properties", "Policies"))) != 1 {
		t.Fatalf("%s is no role with one policy", id)
	}
	all := map[string]any{}
	for _, s := range list(at(role, "Properties", "Policies", 0, "PolicyDocument", "Statement")) {
		all[at(s, "Sid").(string)] = s
	}
	return all
}

// roleID returns the logical id of a role, by how it begins.
func roleID(t *testing.T, tm template, prefix string) string {
	t.Helper()
	return idOf(t, tm, "AWS::IAM::Role", prefix)
}

// logsOf returns the ARN of a log group.
func logsOf(t *testing.T, tm template, prefix string) string {
	t.Helper()
	return `{"Fn::GetAtt":["` + idOf(t, tm, "AWS::Logs::LogGroup", prefix) + `","Arn"]}`
}

func idOf(t *testing.T, tm template, kind, prefix string) string {
	t.Helper()
	for id, r := range tm.Resources {
		if at(r, "Type") == kind && strings.HasPrefix(id, prefix) {
			return id
		}
	}
	t.Fatalf("there is no %s %s", kind, prefix)
	return ""
}

// rights returns what a role may do: each statement as actions, resources and conditions.
func rights(t *testing.T, tm template, id string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for sid, s := range statementsOf(t, tm, id) {
		line := strings.Join(texts(at(s, "Action")), " ") + " on " + strings.Join(texts(at(s, "Resource")), " ")
		if condition := at(s, "Condition"); condition != nil {
			line += " if " + text(condition)
		}
		all[sid] = strings.ReplaceAll(line, "arn:aws:", "")
	}
	return all
}

func texts(v any) []string {
	var all []string
	for _, item := range list(v) {
		if s, ok := item.(string); ok {
			all = append(all, s)
		} else {
			all = append(all, text(item))
		}
	}
	return all
}

func equalRights(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for sid, line := range want {
		if got[sid] != line {
			t.Errorf("%s, %s:\n got %s\nwant %s", what, sid, got[sid], line)
		}
	}
	for sid, line := range got {
		if _, ok := want[sid]; !ok {
			t.Errorf("%s may more than it should: %s: %s", what, sid, line)
		}
	}
}

const (
	artifactBucket = "s3:::shop-artifacts-111111111111-eu-west-1"
	sharedKey      = `{"Ref":"SsmParameterValuecicdsharedkmsarnC96584B6F00A464EAD1953AFF4B05118Parameter"}`
	useSharedKey   = "kms:Decrypt kms:GenerateDataKey on " + sharedKey + ` if {"StringEquals":{"kms:ViaService":["s3.eu-west-1.amazonaws.com"]}}`
	here           = "eu-west-1:111111111111:"
)

func TestCIRolesAreLeastPrivilege(t *testing.T) {
	tm := ciGroup(t,
		ciApp("app01", func(a *config.App) { a.Sign, a.Scan = true, &config.Scan{} }),
		ciApp("app02", func(a *config.App) {
			a.Source = config.Source{Provider: config.ECR, Repository: "base", Tag: "stable"}
		}),
		ciApp("payments-of-the-shop", onConnection(config.Trigger{Branches: []string{"**"}})),
	)
	tm.Count("AWS::IAM::Policy", 0)
	equalRights(t, "the build of app01", rights(t, tm, roleID(t, tm, "app01BuildRole")), map[string]string{
		"WriteLogs":      "logs:CreateLogStream logs:PutLogEvents on " + logsOf(t, tm, "app01Logs"),
		"ReadArtifacts":  "s3:GetObject s3:GetObjectVersion on " + artifactBucket + "/ci-app01/Source/*",
		"WriteArtifacts": "s3:PutObject on " + artifactBucket + "/ci-app01/Build/*",
		"UseKey":         useSharedKey,
		"LogIn":          "ecr:GetAuthorizationToken on *",
		"Push": "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:CompleteLayerUpload ecr:DescribeImages " +
			"ecr:InitiateLayerUpload ecr:PutImage ecr:UploadLayerPart on ecr:" + here + "repository/shop/app01",
		"Sign": "signer:SignPayload on signer:" + here + "/signing-profiles/shop_images",
	})
	equalRights(t, "the pipeline of app01", rights(t, tm, roleID(t, tm, "app01PipelineRole")), map[string]string{
		"ReadSource": "codecommit:CancelUploadArchive codecommit:GetBranch codecommit:GetCommit " +
			"codecommit:GetUploadArchiveStatus codecommit:UploadArchive on codecommit:" + here + "blog-app01",
		"ReadArtifacts":  "s3:GetObject s3:GetObjectVersion on " + artifactBucket + "/ci-app01/*",
		"WriteArtifacts": "s3:PutObject on " + artifactBucket + "/ci-app01/*",
		"UseKey":         useSharedKey,
		"FindArtifacts":  "s3:GetBucketLocation s3:GetBucketVersioning on " + artifactBucket,
		"RunBuilds": "codebuild:BatchGetBuilds codebuild:StartBuild codebuild:StopBuild on codebuild:" + here + "project/ci-app01 " +
			"codebuild:" + here + "project/merge-shop",
		"Scan": "inspector-scan:ScanSbom ecr:GetAuthorizationToken on *",
		"Pull": "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:GetDownloadUrlForLayer on ecr:" + here + "repository/shop/app01",
		"WriteScanLogs": "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents on logs:" + here + "log-group:/aws/codepipeline/ci-app01 " +
			"logs:" + here + "log-group:/aws/codepipeline/ci-app01:*",
	})
	copies := rights(t, tm, roleID(t, tm, "app02BuildRole"))
	equalText(t, "what app02 may pull", copies["Pull"], "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:GetDownloadUrlForLayer on ecr:"+here+"repository/base")
	connected := rights(t, tm, roleID(t, tm, "paymentsoftheshopPipelineRole"))
	equalText(t, "the connection", connected["UseConnection"], "codeconnections:UseConnection on "+strings.TrimPrefix(githubConnection, "arn:aws:")+
		` if {"StringEqualsIfExists":{"codeconnections:FullRepositoryId":["my-org/app"]}}`)
	equalText(t, "artifacts of two pipelines, 20 characters of the names of which count", connected["WriteArtifacts"],
		"s3:PutObject on "+artifactBucket+"/ci-payments-of-the-s/* "+artifactBucket+"/branches-payments-of/*")
	equalRights(t, "what starts pipelines", rights(t, tm, "StartRole"), map[string]string{
		"StartPipelines": "codepipeline:StartPipelineExecution on codepipeline:" + here + "ci-app01 codepipeline:" + here + "ci-app02 " +
			"codepipeline:" + here + "ci-payments-of-the-shop codepipeline:" + here + "branches-payments-of-the-shop",
	})
}

// A role serves the resources it is for, and a service cannot be talked into using it
// for others.
func TestCIRolesTrustOneService(t *testing.T) {
	tm := ciGroup(t, ciApp("app01", nil))
	for prefix, want := range map[string]string{
		"app01BuildRole":    "codebuild codebuild:" + here + "project/ci-app01",
		"app01PipelineRole": "codepipeline codepipeline:" + here + "ci-app01",
		"StartRole":         "events events:" + here + "rule/*",
	} {
		service, source, _ := strings.Cut(want, " ")
		equal(t, prefix, at(tm.Resources[roleID(t, tm, prefix)], "Properties", "AssumeRolePolicyDocument", "Statement"), []any{map[string]any{
			"Effect": "Allow", "Action": []string{"sts:AssumeRole"}, "Principal": map[string]any{"Service": []string{service + ".amazonaws.com"}},
			"Condition": map[string]any{
				"StringEquals": map[string]any{"aws:SourceAccount": []string{"111111111111"}},
				"ArnLike":      map[string]any{"aws:SourceArn": []string{"arn:aws:" + source}},
			},
		}})
	}
}

// CodeBuild refuses a build over the limit of its project instead of queueing it: two
// applications that end together would fail. One change at a time is the concern of
// composer set-image --push.
func TestMergeProjectTurnsNobodyAway(t *testing.T) {
	c := toolingOf(ciApp("app01", nil), ciApp("app02", func(a *config.App) { a.Repository.Name = "elsewhere/app02" }))
	tm := tooling(t, c)["Merge"]
	p := tm.One("AWS::CodeBuild::Project")
	equal(t, "limit of builds", p["ConcurrentBuildLimit"], nil)
	equal(t, "privileged", at(p, "Environment", "PrivilegedMode"), false)
	want := map[string]string{
		"WriteLogs":     "logs:CreateLogStream logs:PutLogEvents on " + logsOf(t, tm, "Logs"),
		"ReadArtifacts": "s3:GetObject s3:GetObjectVersion on " + artifactBucket + "/ci-*/Build/* " + artifactBucket + "/tools/composer",
		"UseKey":        useSharedKey,
		"FindImages":    "ecr:DescribeImages on ecr:" + here + "repository/shop/* ecr:" + here + "repository/elsewhere/app02",
		"Pull":          "codecommit:GitPull on codecommit:" + here + "shop-compose",
		"Push":          "codecommit:GitPush on codecommit:" + here + `shop-compose if {"StringEquals":{"codecommit:References":["refs/heads/main"]}}`,
	}
	equalRights(t, "the merge", rights(t, tm, "Role"), want)

	c.Compose.Source = config.Source{Provider: config.S3, Bucket: "sources", Key: "compose.zip"}
	delete(want, "Pull")
	delete(want, "Push")
	want["ReplaceObject"] = "s3:GetObject s3:PutObject on s3:::sources/compose.zip"
	equalRights(t, "the merge into an object", rights(t, tooling(t, c)["Merge"], "Role"), want)

	c.Compose.Source = config.Source{Provider: config.Connection, Repository: "my-org/compose", Branch: "main", ConnectionARN: githubConnection}
	delete(want, "ReplaceObject")
	want["UseConnection"] = "codeconnections:UseConnection on " + strings.TrimPrefix(githubConnection, "arn:aws:") +
		` if {"StringEqualsIfExists":{"codeconnections:FullRepositoryId":["my-org/compose"]}}`
	tm = tooling(t, c)["Merge"]
	equalRights(t, "the merge over a connection", rights(t, tm, "Role"), want)
	equalText(t, "its address", projectsOf(tm)["merge-shop"].env["COMPOSE_URL"],
		"https://codeconnections.eu-west-1.amazonaws.com/git-http/111111111111/eu-west-1/0c0ffee0-1234-4abc-9def-0123456789ab/my-org/compose.git")
}

// Only the builds of images are privileged, and no project shows what it does to
// everybody, keeps its logs forever or goes without the key.
func TestCIProjects(t *testing.T) {
	templates := tooling(t, toolingOf(ciApp("app01", nil), ciApp("app02", func(a *config.App) { a.Build.Privileged = false })))
	for _, stack := range []string{"Ciapps", "Merge", "Platform"} {
		tm := templates[stack]
		retention := map[string]any{}
		for id, r := range tm.Resources {
			if at(r, "Type") == "AWS::Logs::LogGroup" {
				retention[id] = at(r, "Properties", "RetentionInDays")
			}
		}
		for _, r := range tm.Of("AWS::CodeBuild::Project") {
			name := fmt.Sprint(at(r, "Properties", "Name"), at(r, "Metadata", "aws:cdk:path"))
			privileged := at(r, "Properties", "Environment", "PrivilegedMode") == true
			if privileged != strings.HasPrefix(name, "ci-app01") {
				t.Errorf("%s: privileged is %v", name, privileged)
			}
			if at(r, "Properties", "BadgeEnabled") != nil || at(r, "Properties", "Visibility") != nil {
				t.Errorf("%s is public", name)
			}
			equalText(t, name+": key", text(at(r, "Properties", "EncryptionKey")), sharedKey)
			group, _ := at(r, "Properties", "LogsConfig", "CloudWatchLogs", "GroupName", "Ref").(string)
			if retention[group] != float64(90) {
				t.Errorf("%s: logs go to %q, which keeps them for %v days", name, group, retention[group])
			}
		}
	}
}

// A group of 30 applications must fit into a stack, whatever they ask for.
func TestCIGroupFitsIntoAStack(t *testing.T) {
	var apps []*config.App
	for i := range 30 {
		apps = append(apps, ciApp(fmt.Sprintf("app-with-a-name-%02d", i), func(a *config.App) {
			a.Scan, a.Sign = &config.Scan{Critical: new(int)}, true
			a.Triggers = []config.Trigger{{Branches: []string{"main", "feature/**"}}, {Tags: []string{"v*"}}}
		}))
	}
	tm := ciGroup(t, apps...)
	if n := len(tm.Resources); n >= 500 {
		t.Errorf("%d resources", n)
	}
	if n := len(tm.Text); n >= 1_000_000 {
		t.Errorf("%d bytes", n)
	}
	for _, role := range tm.Of("AWS::IAM::Role") {
		if n := len(text(at(role, "Properties", "Policies", 0, "PolicyDocument"))); n >= 10_240 {
			t.Errorf("%v: a policy of %d bytes", at(role, "Metadata"), n)
		}
	}
}

// 200 applications must not keep anybody waiting: the time is computed, not waited.
func TestCIOfManyApplicationsIsQuick(t *testing.T) {
	var apps []*config.App
	for i := range 200 {
		apps = append(apps, ciApp(fmt.Sprintf("app%03d", i), func(a *config.App) { a.Group = fmt.Sprint("group", i/30) }))
	}
	dir := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &dir, AnalyticsReporting: jsii.Bool(false)})
	start := fixture.CPU()
	if err := pipelines.New(app, &pipelines.Props{Config: toolingOf(apps...)}); err != nil {
		t.Fatal(err)
	}
	if took := fixture.CPU() - start; took > 10*time.Second {
		t.Errorf("%s of construct calls", took)
	} else {
		t.Logf("%s of construct calls", took)
	}
}
