//go:build !race

package applications

import (
	"testing"

	"composecdk/test/engine"
)

// validationExceptions are the findings of the CDK's validation engine that are
// right as they are. A place is the case and its stack, the logical id and the
// property.
var validationExceptions = []engine.Exception{
	{
		Rule: "W9013", Place: `services/Services shop(Execution|Task)Role[0-9A-F]{8} `,
		Reason: "the file names its permissions boundary by an ARN with an account",
	},
	{
		Rule: "W9013", Place: `x-kms-lookup/Data xsqseventsDefinition[0-9A-F]{8} `,
		Reason: "the file names a key of another account by its ARN",
	},
	{
		Rule: "W9013", Place: `x-sqs-lookup/Services webServiceTaskCountTarget[0-9A-F]{8} `,
		Reason: "the case is synthesised for an account, which the ARN of the role of autoscaling then holds",
	},
}

// TestValidation runs the CDK's own validation engine over the templates of all cases.
func TestValidation(t *testing.T) {
	dir := t.TempDir()
	engine.Explained(t, engine.Validation(t, dir, writeTemplates(t, dir)), validationExceptions)
}
