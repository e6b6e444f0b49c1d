// Package policy has the policies that connect the accounts: who may use what is
// shared in the tooling account, who may act in a target account, and what that
// role and CloudFormation may do there. It is pure Go, so that every document is
// tested statement by statement, and its size is known before any deployment.
//
// A principal in another account is always its root: a role that does not exist yet
// would be refused, and one that is replaced would be orphaned. Which roles are
// meant is said by a condition on aws:PrincipalArn; that they are of the
// organisation, by one on aws:PrincipalOrgID.
package policy
