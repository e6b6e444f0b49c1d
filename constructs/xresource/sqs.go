package xresource

import (
	"fmt"
	"regexp"
	"slices"
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

// checkQueue makes the properties of a FIFO queue what SQS demands, and checks
// those that depend on each other.
func checkQueue(c *compose.Checker, r *compose.Resource) {
	if r.Mode == compose.Import {
		checkQueueLookup(c, r.Lookup[""])
		return
	}
	path, fifo := r.Path.Key("Properties"), isFIFO(r)
	if !fifo {
		delete(r.Properties, "FifoQueue") // SQS knows no value but true
	}
	name, named := r.Properties["QueueName"].(string)
	if fifo && named && !strings.HasSuffix(name, ".fifo") {
		c.Warnf(path.Key("QueueName"), "fifo-name", "the name of a FIFO queue ends in .fifo; it becomes %q", name+".fifo")
		r.Properties["QueueName"] = name + ".fifo"
	}
	checkKey(c, path.Key("KmsMasterKeyId"), r.Properties["KmsMasterKeyId"])
	checkRedrive(c, r, fifo)
	access := r.Parameters.(*sqsParameters).AwsPrincipalsAccess
	for _, service := range slices.Concat(access.Publish, access.Consume, access.PublishConsume) {
		if !serviceName.MatchString(service) {
			c.Errorf(r.Path.Key("MacroParameters").Key("AwsPrincipalsAccess"), "service-name", "%q is not the name of an AWS service, such as sns", service)
		}
	}
}

var serviceName = regexp.MustCompile(`^[a-z][a-z0-9.-]*$`)

// isFIFO reads the property, which may be written as a text.
func isFIFO(r *compose.Resource) bool { return fmt.Sprint(r.Properties["FifoQueue"]) == "true" }

// checkRedrive checks what SQS wants of a queue's dead-letter queue.
func checkRedrive(c *compose.Checker, r *compose.Resource, fifo bool) {
	policy, ok := r.Properties["RedrivePolicy"].(map[string]any)
	if _, intrinsic := policy["Ref"]; !ok || intrinsic {
		return // none, or AWS::NoValue
	}
	path := r.Path.Key("Properties").Key("RedrivePolicy")
	for _, key := range []string{"deadLetterTargetArn", "maxReceiveCount"} {
		if policy[key] == nil {
			c.Errorf(path, "redrive-policy", "RedrivePolicy needs %s", key)
		}
	}
	target, _ := policy["deadLetterTargetArn"].(string)
	ref, ok := compose.ParseRef(target)
	if !ok {
		return
	}
	path = path.Key("deadLetterTargetArn")
	other, ok := c.Model.Resource(ref)
	switch {
	case !ok:
	case ref.Key != r.Key || ref.Attribute != "" && ref.Attribute != "Arn":
		c.Errorf(path, "redrive-policy", "the dead-letter queue is named by its ARN: x-sqs::<queue>::Arn")
	case other.Mode == compose.Create && isFIFO(other) != fifo:
		c.Errorf(path, "redrive-fifo", "the dead-letter queue of a FIFO queue must be a FIFO queue, that of another must not")
	}
}

// queue is a queue of SQS with the policy that lets nobody in without TLS.
type queue struct {
	*defined
	key *Key
}

func newQueue(scope constructs.Construct, props *Props) (Resource, error) {
	resource, err := props.define(scope)
	if err != nil {
		return nil, err
	}
	q := &queue{defined: resource}
	if q.key, err = props.key(props.Model.Properties["KmsMasterKeyId"], "sqs"); err != nil {
		return nil, err
	}
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
				"Sid": rule.name + "By" + strings.ReplaceAll(service, ".", ""), "Effect": "Allow",
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

// Key is the account's key that encrypts the queue.
func (q *queue) Key() *Key { return q.key }

// Spare derives the ARN and the name from the URL, https://<host>/<account>/<name>.
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html
func (q *queue) Spare() {
	parts := awscdk.Fn_Split(jsii.String("/"), q.attribute(Ref).Token(), nil)
	name := cfn.FromToken(awscdk.Fn_Select(jsii.Number(4), parts))
	q.tokens["QueueName"], q.tokens["Arn"] = name, cfn.Arn(cfn.Literal("sqs"), name)
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

// queueName says which queue an ARN or URL names.
type queueName struct{ region, account, name string }

func queueByARN(arn string) (queueName, bool) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "sqs" {
		return queueName{}, false
	}
	return queueName{parts[3], parts[4], parts[5]}, true
}

// queueByURL reads https://sqs.<region>.amazonaws.com/<account>/<name>.
func queueByURL(url string) (queueName, bool) {
	parts := strings.Split(url, "/")
	if len(parts) != 5 {
		return queueName{}, false
	}
	host := strings.Split(parts[2], ".")
	if len(host) < 4 || host[0] != "sqs" {
		return queueName{}, false
	}
	return queueName{host[1], parts[3], parts[4]}, true
}

func isURL(identifier string) bool { return strings.HasPrefix(identifier, "https://") }

func checkQueueLookup(c *compose.Checker, target compose.LookupTarget) {
	if _, ok := queueByARN(target.Arn); !ok && target.Arn != "" {
		c.Errorf(target.Path.Key("Arn"), "lookup-arn", "%q is not the ARN of a queue", target.Arn)
	}
	if _, ok := queueByURL(target.Identifier); !ok && isURL(target.Identifier) {
		c.Errorf(target.Path.Key("Identifier"), "lookup-url", "%q is not the URL of a queue", target.Identifier)
	}
}

// importQueue needs no look-up where the file gives an ARN, a URL or a name:
// SQS derives each of them from the others.
func importQueue(scope constructs.Construct, props *Props) (Resource, error) {
	target := props.Model.Lookup[""]
	name := target.Identifier + target.Name
	region, account := cfn.Pseudo("AWS::Region"), cfn.Pseudo("AWS::AccountId")
	known, ok := queueByARN(target.Arn)
	if !ok {
		known, ok = queueByURL(target.Identifier)
	}
	switch {
	case ok:
		region, account, name = cfn.Literal(known.region), cfn.Literal(known.account), known.name
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

// Backlog is the number of messages that wait.
func (q *importedQueue) Backlog() awscloudwatch.IMetric { return queueBacklog(q.values["QueueName"]) }

var (
	_ Encrypted = (*queue)(nil)
	_ Frugal    = (*queue)(nil)
	_ Scalable  = (*queue)(nil)
	_ Scalable  = (*importedQueue)(nil)
)
