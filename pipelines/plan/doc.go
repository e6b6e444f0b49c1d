// Package plan computes the effect of a pipeline.yaml before anything is synthesised or
// deployed: the pipelines with their stages and actions, the roles of every account, the
// size of the policies that grow with the number of accounts and applications, the use
// of AWS quotas, and the cost of the pipelines. It is pure Go.
//
// A test compares all of it with the synthesised templates (test/plan_test.go).
package plan
