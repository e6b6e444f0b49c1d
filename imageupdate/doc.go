// Package imageupdate takes the digest of a new image to the compose files: it edits
// services.<name>.image in a file of people, every other byte of which stays, or
// writes a file of its own per service, and pushes the one change to a git
// repository that many write to at once.
package imageupdate
