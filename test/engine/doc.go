// Package engine holds judgements of others against templates: cdk-nag, the CDK's
// validation, cfn-lint and package gate; a finding needs a fix or a written reason.
package engine
