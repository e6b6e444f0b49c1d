package diag

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Decoder fills a struct, map, slice or scalar from a value of the compose file,
// strictly: every key that the type does not have, and every value of a wrong type, is
// a diagnostic at its own place. Fits is false where a value did not fit: what stands under an unknown key is left out, and the rest can
// be checked further.
//
// The keys of a struct are its exported field names, or the names in the tag
// `key:"…"`; a key in another case is accepted as an old spelling. The tag
// `key:"-"` leaves a field out. A scalar stands for a list of one. Numbers and
// booleans may be written as strings, as interpolation leaves them.
type Decoder struct {
	R    *Reporter
	Fits bool
	// special decodes values of types that the decoder itself does not know, and
	// reports whether it did; out is a pointer. It may be nil.
	Special func(d *Decoder, path Path, in, out any) bool
	// extensible leaves out the keys that start with x- where a struct has none.
	Extensible bool
}

// Document decodes a whole document into a pointer; it reports whether all values fitted.
func (d *Decoder) Document(in, out any) bool {
	d.Value("", in, reflect.ValueOf(out).Elem())
	return d.Fits
}

// Value decodes the value at a path; a null leaves out as it is.
func (d *Decoder) Value(path Path, in any, out reflect.Value) {
	if in == nil {
		return
	}
	if d.Special != nil && d.Special(d, path, in, out.Addr().Interface()) {
		return
	}
	switch out.Kind() {
	case reflect.Pointer:
		target := reflect.New(out.Type().Elem())
		d.Value(path, in, target.Elem())
		out.Set(target)
	case reflect.Interface:
		out.Set(reflect.ValueOf(in))
	case reflect.Struct:
		d.structure(path, in, out)
	case reflect.Map:
		d.mapping(path, in, out)
	case reflect.Slice:
		d.list(path, in, out)
	default:
		d.scalar(path, in, out)
	}
}

// WrongType reports a value of another type than the wanted one.
func (d *Decoder) WrongType(path Path, in any, want string) {
	d.Fits = false
	d.R.Errorf(path, "type", "expected %s, found %s", want, Describe(in))
}

func (d *Decoder) structure(path Path, in any, out reflect.Value) {
	m, ok := in.(map[string]any)
	if !ok {
		d.WrongType(path, in, "a mapping with "+strings.Join(StructKeys(out.Type()), ", "))
		return
	}
	fields := structFields(out)
	for _, key := range slices.Sorted(maps.Keys(m)) {
		field, ok := fields[key]
		if !ok {
			if d.Extensible && strings.HasPrefix(key, "x-") {
				continue
			}
			name := foldedKey(key, fields)
			if name == "" {
				d.R.Add(Error, path.Key(key), "key-unknown", DidYouMean(key, StructKeys(out.Type())),
					fmt.Sprintf("%q is not a key of %s", key, path))
				continue
			}
			d.R.Deprecated(path.Key(key), key, name)
			field = fields[name]
		}
		d.Value(path.Key(key), m[key], field)
	}
}

func (d *Decoder) mapping(path Path, in any, out reflect.Value) {
	m, ok := in.(map[string]any)
	if !ok {
		d.WrongType(path, in, "a mapping")
		return
	}
	out.Set(reflect.MakeMapWithSize(out.Type(), len(m)))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		element := reflect.New(out.Type().Elem()).Elem()
		d.Value(path.Key(key), m[key], element)
		out.SetMapIndex(reflect.ValueOf(key), element)
	}
}

func (d *Decoder) list(path Path, in any, out reflect.Value) {
	items, ok := in.([]any)
	if !ok {
		if _, mapping := in.(map[string]any); mapping && out.Type().Elem().Kind() != reflect.Struct {
			d.WrongType(path, in, "a list")
			return
		}
		element := reflect.New(out.Type().Elem()).Elem()
		d.Value(path, in, element)
		out.Set(reflect.Append(reflect.MakeSlice(out.Type(), 0, 1), element))
		return
	}
	out.Set(reflect.MakeSlice(out.Type(), len(items), len(items)))
	for i, item := range items {
		d.Value(path.Index(i), item, out.Index(i))
	}
}

func (d *Decoder) scalar(path Path, in any, out reflect.Value) {
	switch out.Kind() {
	case reflect.String:
		if text, ok := ScalarText(in); ok {
			out.SetString(text)
			return
		}
		d.WrongType(path, in, "a string")
	case reflect.Bool:
		switch v := in.(type) {
		case bool:
			out.SetBool(v)
			return
		case string:
			if b, err := strconv.ParseBool(v); err == nil {
				out.SetBool(b)
				return
			}
		}
		d.WrongType(path, in, "true or false")
	case reflect.Int:
		if n, ok := Number(in); ok && n == math.Trunc(n) && math.Abs(n) < math.MaxInt32 {
			out.SetInt(int64(n))
			return
		}
		d.WrongType(path, in, "a whole number")
	case reflect.Float64:
		if n, ok := Number(in); ok {
			out.SetFloat(n)
			return
		}
		d.WrongType(path, in, "a number")
	default:
		panic("compose: decode into unsupported type " + out.Type().String())
	}
}

func structFields(v reflect.Value) map[string]reflect.Value {
	fields := map[string]reflect.Value{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := f.Name
		if tag, ok := f.Tag.Lookup("key"); ok {
			name = tag
		}
		if f.IsExported() && name != "-" {
			fields[name] = v.Field(i)
		}
	}
	return fields
}

// StructKeys returns the keys that a mapping may have to become a struct, sorted.
func StructKeys(t reflect.Type) []string {
	return slices.Sorted(maps.Keys(structFields(reflect.New(t).Elem())))
}

func foldedKey(key string, fields map[string]reflect.Value) string {
	for name := range fields {
		if strings.EqualFold(name, key) {
			return name
		}
	}
	return ""
}

// ScalarText returns the text of a string, number or boolean.
func ScalarText(in any) (string, bool) {
	switch v := in.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	}
	n, ok := Number(in)
	if !ok {
		return "", false
	}
	return strconv.FormatFloat(n, 'f', -1, 64), true
}

// Number reads any Go number, or a string that spells one.
func Number(in any) (float64, bool) {
	v := reflect.ValueOf(in)
	switch {
	case !v.IsValid():
		return 0, false
	case v.CanInt():
		return float64(v.Int()), true
	case v.CanUint():
		return float64(v.Uint()), true
	case v.CanFloat():
		return v.Float(), true
	case v.Kind() == reflect.String:
		n, err := strconv.ParseFloat(v.String(), 64)
		return n, err == nil && !math.IsInf(n, 0) && !math.IsNaN(n)
	}
	return 0, false
}

// Describe names a value of the file for a message, shortened.
func Describe(in any) string {
	switch v := in.(type) {
	case nil:
		return "nothing"
	case map[string]any:
		return "a mapping"
	case []any:
		return "a list"
	case string:
		return strconv.Quote(Shorten(v))
	}
	text, err := json.Marshal(in)
	if err != nil {
		return fmt.Sprintf("%T", in)
	}
	return Shorten(string(text))
}

// Shorten returns the first 60 characters of a text that is longer.
func Shorten(s string) string {
	const readable = 60
	if runes := []rune(s); len(runes) > readable {
		return string(runes[:readable]) + "…"
	}
	return s
}
