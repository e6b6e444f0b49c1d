// Package pipelines makes what takes applications to production: the shared
// resources and roles, a CI pipeline per application, the platform pipeline that
// deploys those, and the CD pipeline that takes the whole to one environment after
// the other. What they are to be is said by a config.Config.
//
// Stacks of different accounts and pipelines find each other by names, which are
// conventions of package config: no ARN is handed over by a person, and none has to
// exist before another can be written down.
package pipelines
