// Package policy has the policies that connect the accounts: who may use the shared
// resources of the tooling account, who may act in a target account, and the rights of
// that role and of CloudFormation there. It is pure Go, so that every document is tested
// statement by statement, and its size is known before any deployment.
//
// A principal in another account is always its root: AWS would reject a role that does
// not exist yet, and orphan one that is replaced. A condition on aws:PrincipalArn limits
// the roles; one on aws:PrincipalOrgID limits them to the organisation.
package policy
