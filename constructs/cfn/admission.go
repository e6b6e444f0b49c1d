package cfn

import "composecdk/compose"

// Admission lets an AWS service use a resource on behalf of other resources of this
// account.
type Admission struct {
	// From is the path of what asks, "x-s3.inbox"; it orders the statements.
	From compose.Path
	// Service is the principal, "s3.amazonaws.com".
	Service string
	Actions []string
	// Resource is what of the resource is used, "${ARN}" by default.
	Resource string
	// Source is the ARN, or a pattern of it, on behalf of which the service acts; a
	// zero Source is anything of this account. It names no construct that waits for
	// the policy.
	Source Value
	// AccountInSource says that the Source names the account, and that the service
	// tells no account besides.
	AccountInSource bool
}
