//go:build !race

package pipelines

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
	"composecdk/pipelines/shared"
	"composecdk/test/assembly"
)

// sharedConfig returns a product of two applications with a tooling account, and target
// accounts of each type of roles.
func sharedConfig() *config.Config {
	account := func(name, id string, roles config.Roles) *config.Account {
		return &config.Account{Name: name, ID: id, Roles: roles}
	}
	tooling := account("shared", "111111111111", config.Roles{Type: config.Bootstrap, Qualifier: "hnb659fds"})
	dev := account("dev", "222222222222", config.Roles{Type: config.Managed})
	prod := account("prod", "333333333333", config.Roles{Type: config.Bootstrap, Qualifier: "hnb659fds"})
	partner := account("partner", "444444444444", config.Roles{
		Type:             config.Given,
		DeployRoleARN:    "arn:aws:iam::444444444444:role/theirs/deploy",
		ExecutionRoleARN: "arn:aws:iam::444444444444:role/theirs/cloudformation",
	})
	repository := config.Repository{TagMutability: "IMMUTABLE", ScanOnPush: true, KeepReleases: 10, ExpireUntaggedDays: 14}
	app := func(name string) *config.App {
		r := repository
		r.Name = "myapps/" + name
		return &config.App{Name: name, Service: name, Repository: r, Sign: true}
	}
	return &config.Config{
		Name:           "myapps",
		Tooling:        config.Tooling{Account: tooling, Region: "eu-west-1"},
		OrganizationID: "o-abc1234567",
		Accounts:       []*config.Account{dev, partner, prod, tooling},
		Apps:           []*config.App{app("app01"), app("app02")},
		Environments: []*config.Environment{
			{Name: "throwaway", Type: config.Ephemeral, Waves: [][]config.Target{{{Account: dev, Region: "eu-west-1"}}}},
			{Name: "production", Type: config.Permanent, Waves: [][]config.Target{
				{{Account: prod, Region: "eu-west-1"}}, {{Account: partner, Region: "eu-west-1"}},
			}},
		},
		Notifications: []config.Notification{{Email: "team@example.org", Events: []config.Event{config.ApprovalNeeded, config.Failed}}},
	}
}

// toolingApp synthesises stacks of pipelines, and returns their templates by id.
func toolingApp(t *testing.T, add func(app awscdk.App) []awscdk.Stack) map[string]template {
	t.Helper()
	outdir := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &outdir, AnalyticsReporting: jsii.Bool(false)})
	added := add(app)
	app.Synth(nil)
	templates := map[string]template{}
	for _, stack := range added {
		tm, err := assembly.Read(outdir + "/" + *stack.TemplateFile())
		if err != nil {
			t.Fatal(err)
		}
		tm.T = t
		templates[*stack.Node().Id()] = tm
	}
	return templates
}

// sharedStacks synthesises the shared stack, and that of another region.
func sharedStacks(t *testing.T, c *config.Config) (primary, replica template) {
	t.Helper()
	templates := toolingApp(t, func(app awscdk.App) []awscdk.Stack {
		props := &shared.Props{Config: c}
		return []awscdk.Stack{shared.New(app, "Shared", props), shared.NewRegional(app, "Shared", "us-east-1", props)}
	})
	return templates["Shared"], templates["Shared-us-east-1"]
}

// canonical returns a part of a policy in one form: references as texts, a list of one as
// its item, any other sorted.
func canonical(v any) any {
	switch v := v.(type) {
	case map[string]any:
		switch {
		case v["Ref"] != nil:
			return v["Ref"]
		case v["Fn::GetAtt"] != nil:
			return fmt.Sprintf("%v.%v", at(v, "Fn::GetAtt", 0), at(v, "Fn::GetAtt", 1))
		case v["Fn::Join"] != nil:
			var b strings.Builder
			for _, part := range list(at(v, "Fn::Join", 1)) {
				fmt.Fprint(&b, canonical(part))
			}
			return b.String()
		}
		out := map[string]any{}
		for key, item := range v {
			out[key] = canonical(item)
		}
		return out
	case []any:
		if len(v) == 1 {
			return canonical(v[0])
		}
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = canonical(item)
		}
		slices.SortFunc(out, func(a, b any) int { return strings.Compare(text(a), text(b)) })
		return out
	}
	return v
}

// policyStatements returns the statements of a policy, in one form.
func policyStatements(document any) []any {
	var all []any
	for _, s := range list(at(document, "Statement")) {
		all = append(all, canonical(s))
	}
	return all
}

// samePolicy compares the statements of a policy, in their order.
func samePolicy(t *testing.T, what string, got any, want ...any) {
	t.Helper()
	all := policyStatements(got)
	if len(all) != len(want) {
		t.Errorf("%s has %d statements, want %d: %s", what, len(all), len(want), text(all))
		return
	}
	for i := range want {
		equal(t, fmt.Sprintf("%s: statement %d", what, i), all[i], want[i])
	}
}

// tls returns the statements of a bucket policy that refuse what is not TLS 1.2.
func tls(bucket string) []any {
	refuse := func(operator, key string, value any) any {
		return map[string]any{
			"Effect": "Deny", "Principal": map[string]any{"AWS": "*"}, "Action": "s3:*",
			"Resource":  []any{bucket, bucket + "/*"},
			"Condition": map[string]any{operator: map[string]any{key: value}},
		}
	}
	return []any{refuse("Bool", "aws:SecureTransport", "false"), refuse("NumericLessThan", "s3:TlsVersion", 1.2)}
}

// theOnly returns the logical id and the properties of the resource of a type whose
// property has a value.
func theOnly(t *testing.T, tm template, kind, property string, value any) (id string, properties map[string]any) {
	t.Helper()
	for name, r := range tm.Resources {
		if at(r, "Type") == kind && text(at(r, "Properties", property)) == text(value) {
			if id != "" {
				t.Fatalf("%s and %s are both of %s with %s", id, name, kind, property)
			}
			id, properties = name, r.(map[string]any)["Properties"].(map[string]any)
		}
	}
	if id == "" {
		t.Fatalf("nothing is of %s with %s %v", kind, property, value)
	}
	return id, properties
}

// TestSharedKey: the key turns, stays, can be replicated, and has the policy word by
// word.
func TestSharedKey(t *testing.T) {
	for _, organization := range []string{"o-abc1234567", ""} {
		c := sharedConfig()
		c.OrganizationID = organization
		tm, replica := sharedStacks(t, c)
		key := tm.One("AWS::KMS::Key")
		samePolicy(t, "key", key["KeyPolicy"], policyStatements(policy.Key(c, "eu-west-1").Map())...)
		equal(t, "rotation", key["EnableKeyRotation"], true)
		equal(t, "multi-Region", key["MultiRegion"], true)
		equal(t, "kept", tm.Of("AWS::KMS::Key")[0]["DeletionPolicy"], "Retain")
		equal(t, "alias", tm.One("AWS::KMS::Alias")["AliasName"], "alias/myapps/artifacts")

		copied := replica.One("AWS::KMS::ReplicaKey")
		samePolicy(t, "replica", copied["KeyPolicy"], policyStatements(policy.Key(c, "us-east-1").Map())...)
		equal(t, "primary", copied["PrimaryKeyArn"], map[string]any{"Fn::GetStackOutput": map[string]any{
			"StackName": "myapps-shared", "OutputName": "ArtifactKey", "Region": "eu-west-1",
		}})
		equal(t, "replica kept", replica.Of("AWS::KMS::ReplicaKey")[0]["DeletionPolicy"], "Retain")
		contains(t, "outputs", tm.Text, `\"ArtifactKey\"`)
	}
}

// TestSharedBuckets: the buckets for artifacts have the policy word by word, and the
// settings of the security list; their logs have a bucket of their own.
func TestSharedBuckets(t *testing.T) {
	for _, organization := range []string{"o-abc1234567", ""} {
		c := sharedConfig()
		c.OrganizationID = organization
		primary, replica := sharedStacks(t, c)
		for region, tm := range map[string]template{"eu-west-1": primary, "us-east-1": replica} {
			tm.Count("AWS::S3::Bucket", 2)
			id, bucket := theOnly(t, tm, "AWS::S3::Bucket", "BucketName", "myapps-artifacts-111111111111-"+region)
			logs := at(bucket, "LoggingConfiguration", "DestinationBucketName", "Ref").(string)
			encryption := at(bucket, "BucketEncryption", "ServerSideEncryptionConfiguration", 0)
			key := canonical(at(encryption, "ServerSideEncryptionByDefault", "KMSMasterKeyID")).(string)

			_, own := theOnly(t, tm, "AWS::S3::BucketPolicy", "Bucket", map[string]any{"Ref": id})
			want := append(tls(id+".Arn"), policyStatements(policy.Bucket(c, id+".Arn", key).Map())...)
			samePolicy(t, region, own["PolicyDocument"], want...)
			_, ofLogs := theOnly(t, tm, "AWS::S3::BucketPolicy", "Bucket", map[string]any{"Ref": logs})
			samePolicy(t, region+": access logs", ofLogs["PolicyDocument"], append(tls(logs+".Arn"), map[string]any{
				"Effect": "Allow", "Principal": map[string]any{"Service": "logging.s3.amazonaws.com"},
				"Action": "s3:PutObject", "Resource": logs + ".Arn/*",
				"Condition": map[string]any{
					"ArnLike":      map[string]any{"aws:SourceArn": id + ".Arn"},
					"StringEquals": map[string]any{"aws:SourceAccount": "111111111111"},
				},
			})...)

			equal(t, "algorithm", at(encryption, "ServerSideEncryptionByDefault", "SSEAlgorithm"), "aws:kms")
			equal(t, "bucket key", at(encryption, "BucketKeyEnabled"), true)
			equal(t, "keys of customers", at(encryption, "BlockedEncryptionTypes", "EncryptionType"), []string{"SSE-C"})
			equal(t, "versions", bucket["VersioningConfiguration"], map[string]any{"Status": "Enabled"})
			for _, name := range []string{id, logs} {
				properties := at(tm.Resources[name], "Properties")
				equal(t, name+": public access", at(properties, "PublicAccessBlockConfiguration"), map[string]any{
					"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
				})
				equal(t, name+": ownership", at(properties, "OwnershipControls", "Rules", 0, "ObjectOwnership"), "BucketOwnerEnforced")
				equal(t, name+": kept", at(tm.Resources[name], "DeletionPolicy"), "Retain")
			}
		}
	}
}

// TestArtifactsExpire: what a pipeline leaves goes after 30 days, the tools stay.
func TestArtifactsExpire(t *testing.T) {
	c := sharedConfig()
	tm, _ := sharedStacks(t, c)
	_, bucket := theOnly(t, tm, "AWS::S3::Bucket", "BucketName", c.ArtifactBucket())
	rules := list(at(bucket, "LifecycleConfiguration", "Rules"))
	expires := func(key string) any {
		for _, rule := range rules {
			prefix, _ := at(rule, "Prefix").(string)
			if days := at(rule, "ExpirationInDays"); days != nil && strings.HasPrefix(key, prefix) {
				return days
			}
		}
		return nil
	}
	for _, pipeline := range []string{c.CDPipeline(), c.PlatformPipeline(), c.Apps[0].CIPipeline(), c.Apps[0].BranchPipeline()} {
		equal(t, pipeline, expires(pipeline+"/SourceOut/abc"), 30)
	}
	equal(t, config.Composer, expires(config.Composer), nil)
	equal(t, "all objects", rules[0], map[string]any{
		"Id": "leftovers", "Status": "Enabled", "NoncurrentVersionExpiration": map[string]any{"NoncurrentDays": 7},
		"AbortIncompleteMultipartUpload": map[string]any{"DaysAfterInitiation": 1},
	})
}

// TestSharedRepositories: each application has a repository of its own, which the
// target accounts pull from, and which keeps its releases.
func TestSharedRepositories(t *testing.T) {
	c := sharedConfig()
	c.Apps[1].Repository.TagMutability = "MUTABLE"
	tm, _ := sharedStacks(t, c)
	tm.Count("AWS::ECR::Repository", 2)
	_, one := theOnly(t, tm, "AWS::ECR::Repository", "RepositoryName", "myapps/app01")
	_, two := theOnly(t, tm, "AWS::ECR::Repository", "RepositoryName", "myapps/app02")
	samePolicy(t, "repository", one["RepositoryPolicyText"], policyStatements(policy.Repository(c).Map())...)
	equal(t, "tags", one["ImageTagMutability"], "IMMUTABLE")
	equal(t, "tags that move", two["ImageTagMutability"], "MUTABLE")
	equal(t, "scan", at(one, "ImageScanningConfiguration", "ScanOnPush"), true)
	var lifecycle any
	if err := json.Unmarshal([]byte(at(one, "LifecyclePolicy", "LifecyclePolicyText").(string)), &lifecycle); err != nil {
		t.Fatal(err)
	}
	equal(t, "untagged", at(lifecycle, "rules", 0, "selection"), map[string]any{
		"tagStatus": "untagged", "countType": "sinceImagePushed", "countNumber": 14, "countUnit": "days",
	})
	equal(t, "releases", at(lifecycle, "rules", 1, "selection"), map[string]any{
		"tagStatus": "tagged", "tagPatternList": []string{"*"}, "countType": "imageCountMoreThan", "countNumber": 10,
	})
	for _, r := range tm.Of("AWS::ECR::Repository") {
		equal(t, "kept", r["DeletionPolicy"], "Retain")
	}

	c.Environments = nil
	tm, _ = sharedStacks(t, c)
	if p := tm.Of("AWS::ECR::Repository")[0]["Properties"].(map[string]any)["RepositoryPolicyText"]; p != nil {
		t.Errorf("nothing is deployed, but somebody pulls: %s", text(p))
	}
}

// TestSigning: ECR signs the images of those who ask for it, with a hundred names in a
// rule at the most.
func TestSigning(t *testing.T) {
	c := sharedConfig()
	c.Apps[0].Sign = false
	tm, _ := sharedStacks(t, c)
	equal(t, "profile", tm.One("AWS::Signer::SigningProfile")["ProfileName"], c.SigningProfile())
	equal(t, "filters", at(tm.One("AWS::ECR::SigningConfiguration"), "Rules", 0, "RepositoryFilters"), []any{
		map[string]any{"Filter": "myapps/app02", "FilterType": "WILDCARD_MATCH"},
	})
	for i := range 150 {
		app := *c.Apps[1]
		app.Name, app.Repository.Name = fmt.Sprintf("more%d", i), fmt.Sprintf("myapps/more%d", i)
		c.Apps = append(c.Apps, &app)
	}
	tm, _ = sharedStacks(t, c)
	rules := list(tm.One("AWS::ECR::SigningConfiguration")["Rules"])
	equal(t, "rules", []int{len(list(at(rules[0], "RepositoryFilters"))), len(list(at(rules[1], "RepositoryFilters")))}, []int{100, 51})

	c.Apps = c.Apps[:1]
	tm, _ = sharedStacks(t, c)
	tm.Count("AWS::ECR::SigningConfiguration", 0)
	tm.Count("AWS::Signer::SigningProfile", 0)
}

// TestSharedTopics: each event has an encrypted topic, which refuses what is not TLS,
// and tells those who asked for it.
func TestSharedTopics(t *testing.T) {
	c := sharedConfig()
	tm, _ := sharedStacks(t, c)
	key, _ := theOnly(t, tm, "AWS::KMS::Key", "MultiRegion", true)
	subscribed := map[config.Event]int{config.ApprovalNeeded: 1, config.Failed: 1, config.Succeeded: 0}
	tm.Count("AWS::SNS::Topic", len(subscribed))
	for event, want := range subscribed {
		id, topic := theOnly(t, tm, "AWS::SNS::Topic", "TopicName", "myapps-"+string(event))
		equal(t, "key", canonical(topic["KmsMasterKeyId"]), key+".Arn")
		_, own := theOnly(t, tm, "AWS::SNS::TopicPolicy", "Topics", []any{map[string]any{"Ref": id}})
		samePolicy(t, string(event), own["PolicyDocument"], append([]any{map[string]any{
			"Sid": "AllowPublishThroughSSLOnly", "Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": id,
			"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
		}}, policyStatements(policy.Topic(c, id).Map())...)...)
		got := 0
		for _, s := range tm.Of("AWS::SNS::Subscription") {
			if at(s, "Properties", "TopicArn", "Ref") == id {
				got++
				equal(t, "subscription", at(s, "Properties", "Endpoint"), "team@example.org")
			}
		}
		equal(t, string(event)+": subscriptions", got, want)
	}
}

// TestSharedParameters: the names of the original blueprint.
func TestSharedParameters(t *testing.T) {
	c := sharedConfig()
	tm, _ := sharedStacks(t, c)
	_, key := theOnly(t, tm, "AWS::SSM::Parameter", "Name", "/cicd/shared/kms/arn")
	_, bucket := theOnly(t, tm, "AWS::SSM::Parameter", "Name", "/cicd/shared/s3/artifacts/name")
	keyID, _ := theOnly(t, tm, "AWS::KMS::Key", "MultiRegion", true)
	bucketID, _ := theOnly(t, tm, "AWS::S3::Bucket", "BucketName", c.ArtifactBucket())
	equal(t, "key", canonical(key["Value"]), keyID+".Arn")
	equal(t, "bucket", canonical(bucket["Value"]), bucketID)
}
