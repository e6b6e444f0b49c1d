// Package load reads Docker Compose files with ECS ComposeX x-* extensions into one
// merged, interpolated and validated [Project].
//
// It runs in these phases, each of which adds its problems to one list of
// diagnostics, so that a reader sees all of them at once:
//
//  1. files and environment: which files, which variables, the project's name
//     (options.go, environment.go)
//  2. reading: every file, with what it includes and extends, becomes a tree of
//     YAML nodes that remember their line; anchors, merge keys, odd keys and
//     CloudFormation tags are written out (source.go, expand.go)
//  3. variables: ${NAME} is replaced, ${AWS::Region} is kept (interpolate.go,
//     substitute.go)
//  4. old spellings: settings kept in `configs` are lifted out (legacy.go)
//  5. x-* sections of included files join the sections of the file that includes them
//     (include.go)
//  6. schema: every file against the Compose Specification, and every text in
//     which Compose packs several values (schemacheck.go, cast.go, shortform.go)
//  7. compose-go merges and types the files (composego.go, loaderror.go), and
//     reads the files of variables (envfile.go)
//  8. consistency: names that must exist, values that exclude each other
//     (consistency.go, amounts.go)
//
// What is found to be wrong in one phase is cut out of the trees before the
// next, so that one mistake is reported once and hides no other.
package load
