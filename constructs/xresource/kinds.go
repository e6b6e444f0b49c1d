package xresource

import "composecdk/compose"

// Kinds are the x-resources that can be built, in the order in which summaries
// and templates list them. To add a kind, add its file and its line.
func Kinds() []*Kind {
	return []*Kind{
		SQS,      // queues: x-sqs
		DynamoDB, // tables: x-dynamodb
		RDS,      // databases: x-rds
	}
}

// Schemas is what the compose package must know about the kinds.
func Schemas() []*compose.Schema {
	var schemas []*compose.Schema
	for _, k := range Kinds() {
		schemas = append(schemas, k.schema())
	}
	return schemas
}

// kind finds the kind of a resource of the model.
func kind(r *compose.Resource) *Kind {
	for _, k := range Kinds() {
		if k.Key == r.Key {
			return k
		}
	}
	panic("xresource: no kind for " + r.Key) // Resolve only makes resources of Schemas
}
