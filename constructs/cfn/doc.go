// Package cfn is the lowest layer above the CDK: values that CloudFormation
// resolves, and resources made from the properties of a compose file.
package cfn
