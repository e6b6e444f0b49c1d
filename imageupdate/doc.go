// Package imageupdate writes the digest of a new image into compose files. It edits
// services.<name>.image in a file that people edit, and keeps every other byte, or writes an
// overlay file per service. It pushes the change to a git repository that many write to at
// once.
package imageupdate
