package service

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/network"
)

// logs is the log group of a family. Every container writes streams of its own
// name into it.
type logs struct {
	group cfn.Value // its name
}

func newLogs(this constructs.Construct, m compose.Logging, execution *ExecutionRole, ephemeral bool) *logs {
	retention, ok := network.LogRetention(m.RetentionDays)
	if !ok {
		retention = awslogs.RetentionDays_ONE_MONTH
	}
	group := awslogs.NewLogGroup(this, jsii.String("LogGroup"), &awslogs.LogGroupProps{
		LogGroupName:  cfn.Optional(m.Group),
		Retention:     retention,
		RemovalPolicy: removal(ephemeral),
	})
	execution.allow(Statement{
		Actions:   []string{"logs:CreateLogStream", "logs:PutLogEvents"},
		Resources: []cfn.Value{cfn.FromToken(group.LogGroupArn())},
	})
	return &logs{cfn.FromToken(group.LogGroupName())}
}

// driver writes to the group in streams of the given prefix. The options of the
// file come on top.
func (l *logs) driver(prefix string, options map[string]string) awsecs.LogDriver {
	all := map[string]*string{
		"awslogs-group":         l.group.Token(),
		"awslogs-region":        cfn.Pseudo("AWS::Region").Token(),
		"awslogs-stream-prefix": jsii.String(prefix),
	}
	for _, name := range slices.Sorted(maps.Keys(options)) {
		all[name] = jsii.String(options[name])
	}
	return awsecs.NewGenericLogDriver(&awsecs.GenericLogDriverProps{LogDriver: jsii.String("awslogs"), Options: &all})
}
