// Package shared makes the stacks that all pipelines use, in the tooling account: one
// with the image repositories, artifacts and topics, and one per further region with
// copies of the artifacts.
package shared
