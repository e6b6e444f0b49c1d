package compose

import (
	"reflect"

	"composecdk/compose/diag"
)

// decode fills out as the reporter's decode does, reports whether it fits, and records
// the references in it: a Text and a Fragment take them, any other type does not.
func (r *resolver) decode(path Path, in, out any) bool {
	d := diag.Decoder{R: r.Reporter, Fits: true, Special: r.decodeReferences}
	d.Value(path, in, reflect.ValueOf(out).Elem())
	return d.Fits
}

// decodeReferences reports whether out is of a type that takes references, which it then
// fills and records.
func (r *resolver) decodeReferences(d *diag.Decoder, path Path, in, out any) bool {
	switch target := out.(type) {
	case *Text:
		if text, ok := diag.ScalarText(in); ok {
			*target = ParseText(text)
			r.refer(path, text)
		} else {
			d.WrongType(path, in, "a string")
		}
	case *Fragment:
		if m, ok := in.(map[string]any); ok {
			*target = m
			r.readValue(path, in)
		} else {
			d.WrongType(path, in, "a mapping")
		}
	default:
		return false
	}
	return true
}
