// Package templatediff compares the templates of a cloud assembly with the deployed ones. It
// tells which resources a release adds, changes, removes or replaces, and which containers
// get another image. It is pure Go: the caller fetches the deployed templates.
//
// It prints no values but numbers, switches and images, so that no secret gets into a log or
// a comment.
package templatediff
