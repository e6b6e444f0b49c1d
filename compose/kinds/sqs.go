package kinds

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"composecdk/compose"
)

// SQS is x-sqs: Amazon SQS queues.
var SQS = &Kind{
	Schema: compose.Schema{
		Key:            "x-sqs",
		Type:           "AWS::SQS::Queue",
		Parameters:     SQSParameters{},
		Main:           "Url",
		Scalable:       true,
		Bare:           []string{"Arn"},
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
		"RWMessages":           {{Actions: append(SQSConsume(), "sqs:SendMessage"), KeyActions: []string{"kms:Decrypt", "kms:GenerateDataKey"}}},
		"Publish":              {{Actions: []string{"sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"}, KeyActions: []string{"kms:Decrypt", "kms:GenerateDataKey"}}},
		"Consume":              {{Actions: SQSConsume(), KeyActions: []string{"kms:Decrypt"}}},
		"SQSPollerPolicy":      {{Actions: SQSConsume(), KeyActions: []string{"kms:Decrypt"}}},
		"SQSSendMessagePolicy": {{Actions: []string{"sqs:SendMessage"}, KeyActions: []string{"kms:Decrypt", "kms:GenerateDataKey"}}},
	}},
	Keys: []KeyProperty{{Path: "KmsMasterKeyId", Via: "sqs"}},
}

// SQSConsume lists the actions that receiving and deleting messages takes.
func SQSConsume() []string {
	return []string{
		"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
		"sqs:GetQueueUrl", "sqs:ReceiveMessage",
	}
}

// SQSParameters are the MacroParameters of a queue.
type SQSParameters struct {
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
	checkRedrive(c, r, fifo)
	access := r.Parameters.(*SQSParameters).AwsPrincipalsAccess
	for _, service := range slices.Concat(access.Publish, access.Consume, access.PublishConsume) {
		if !serviceName.MatchString(service) {
			c.Errorf(r.Path.Key("MacroParameters").Key("AwsPrincipalsAccess"), "service-name", "%q is not the name of an AWS service, such as sns", service)
		}
	}
}

var serviceName = regexp.MustCompile(`^[a-z][a-z0-9.-]*$`)

// isFIFO reports whether the property is true, which may be written as a text.
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
		c.Errorf(path, "redrive-fifo", "a queue and its dead-letter queue must both be FIFO queues, or both not")
	}
}

// QueueName is what an ARN or a URL says of a queue.
type QueueName struct{ Region, Account, Name string }

// QueueByARN reads arn:<partition>:sqs:<region>:<account>:<name>; ok is false for any
// other text.
func QueueByARN(arn string) (QueueName, bool) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "sqs" {
		return QueueName{}, false
	}
	return QueueName{parts[3], parts[4], parts[5]}, true
}

// QueueByURL reads https://sqs.<region>.amazonaws.com/<account>/<name>.
func QueueByURL(url string) (QueueName, bool) {
	parts := strings.Split(url, "/")
	if len(parts) != 5 {
		return QueueName{}, false
	}
	host := strings.Split(parts[2], ".")
	if len(host) < 4 || host[0] != "sqs" {
		return QueueName{}, false
	}
	return QueueName{host[1], parts[3], parts[4]}, true
}

func isURL(identifier string) bool { return strings.HasPrefix(identifier, "https://") }

func checkQueueLookup(c *compose.Checker, target compose.LookupTarget) {
	if _, ok := QueueByARN(target.Arn); !ok && target.Arn != "" {
		c.Errorf(target.Path.Key("Arn"), "lookup-arn", "%q is not the ARN of a queue", target.Arn)
	}
	if _, ok := QueueByURL(target.Identifier); !ok && isURL(target.Identifier) {
		c.Errorf(target.Path.Key("Identifier"), "lookup-url", "%q is not the URL of a queue", target.Identifier)
	}
}
