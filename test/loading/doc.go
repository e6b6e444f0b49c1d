// Package loading reads compose files into the model, as the program does.
package loading
