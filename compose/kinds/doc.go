// Package kinds holds the pure half of every kind of x-resource: its syntax, secure
// defaults, access profiles, return values, relations to other resources, and the
// checks of its own. It imports no CDK, so that a plan, a check without Node.js and
// their tests link in seconds.
//
// Each kind is one value of type [Kind] in a file of its own; [All] lists them.
// Package constructs/xresource builds them.
package kinds
