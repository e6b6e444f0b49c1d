package xresource

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/compose/kinds"
	"composecdk/constructs/cfn"
)

// queue is a queue of SQS with the policy that lets nobody in without TLS.
type queue struct {
	*defined
	policy *resourcePolicy
	// rendered is the construct of the policy.
	rendered awssqs.CfnQueuePolicy
}

func newQueue(scope constructs.Construct, props *Props) (Resource, error) {
	resource, err := props.define(scope)
	if err != nil {
		return nil, err
	}
	q := &queue{defined: resource}
	q.rendered = awssqs.NewCfnQueuePolicy(scope, jsii.String("Policy"), &awssqs.CfnQueuePolicyProps{
		Queues:         &[]*string{resource.attribute(kinds.Ref).Token()},
		PolicyDocument: map[string]any{},
	})
	fixed := []any{map[string]any{
		"Sid": "TLSOnly", "Effect": "Deny", "Principal": "*", "Action": "sqs:*",
		"Resource":  q.Arn().Token(),
		"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
	}}
	fixed = append(fixed, q.principals(props.Model.Path, props.Model.Parameters.(*kinds.SQSParameters))...)
	q.policy = newResourcePolicy(q.Arn(), fixed, func(document map[string]any) { q.rendered.SetPolicyDocument(document) })
	return q, nil
}

// Admit adds an admission to the policy of the queue and to its key's policy.
func (q *queue) Admit(a cfn.Admission) []constructs.IDependable {
	q.policy.admit(a)
	return append(q.key.admit(a), q.rendered)
}

// principals returns the statements that allow the AWS services which the file names,
// each only on behalf of this account.
func (q *queue) principals(from compose.Path, p *kinds.SQSParameters) []any {
	var statements []any
	access := p.AwsPrincipalsAccess
	send := []string{"sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"}
	for _, rule := range []struct {
		name     string
		services []string
		actions  []string
	}{
		{"Publish", access.Publish, send},
		{"Consume", access.Consume, kinds.SQSConsume()},
		{"PublishConsume", access.PublishConsume, append(kinds.SQSConsume(), "sqs:SendMessage")},
	} {
		for _, service := range rule.services {
			statements = append(statements, map[string]any{
				"Sid": rule.name + "By" + strings.ReplaceAll(service, ".", ""), "Effect": "Allow",
				"Principal": map[string]any{"Service": servicePrincipal(service)},
				"Action":    rule.actions,
				"Resource":  q.Arn().Token(),
				"Condition": map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": cfn.Pseudo("AWS::AccountId").Token()}},
			})
			q.key.admit(cfn.Admission{From: from, Service: servicePrincipal(service)})
		}
	}
	return statements
}

// servicePrincipal returns the principal of an AWS service given by its short name.
func servicePrincipal(service string) string {
	if strings.Contains(service, ".") {
		return service
	}
	return service + ".amazonaws.com"
}

// DeriveFromRef derives the ARN and the name from the URL, https://<host>/<account>/<name>.
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html
func (q *queue) DeriveFromRef() {
	parts := awscdk.Fn_Split(jsii.String("/"), q.attribute(kinds.Ref).Token(), nil)
	name := cfn.FromToken(awscdk.Fn_Select(jsii.Number(4), parts))
	q.tokens["QueueName"], q.tokens["Arn"] = name, cfn.Arn(cfn.Literal("sqs"), name)
}

// Backlog returns the number of messages that wait.
func (q *queue) Backlog() awscloudwatch.IMetric { return queueBacklog(q.attribute("QueueName")) }

func queueBacklog(name cfn.Value) awscloudwatch.IMetric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String("AWS/SQS"), MetricName: jsii.String("ApproximateNumberOfMessagesVisible"),
		Statistic: jsii.String("Sum"), Period: awscdk.Duration_Minutes(jsii.Number(1)),
		DimensionsMap: &map[string]*string{"QueueName": name.Token()},
	})
}

// importedQueue is a queue that exists.
type importedQueue struct{ *imported }

// importQueue needs no look-up where the file gives an ARN, a URL or a name:
// SQS derives each of them from the others.
func importQueue(scope constructs.Construct, props *Props) (Resource, error) {
	target := props.Model.Lookup[""]
	name := target.Identifier + target.Name
	region, account := cfn.Pseudo("AWS::Region"), cfn.Pseudo("AWS::AccountId")
	known, ok := kinds.QueueByARN(target.Arn)
	if !ok {
		known, ok = kinds.QueueByURL(target.Identifier)
	}
	switch {
	case ok:
		region, account, name = cfn.Literal(known.Region), cfn.Literal(known.Account), known.Name
	case name == "":
		found, err := props.find(scope, target, "Arn", "QueueName", "QueueUrl")
		if err != nil {
			return nil, err
		}
		return &importedQueue{found.with("Url", found.values["QueueUrl"])}, nil
	}
	literal := cfn.Literal(name)
	return &importedQueue{&imported{arn: "Arn", values: map[string]cfn.Value{
		"QueueName": literal,
		"Arn": cfn.Join(cfn.Literal("arn:"), cfn.Pseudo("AWS::Partition"), cfn.Literal(":sqs:"),
			region, cfn.Literal(":"), account, cfn.Literal(":"), literal),
		"Url": cfn.Join(cfn.Literal("https://sqs."), region, cfn.Literal("."), cfn.Pseudo("AWS::URLSuffix"),
			cfn.Literal("/"), account, cfn.Literal("/"), literal),
	}}}, nil
}

// Backlog returns the number of messages that wait.
func (q *importedQueue) Backlog() awscloudwatch.IMetric { return queueBacklog(q.values["QueueName"]) }

var (
	_ Admitter    = (*queue)(nil)
	_ Encrypted   = (*queue)(nil)
	_ OutputSaver = (*queue)(nil)
	_ Scalable    = (*queue)(nil)
	_ Scalable    = (*importedQueue)(nil)
)
