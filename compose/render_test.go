package compose

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// render writes a model out for comparison: everything but where it was
// written, for two files may say the same thing in other words. What is empty
// and what is absent are one.
func render(m *Model) string {
	var b strings.Builder
	renderValue(&b, reflect.ValueOf(m), "", map[uintptr]bool{})
	return b.String()
}

func renderValue(b *strings.Builder, v reflect.Value, name string, open map[uintptr]bool) {
	if !v.IsValid() || v.IsZero() || v.Type() == reflect.TypeFor[Path]() {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if schema, ok := v.Interface().(*Schema); ok {
			fmt.Fprintf(b, "%s = schema %s\n", name, schema.Key)
			return
		}
		if open[v.Pointer()] {
			fmt.Fprintf(b, "%s = above\n", name)
			return
		}
		if v.Elem().Kind() != reflect.Struct { // to be told from none
			fmt.Fprintf(b, "%s = %v\n", name, v.Elem())
			return
		}
		open[v.Pointer()] = true
		renderValue(b, v.Elem(), name, open)
		delete(open, v.Pointer())
	case reflect.Interface:
		renderValue(b, v.Elem(), name, open)
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				renderValue(b, v.Field(i), name+"."+field.Name, open)
			}
		}
	case reflect.Map:
		lines := map[string]string{}
		for _, k := range v.MapKeys() {
			var line strings.Builder
			key := fmt.Sprintf("%s[%v]", name, k)
			fmt.Fprintln(&line, key)
			renderValue(&line, v.MapIndex(k), key, open)
			lines[key] = line.String()
		}
		for _, key := range slices.Sorted(maps.Keys(lines)) {
			b.WriteString(lines[key])
		}
	case reflect.Slice:
		for i := range v.Len() {
			fmt.Fprintf(b, "%s[%d]\n", name, i)
			renderValue(b, v.Index(i), fmt.Sprintf("%s[%d]", name, i), open)
		}
	default:
		fmt.Fprintf(b, "%s = %v\n", name, v)
	}
}
