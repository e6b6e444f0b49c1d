// Package service builds a family of containers: its ECS task definition and
// service, roles, log group, security group, discovery and autoscaling.
//
// What must not mix has types of its own. The [TaskRole] is what the application
// may do, the [ExecutionRole] what the agent of ECS may do to start it, and only
// the latter reads secrets. A [Secret] gives nothing away: it can be put into a
// [Container] and nowhere else, so that it becomes no variable and no output. A
// [Sidecar] takes neither variables nor secrets.
package service
