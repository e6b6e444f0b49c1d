// Package templatediff tells what a release changes: it compares the templates of a cloud
// assembly with those that are deployed, and says which resources come, go, change
// or are replaced, and which containers get another image. It is pure Go: whoever
// uses it finds out what is deployed.
//
// No value of a property is told but numbers, switches and images, so that no secret
// gets into a log or a comment.
package templatediff
