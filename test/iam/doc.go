// Package iam asks an IAM simulator about the policies of templates as they are once
// deployed.
package iam
