// Package stacks deploys a model: one stage per environment, with a stack for
// the network, one for what holds data and one for the services. References
// point down only, from services to data to network.
package stacks
