package compose

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

// decode fills out, a pointer to a struct, map, slice or scalar, from a value of
// the compose file, strictly: every key that the type does not have, and every
// value of a wrong type, is a diagnostic at its own place. It reports whether
// all values fitted: what stands under an unknown key is left out, and the rest can
// be checked further.
//
// The keys of a struct are its exported field names, or those of the tag
// `key:"…"`; a key in another case is accepted as an old spelling. The tag
// `key:"-"` leaves a field out. A scalar stands for a list of one. Numbers and
// booleans may be written as strings, as interpolation leaves them.
func (r *reporter) decode(path Path, in, out any) bool {
	d := decoder{r: r, fits: true}
	d.value(path, in, reflect.ValueOf(out).Elem())
	return d.fits
}

type decoder struct {
	r    *reporter
	fits bool
	// special decodes values of types that the decoder itself does not know, and
	// reports whether it did; out is a pointer. It may be nil.
	special func(d *decoder, path Path, in, out any) bool
	// extensible leaves out the keys that start with x- where a struct has none.
	extensible bool
}

func (d *decoder) document(in, out any) bool {
	d.value("", in, reflect.ValueOf(out).Elem())
	return d.fits
}

func (d *decoder) value(path Path, in any, out reflect.Value) {
	if in == nil {
		return
	}
	if d.special != nil && d.special(d, path, in, out.Addr().Interface()) {
		return
	}
	switch out.Kind() {
	case reflect.Pointer:
		target := reflect.New(out.Type().Elem())
		d.value(path, in, target.Elem())
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

func (d *decoder) wrongType(path Path, in any, want string) {
	d.fits = false
	d.r.errorf(path, "type", "expected %s, found %s", want, describe(in))
}

func (d *decoder) structure(path Path, in any, out reflect.Value) {
	m, ok := in.(map[string]any)
	if !ok {
		d.wrongType(path, in, "a mapping with "+strings.Join(structKeys(out.Type()), ", "))
		return
	}
	fields := structFields(out)
	for _, key := range slices.Sorted(maps.Keys(m)) {
		field, ok := fields[key]
		if !ok {
			if d.extensible && strings.HasPrefix(key, "x-") {
				continue
			}
			name := foldedKey(key, fields)
			if name == "" {
				d.r.add(Error, path.Key(key), "key-unknown", didYouMean(key, structKeys(out.Type())),
					fmt.Sprintf("%q is not a key of %s", key, path))
				continue
			}
			d.r.deprecated(path.Key(key), key, name)
			field = fields[name]
		}
		d.value(path.Key(key), m[key], field)
	}
}

func (d *decoder) mapping(path Path, in any, out reflect.Value) {
	m, ok := in.(map[string]any)
	if !ok {
		d.wrongType(path, in, "a mapping")
		return
	}
	out.Set(reflect.MakeMapWithSize(out.Type(), len(m)))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		element := reflect.New(out.Type().Elem()).Elem()
		d.value(path.Key(key), m[key], element)
		out.SetMapIndex(reflect.ValueOf(key), element)
	}
}

func (d *decoder) list(path Path, in any, out reflect.Value) {
	items, ok := in.([]any)
	if !ok {
		if _, mapping := in.(map[string]any); mapping && out.Type().Elem().Kind() != reflect.Struct {
			d.wrongType(path, in, "a list")
			return
		}
		element := reflect.New(out.Type().Elem()).Elem()
		d.value(path, in, element)
		out.Set(reflect.Append(reflect.MakeSlice(out.Type(), 0, 1), element))
		return
	}
	out.Set(reflect.MakeSlice(out.Type(), len(items), len(items)))
	for i, item := range items {
		d.value(path.Index(i), item, out.Index(i))
	}
}

func (d *decoder) scalar(path Path, in any, out reflect.Value) {
	switch out.Kind() {
	case reflect.String:
		if text, ok := scalarText(in); ok {
			out.SetString(text)
			return
		}
		d.wrongType(path, in, "a string")
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
		d.wrongType(path, in, "true or false")
	case reflect.Int:
		if n, ok := number(in); ok && n == math.Trunc(n) && math.Abs(n) < math.MaxInt32 {
			out.SetInt(int64(n))
			return
		}
		d.wrongType(path, in, "a whole number")
	case reflect.Float64:
		if n, ok := number(in); ok {
			out.SetFloat(n)
			return
		}
		d.wrongType(path, in, "a number")
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

func structKeys(t reflect.Type) []string {
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

// scalarText returns the text of a string, number or boolean.
func scalarText(in any) (string, bool) {
	switch v := in.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	}
	n, ok := number(in)
	if !ok {
		return "", false
	}
	return strconv.FormatFloat(n, 'f', -1, 64), true
}

// number reads any Go number, or a string that spells one.
func number(in any) (float64, bool) {
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

// describe names a value of the file for a message, shortened.
func describe(in any) string {
	switch v := in.(type) {
	case nil:
		return "nothing"
	case map[string]any:
		return "a mapping"
	case []any:
		return "a list"
	case string:
		return strconv.Quote(shorten(v))
	}
	text, err := json.Marshal(in)
	if err != nil {
		return fmt.Sprintf("%T", in)
	}
	return shorten(string(text))
}

func shorten(s string) string {
	const readable = 60
	if runes := []rune(s); len(runes) > readable {
		return string(runes[:readable]) + "…"
	}
	return s
}
