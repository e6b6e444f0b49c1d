package xresource

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
)

// SQS is x-sqs: Amazon SQS queues.
var SQS = &Kind{
	Schema: compose.Schema{
		Key:            "x-sqs",
		Type:           "AWS::SQS::Queue",
		Parameters:     sqsParameters{},
		Main:           "Url",
		Scalable:       true,
		BareReferences: []string{"RedrivePolicy.deadLetterTargetArn"},
		AccessAliases: map[string]compose.Grant{
			"RWPermissions": {Profile: "RWMessages"},
			"RO":            {Profile: "Consume"},
		},
		Check: checkQueue,
	},
	Values: map[string]string{"Url": Ref, "Arn": "Arn", "QueueName": "QueueName"},
	// Messages are in transit: a queue goes with its definition.
	Retention: "Delete",
	Defaults:  map[string]any{"SqsManagedSseEnabled": true},
	Unless:    map[string]string{"SqsManagedSseEnabled": "KmsMasterKeyId"},
	Profiles: map[string]map[string]Profile{"": {
		"RWMessages":           {{Actions: append(sqsConsume(), "sqs:SendMessage"), KeyActions: []string{"kms:Decrypt", "kms:GenerateDataKey"}}},
		"Publish":              {{Actions: []string{"sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"}, KeyActions: []string{"kms:Decrypt", "kms:GenerateDataKey"}}},
		"Consume":              {{Actions: sqsConsume(), KeyActions: []string{"kms:Decrypt"}}},
		"SQSPollerPolicy":      {{Actions: sqsConsume(), KeyActions: []string{"kms:Decrypt"}}},
		"SQSSendMessagePolicy": {{Actions: []string{"sqs:SendMessage"}, KeyActions: []string{"kms:Decrypt", "kms:GenerateDataKey"}}},
	}},
	New:    newQueue,
	Import: importQueue,
}

func sqsConsume() []string {
	return []string{
		"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
		"sqs:GetQueueUrl", "sqs:ReceiveMessage",
	}
}

// sqsParameters are the MacroParameters of a queue.
type sqsParameters struct {
	// AwsPrincipalsAccess lists AWS services, such as "sns", by what they may do.
	AwsPrincipalsAccess struct{ Publish, Consume, PublishConsume []string }
}

// checkQueue makes a FIFO queue's name end as SQS demands.
func checkQueue(c *compose.Checker, r *compose.Resource) {
	fifo, _ := r.Properties["FifoQueue"].(bool)
	name, named := r.Properties["QueueName"].(string)
	if fifo && named && !strings.HasSuffix(name, ".fifo") {
		c.Warnf(r.Path.Key("Properties").Key("QueueName"), "fifo-name", "the name of a FIFO queue ends in .fifo; it becomes %q", name+".fifo")
		r.Properties["QueueName"] = name + ".fifo"
	}
}

// queue is a queue of SQS with the policy that lets nobody in without TLS.
type queue struct {
	*defined
	key string
}

func newQueue(scope constructs.Construct, props *Props) (Resource, error) {
	resource, err := props.define(scope)
	if err != nil {
		return nil, err
	}
	q := &queue{defined: resource}
	q.key, _ = props.Model.Properties["KmsMasterKeyId"].(string)
	awssqs.NewCfnQueuePolicy(scope, jsii.String("Policy"), &awssqs.CfnQueuePolicyProps{
		Queues:         &[]*string{resource.attribute(Ref).Token()},
		PolicyDocument: q.policy(props.Model.Parameters.(*sqsParameters)),
	})
	return q, nil
}

// policy refuses requests without TLS, and allows the AWS services that the
// file names, each only on behalf of this account.
func (q *queue) policy(p *sqsParameters) map[string]any {
	statements := []any{map[string]any{
		"Sid": "TLSOnly", "Effect": "Deny", "Principal": "*", "Action": "sqs:*",
		"Resource":  q.Arn().Token(),
		"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
	}}
	access := p.AwsPrincipalsAccess
	send := []string{"sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"}
	for _, rule := range []struct {
		name     string
		services []string
		actions  []string
	}{
		{"Publish", access.Publish, send},
		{"Consume", access.Consume, sqsConsume()},
		{"PublishConsume", access.PublishConsume, append(sqsConsume(), "sqs:SendMessage")},
	} {
		for _, service := range rule.services {
			statements = append(statements, map[string]any{
				"Sid": rule.name + strings.ToUpper(service[:1]) + service[1:], "Effect": "Allow",
				"Principal": map[string]any{"Service": servicePrincipal(service)},
				"Action":    rule.actions,
				"Resource":  q.Arn().Token(),
				"Condition": map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": cfn.Pseudo("AWS::AccountId").Token()}},
			})
		}
	}
	return map[string]any{"Version": "2012-10-17", "Statement": statements}
}

// servicePrincipal is the principal of an AWS service given by its short name.
func servicePrincipal(service string) string {
	if strings.Contains(service, ".") {
		return service
	}
	return service + ".amazonaws.com"
}

// KeyArn is the customer's key of the queue, where Properties give its ARN.
func (q *queue) KeyArn() (cfn.Value, bool) {
	return cfn.Literal(q.key), strings.HasPrefix(q.key, "arn:")
}

// Backlog is the number of messages that wait.
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
	region, account, name := cfn.Pseudo("AWS::Region"), cfn.Pseudo("AWS::AccountId"), ""
	switch {
	case target.Arn != "":
		parts := strings.Split(target.Arn, ":")
		if len(parts) != 6 {
			return nil, fmt.Errorf("%s: %q is not the ARN of a queue", target.Path.Key("Arn"), target.Arn)
		}
		region, account, name = cfn.Literal(parts[3]), cfn.Literal(parts[4]), parts[5]
	case strings.HasPrefix(target.Identifier, "https://"):
		parts := strings.Split(target.Identifier, "/")
		host := strings.Split(parts[2], ".")
		if len(parts) != 5 || len(host) < 3 {
			return nil, fmt.Errorf("%s: %q is not the URL of a queue", target.Path.Key("Identifier"), target.Identifier)
		}
		region, account, name = cfn.Literal(host[1]), cfn.Literal(parts[3]), parts[4]
	case target.Identifier != "" || target.Name != "":
		name = target.Identifier + target.Name
	default:
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

// Backlog is the number of messages that wait.
func (q *importedQueue) Backlog() awscloudwatch.IMetric { return queueBacklog(q.values["QueueName"]) }

var (
	_ Encrypted = (*queue)(nil)
	_ Scalable  = (*queue)(nil)
	_ Scalable  = (*importedQueue)(nil)
)
