// Package pipelines makes the pipelines of a config.Config: the shared resources and
// roles, a CI pipeline per application, the platform pipeline that deploys these, and
// the CD pipeline that deploys the applications to one environment after the other.
//
// Stacks of different accounts and pipelines find each other by names, which are
// conventions of package config: nobody copies an ARN, and none has to exist before
// another resource can name it.
package pipelines
