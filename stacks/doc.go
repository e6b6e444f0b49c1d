// Package stacks deploys a model in one environment: a stack for the network, one
// for what holds data and one for the services, or several of the last two where
// one is too small or the file says so (docs/decisions/stacks.md). References point
// down only, from services to data to network. It also tells what came of it: the
// summary, and what the validation of the templates found, at its place in the
// compose files.
package stacks
