// Package network builds what every service stands on: the VPC with its subnet
// tiers, the ECS cluster and the Cloud Map namespaces. Each of them is new, or
// one that exists.
package network
