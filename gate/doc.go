// Package gate checks synthesised cloud assemblies: the templates that the AWS CDK
// writes, ours or another application's. It finds what CloudFormation's schemas,
// cfn-lint and a deployment to an emulator let through: wiring that fails or stays
// silent only once it runs, permissions and networks that are wider than their use,
// secrets in clear text, data that a deployment can lose, and limits of AWS.
//
// Open reads a folder, [Assembly.Check] holds all [Rules] against it. A rule is a
// row of rules.go and a function in the file of its subject. The package is plain Go
// on JSON: it needs neither Node.js nor AWS.
package gate
