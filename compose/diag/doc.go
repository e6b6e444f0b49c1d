// Package diag has what everything that reads Compose files reports with: places in
// files, diagnostics, decoders of values that keep their place, and the one reader
// of a project's folder.
//
// A [Path] names a value of the merged model, an [Index] leads from it back to file,
// line and column, and a [Reporter] collects diagnostics of values by their paths.
// [Folder] alone opens files: it never leaves the project's folder.
package diag
