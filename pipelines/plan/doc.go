// Package plan tells what a pipeline.yaml becomes before anything is synthesised or
// deployed: the pipelines with their stages and actions, the roles of every account,
// the size of the policies that grow with the number of accounts and applications,
// what of all that AWS limits, and what the pipelines cost. It is pure Go.
//
// A test holds all of it against the synthesised templates (test/pipelines/plan_test.go).
package plan
