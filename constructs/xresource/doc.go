// Package xresource turns the x-* resources of a compose file into constructs,
// and gives services what they declare to need of them.
//
// Each kind is one value of type [Kind] in a file of its own: its syntax,
// secure defaults, access profiles, return values and construction. The list
// [Kinds] is the only place that names them all. README.md walks through one.
package xresource
