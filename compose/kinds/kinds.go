package kinds

import "composecdk/compose"

// All lists the kinds in the order in which summaries and templates show them. To
// add a kind, add its file and its line; see constructs/xresource/README.md.
func All() []*Kind {
	return []*Kind{
		KMS,      // keys: x-kms
		S3,       // buckets: x-s3
		SQS,      // queues: x-sqs
		DynamoDB, // tables: x-dynamodb
		RDS,      // databases: x-rds
		Route53,  // hosted zones: x-route53
		ACM,      // certificates: x-acm
	}
}

// Schemas returns the syntax of all kinds, for compose.Resolve.
func Schemas() []*compose.Schema {
	var schemas []*compose.Schema
	for _, k := range All() {
		schemas = append(schemas, k.schema())
	}
	return schemas
}

// Of returns the kind of a resource. It panics for a resource that no schema of
// Schemas describes: compose.Resolve makes none.
func Of(r *compose.Resource) *Kind {
	for _, k := range All() {
		if k.Key == r.Key {
			return k
		}
	}
	panic("kinds: no kind for " + r.Key)
}
