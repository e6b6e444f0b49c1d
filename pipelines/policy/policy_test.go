package policy

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"composecdk/pipelines/config"
)

var update = flag.Bool("update", false, "write the documents that are expected")

// product returns one with a tooling account and an account of each type of roles.
func product() *config.Config {
	bootstrap := config.Roles{Type: config.Bootstrap, Qualifier: "hnb659fds"}
	tooling := &config.Account{Name: "shared", ID: "111111111111", Roles: bootstrap}
	dev := &config.Account{Name: "dev", ID: "222222222222", Roles: config.Roles{Type: config.Managed}}
	prod := &config.Account{Name: "prod", ID: "333333333333", Roles: bootstrap}
	partner := &config.Account{Name: "partner", ID: "444444444444", Roles: config.Roles{
		Type:             config.Given,
		DeployRoleARN:    "arn:aws:iam::444444444444:role/theirs/deploy",
		ExecutionRoleARN: "arn:aws:iam::444444444444:role/theirs/cloudformation",
	}}
	return &config.Config{
		Name:           "myapps",
		Tooling:        config.Tooling{Account: tooling, Region: "eu-west-1"},
		OrganizationID: "o-abc1234567",
		Accounts:       []*config.Account{dev, partner, prod, tooling},
		Environments: []*config.Environment{
			{Name: "throwaway", Type: config.Ephemeral, Waves: [][]config.Target{{{Account: dev, Region: "eu-west-1"}}}},
			{Name: "production", Type: config.Permanent, Bake: &config.Bake{Alarms: []string{"Errors", "Latency"}}, Waves: [][]config.Target{
				{{Account: prod, Region: "eu-west-1"}},
				{{Account: prod, Region: "us-east-1"}, {Account: partner, Region: "eu-west-1"}},
			}},
		},
	}
}

func account(c *config.Config, name string) *config.Account {
	return c.Accounts[slices.IndexFunc(c.Accounts, func(a *config.Account) bool { return a.Name == name })]
}

const (
	bucketARN = "arn:aws:s3:::myapps-artifacts-111111111111-eu-west-1"
	keyARN    = "arn:aws:kms:eu-west-1:111111111111:key/mrk-1"
	topicARN  = "arn:aws:sns:eu-west-1:111111111111:myapps-failed"
)

// documents returns all policies of a product, by the name of the file that says what
// they must be.
func documents(c *config.Config) map[string]Document {
	all := map[string]Document{
		"key":         Key(c, "eu-west-1"),
		"key-replica": Key(c, "us-east-1"),
		"bucket":      Bucket(c, bucketARN, keyARN),
		"repository":  Repository(c),
		"topic":       Topic(c, topicARN),
	}
	for _, name := range []string{"dev", "prod", "shared"} {
		a := account(c, name)
		for part, document := range Execution(c, a) {
			all[name+"-execution-"+part] = document
		}
		all[name+"-boundary"] = Boundary(c, a)
		if name == "shared" {
			continue // nothing is deployed there
		}
		all[name+"-deploy-trust"] = DeployTrust(c, a)
		all[name+"-execution-trust"] = ExecutionTrust(a)
		all[name+"-deploy"] = Deploy(c, a)
		all[name+"-review"] = Review(c, a)
		all[name+"-review-trust"] = ReviewTrust(c, a)
	}
	return all
}

// TestDocuments holds every policy against what it must be, word by word.
func TestDocuments(t *testing.T) {
	all := documents(product())
	for name, document := range all {
		t.Run(name, func(t *testing.T) {
			text, err := json.MarshalIndent(document, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, '\n')
			path := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(path, text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(text, want) {
				t.Errorf("the document is not %s:\n%s", path, text)
			}
		})
	}
	files, _ := filepath.Glob("testdata/*.json")
	if len(files) != len(all) {
		t.Errorf("testdata has %d files for %d documents", len(files), len(all))
	}
}

// TestOrganization: where there is an organisation, each statement that lets other
// accounts in says so; where there is none, no statement speaks of one.
func TestOrganization(t *testing.T) {
	inside, outside := product(), product()
	outside.OrganizationID = ""
	for name, document := range documents(outside) {
		text, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "OrgID") {
			t.Errorf("%s: %s speaks of an organisation", name, text)
		}
	}
	for name, document := range documents(inside) {
		for _, s := range document {
			if lets(s) && len(s.Condition["StringEquals"]["aws:PrincipalOrgID"]) != 1 {
				t.Errorf("%s: %s lets accounts in without a condition on the organisation", name, s.Sid)
			}
		}
	}
	if without, with := len(Bucket(outside, bucketARN, keyARN)), len(Bucket(inside, bucketARN, keyARN)); without != with-1 {
		t.Errorf("%d statements without an organisation, %d with one", without, with)
	}
}

// lets reports whether a statement lets principals of another account, or roles of this
// one, in; the root of the account itself is no one else.
func lets(s Statement) bool {
	return s.Effect == "Allow" && s.Principal["AWS"] != nil && s.Sid != "Administration"
}

// TestConditions: who is let in from another account is named by a condition, but for
// those who pull, which are any tasks of the account; a service is let in on behalf of
// this account only.
func TestConditions(t *testing.T) {
	for name, document := range documents(product()) {
		for _, s := range document {
			arns := len(s.Condition["ArnLike"]["aws:PrincipalArn"]) + len(s.Condition["ArnEquals"]["aws:PrincipalArn"])
			if lets(s) && name != "repository" && arns == 0 {
				t.Errorf("%s: %s does not say which roles", name, s.Sid)
			}
			for _, principal := range s.Principal["AWS"] {
				if !strings.HasSuffix(principal, ":root") && s.Effect == "Allow" {
					t.Errorf("%s: %s names %s, which must exist before", name, s.Sid, principal)
				}
			}
			if s.Effect == "Allow" && s.Principal["Service"] != nil && len(s.Condition["StringEquals"]) == 0 {
				t.Errorf("%s: %s lets a service in without a condition", name, s.Sid)
			}
		}
	}
}

// TestNobodyElse: a product with one account lets nobody else in.
func TestNobodyElse(t *testing.T) {
	c := product()
	c.Environments = nil
	if Repository(c) != nil {
		t.Error("a repository has a policy for nobody")
	}
	for _, document := range []Document{Key(c, "eu-west-1"), Bucket(c, bucketARN, keyARN)} {
		for _, s := range document {
			if lets(s) {
				t.Errorf("%s lets somebody in", s.Sid)
			}
		}
	}
}

// The quotas of AWS on the bytes of policies, without white space:
// https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html,
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxKey        = 32_768
	maxBucket     = 20_480
	maxRepository = 10_240
	maxManaged    = 6_144
	maxInline     = 10_240
	maxTrust      = 2_048
)

// TestSizes: sixty accounts with the longest names are within the quotas of AWS.
func TestSizes(t *testing.T) {
	c := product()
	c.Name = "a-product-of-24-letters-"
	for i := range 60 {
		a := &config.Account{Name: fmt.Sprintf("account-%02d", i), ID: fmt.Sprintf("%012d", 500_000_000_000+i), Roles: config.Roles{Type: config.Bootstrap, Qualifier: "hnb659fdsx"}}
		c.Accounts = append(c.Accounts, a)
		c.Environments[1].Waves = append(c.Environments[1].Waves, []config.Target{{Account: a, Region: "eu-west-1"}, {Account: a, Region: "us-east-1"}})
	}
	limits := map[string]int{"key": maxKey, "key-replica": maxKey, "bucket": maxBucket - tlsStatements, "repository": maxRepository}
	for name, document := range documents(c) {
		limit, ok := limits[name]
		switch {
		case ok:
		case strings.HasSuffix(name, "-trust"):
			limit = maxTrust
		case strings.Contains(name, "-execution-"), strings.HasSuffix(name, "-boundary"):
			limit = maxManaged
		default:
			limit = maxInline
		}
		size := document.Size()
		t.Logf("%s: %d of %d bytes", name, size, limit)
		if size > limit {
			t.Errorf("%s has %d bytes, over the quota of %d", name, size, limit)
		}
	}
}

// tlsStatements is what the CDK's two statements on TLS need.
const tlsStatements = 600
