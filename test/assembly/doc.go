// Package assembly reads what a synthesis writes: templates, stacks and files.
package assembly
