// Package compose resolves a loaded Compose project with ECS ComposeX x-*
// extensions into a typed, printable model: families, resources and what each gives
// to the services that use it. It knows nothing of the CDK.
//
// Package load reads the files, package diag has the diagnostics and positions that
// both report with, and package kinds describes the kinds of resources. [Resolve]
// decodes sections, families and references, checks each against the others, and
// derives bindings, environment variables and access (resolve.go, sections.go,
// references.go, bindings.go).
package compose
