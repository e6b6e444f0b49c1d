package engine

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// NoAnnotations keeps what cdk-nag writes to the constructs off the terminal.
var NoAnnotations = map[string]any{"@aws-cdk/core:annotationsInValidationReport": false}

// AddNag holds the AwsSolutions rules against all constructs of an app or a stage;
// those of an app stop where a stage begins.
func AddNag(scope constructs.IConstruct) {
	awscdk.Aspects_Of(scope).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Reports: jsii.Bool(false)}), nil)
}

// NagFindings reads what cdk-nag wrote to the constructs of a stack. Its own
// report leaves out what a rule found, as in AwsSolutions-IAM5[Resource::*].
func NagFindings(t *testing.T, metadata string) []Finding {
	t.Helper()
	text, err := os.ReadFile(metadata)
	if err != nil {
		t.Fatal(err)
	}
	var entries map[string][]struct{ Data any }
	if err := json.Unmarshal(text, &entries); err != nil {
		t.Fatal(err)
	}
	var found []Finding
	for _, path := range slices.Sorted(maps.Keys(entries)) {
		for _, entry := range entries[path] {
			message, _ := entry.Data.(string)
			rule, says, ok := strings.Cut(strings.TrimSpace(message), ": ")
			if ok && (strings.HasPrefix(rule, "AwsSolutions-") || strings.HasPrefix(rule, "CdkNag")) {
				found = append(found, Finding{rule, strings.TrimPrefix(path, "/"), says})
			}
		}
	}
	return found
}
