package kinds_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"composecdk/compose"
	"composecdk/compose/kinds"
	"composecdk/compose/load"
)

// found resolves a file and returns the diagnostics of one severity as "path code".
func found(t *testing.T, file string, severity compose.Severity) []string {
	t.Helper()
	project, diagnostics := load.Files(context.Background(), load.Options{Files: []string{file}})
	if project != nil {
		_, more := compose.Resolve(project, kinds.Schemas())
		diagnostics = append(diagnostics, more...)
	}
	var all []string
	for _, d := range diagnostics.Sort() {
		if d.Severity == severity {
			all = append(all, string(d.Path)+" "+d.Code)
		}
	}
	return all
}

// The files that showed what a seam without relations gets wrong must each be built, or be
// told what is wrong at its place.
func TestRelationsOfTheCases(t *testing.T) {
	dir, err := filepath.Abs("../../../shared/cases/relations")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the cases are not beside the repository: ", err)
	}
	for file, want := range map[string][]string{
		"acm.yaml":      nil,
		"acm-bare.yaml": nil,
		"s3.yaml":       nil,
		"acm-typo.yaml": {"x-acm.cert.MacroParameters.HostedZoneId reference-unknown"},
		"lb.yaml":       {"x-elbv2.public.DnsAliases[0].Route53Zone reference-unknown"},
		"wide.yaml":     {"services.web.healthchek compose-schema"},
	} {
		if got := found(t, filepath.Join(dir, file), compose.Error); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", file, got, want)
		}
	}
}

// A reference must be read, or be an error, wherever it stands; none may be lost.
func TestReferencesAreNeverLost(t *testing.T) {
	for about, c := range map[string]struct{ file, want string }{
		"a parameter that takes one": {`
x-acm: {a: {MacroParameters: {DomainNames: [a.example.com], HostedZoneId: "x-route53::z"}}}
x-route53: {z: {Name: example.com, Lookup: true}}`, ""},
		"a parameter that takes none": {
			`
x-sqs: {q: {MacroParameters: {AwsPrincipalsAccess: {Publish: ["x-sqs::q::Arn"]}}}}`,
			"x-sqs.q.MacroParameters.AwsPrincipalsAccess service-name",
		},
		"a parameter of a list": {`
x-rds: {db: {MacroParameters: {Engine: mysql, ParametersGroups: {Family: mysql8.0, Parameters: {a: "x-sqs::q::Url"}}}}}
x-sqs: {q: {}}`, "x-rds.db.MacroParameters.ParametersGroups.Parameters.a reference-unread"},
		"settings": {`
x-rds: {db: {MacroParameters: {Engine: mysql}, Settings: {SecretsMappings: {PrefixWithDbName: "x-sqs::q::Url"}}}}
x-sqs: {q: {}}`, "x-rds.db.Settings.SecretsMappings.PrefixWithDbName reference-unread"},
		"a look-up": {`
x-sqs: {q: {}, other: {Lookup: {Tags: {a: "x-sqs::q::Arn"}}}}`, "x-sqs.other.Lookup.Tags.a reference-unread"},
		"a property of a load balancer": {`
x-elbv2: {lb: {Properties: {Name: "x-sqs::nothing::QueueName"}, Listeners: [{Port: 80, Protocol: HTTP, DefaultActions: [{Redirect: TEA_POT}]}]}}
x-sqs: {q: {}}`, "x-elbv2.lb.Properties.Name reference-unknown"},
		"a tag of a load balancer": {`
x-elbv2: {lb: {Properties: {Tags: {a: "x-sqs::q::Arn"}}, Listeners: [{Port: 80, Protocol: HTTP, DefaultActions: [{Redirect: TEA_POT}]}]}}
x-sqs: {q: {}}`, "x-elbv2.lb.Properties.Tags.a reference-unread"},
		"an attribute of a listener": {`
x-elbv2: {lb: {Listeners: [{Port: 80, Protocol: HTTP, ListenerAttributes: [{Key: a, Value: "x-s3::none::BucketName"}], DefaultActions: [{Redirect: TEA_POT}]}]}}
x-s3: {b: {}}`, "x-elbv2.lb.Listeners[0].ListenerAttributes[0].Value reference-unknown"},
		"a condition": {`
services: {web: {image: nginx, expose: ["80"]}}
x-elbv2: {lb: {Listeners: [{Port: 80, Protocol: HTTP, Targets: [{name: "web:web", Conditions: [{HttpHeaderConfig: {HttpHeaderName: a, Values: ["x-sqs::q::Nam"]}}]}]}], Services: {"web:web": {port: 80, protocol: HTTP}}}}
x-sqs: {q: {}}`, "x-elbv2.lb.Listeners[0].Targets[0].Conditions[0].HttpHeaderConfig.Values[0] return-value-unknown"},
		"a policy of a role": {`
services: {web: {image: nginx, x-iam: {Policies: [{PolicyName: a, PolicyDocument: {Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "x-sqs::p::Arn"}]}}]}}}
x-sqs: {q: {}}`, "services.web.x-iam.Policies[0].PolicyDocument.Statement[0].Resource reference-unknown"},
		"a scaling range": {`
services: {web: {image: nginx, x-scaling: {Range: "x-sqs::q::Arn"}}}
x-sqs: {q: {}}`, "services.web.x-scaling.Range scaling-range"},
		"a volume": {`
services: {web: {image: nginx, volumes: ["data:/data"]}}
volumes: {data: {x-efs: {Properties: {KmsKeyId: "x-kms::k"}}}}
x-kms: {other: {}}`, "volumes.data.x-efs.Properties.KmsKeyId reference-unknown"},
		"the cluster, which is made before": {`
x-cluster: {Properties: {ClusterName: "x-sqs::q::QueueName"}}
x-sqs: {q: {}}`, "x-cluster.Properties.ClusterName reference-later"},
		"the VPC": {`
x-vpc: {Properties: {VpcCidr: "x-sqs::q::Arn"}}
x-sqs: {q: {}}`, "x-vpc.Properties.VpcCidr vpc-cidr"},
		"a service in data": {`
services: {web: {image: nginx}}
x-sqs: {q: {Properties: {QueueName: "services::web::ServiceName"}}}`, "x-sqs.q.Properties.QueueName reference-later"},
		"a service in a service": {`
services: {web: {image: nginx, environment: {A: "services::web::ServiceName"}}}`, "services.web.environment.A reference-later"},
		"a load balancer in a service": {`
services: {web: {image: nginx, environment: {A: "x-elbv2::lb::DNSName x-elbv2::lb::Listeners.80"}}}
x-elbv2: {lb: {Listeners: [{Port: 80, Protocol: HTTP, DefaultActions: [{Redirect: TEA_POT}]}]}}`, ""},
		"a value that the load balancer lacks": {`
services: {web: {image: nginx, environment: {A: "x-elbv2::lb::Name"}}}
x-elbv2: {lb: {Listeners: [{Port: 80, Protocol: HTTP, DefaultActions: [{Redirect: TEA_POT}]}]}}`, "services.web.environment.A return-value-unknown"},
		"a cycle through parameters": {`
x-kms: {a: {Properties: {Description: "x-sqs::q::QueueName"}}}
x-sqs: {q: {Properties: {KmsMasterKeyId: "x-kms::a"}}}`, "x-kms.a reference-cycle"},
	} {
		t.Run(about, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "compose.yaml")
			content := "name: shop\n" + strings.TrimPrefix(c.file, "\n")
			if !strings.Contains(content, "services:") {
				content += "\nservices: {idle: {image: nginx}}"
			}
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			got := found(t, file, compose.Error)
			if c.want == "" && len(got) > 0 || c.want != "" && !slices.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
