//go:build !race

package pipelines

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestOtherRegions: what is deployed to another region goes through a bucket there,
// encrypted with the replica of the key, which the stack of that region has; nothing
// of it refers to a role that must exist before.
func TestOtherRegions(t *testing.T) {
	text := strings.Replace(everyRoleType, "Targets: [{Account: prod}, {Account: partner}]", "Targets: [{Account: prod, Regions: [us-east-1]}]", 1)
	text = strings.Replace(text, `prod: {Id: "333333333333", AvailabilityZones: [eu-west-1a, eu-west-1b], Roles: bootstrap}`,
		`prod: {Id: "333333333333", Regions: {us-east-1: {AvailabilityZones: [us-east-1a, us-east-1b]}}, Roles: bootstrap}`, 1)
	c, dir := released(t, text)
	stores := map[string]any{}
	for _, store := range list(templateOf(t, dir, "Cd").One("AWS::CodePipeline::Pipeline")["ArtifactStores"]) {
		stores[at(store, "Region").(string)] = at(store, "ArtifactStore")
	}
	equal(t, "regions", slices.Sorted(maps.Keys(stores)), []string{"eu-west-1", "us-east-1"})
	parameter := at(stores["eu-west-1"], "EncryptionKey", "Id")
	equal(t, "bucket of the tooling", at(stores["eu-west-1"], "Location"), c.ArtifactBucket())
	equal(t, "bucket", at(stores["us-east-1"], "Location"), "shop-artifacts-111111111111-us-east-1")
	equal(t, "key", at(stores["us-east-1"], "EncryptionKey", "Id"), map[string]any{"Fn::Join": []any{"", []any{
		"arn:aws:kms:us-east-1:111111111111:key/",
		map[string]any{"Fn::Select": []any{1, map[string]any{"Fn::Split": []any{"/", parameter}}}},
	}}})

	shared := templateOf(t, dir, "Shared-us-east-1")
	theOnly(t, shared, "AWS::S3::Bucket", "BucketName", "shop-artifacts-111111111111-us-east-1")
	contains(t, "readers", shared.One("AWS::KMS::ReplicaKey")["KeyPolicy"], "arn:aws:iam::333333333333:role/cdk-hnb659fds-deploy-role-333333333333-*")
	if strings.Contains(shared.Text, ":role/cdk-hnb659fds-deploy-role-333333333333-us-east-1\"") {
		t.Error("a policy names a role that must exist before")
	}
	deployed := 0
	for _, stage := range list(templateOf(t, dir, "Cd").One("AWS::CodePipeline::Pipeline")["Stages"]) {
		for _, action := range list(at(stage, "Actions")) {
			if at(action, "Region") == "us-east-1" {
				deployed++
			}
		}
	}
	if deployed == 0 {
		t.Error("nothing is deployed to us-east-1")
	}
	for _, tm := range []string{"Cd", "Platform"} {
		templateOf(t, dir, tm).Count("AWS::S3::BucketPolicy", 0)
	}
}
