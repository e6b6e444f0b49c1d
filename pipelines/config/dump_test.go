package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// dump lists all that a configuration says, a line for each value that is set. An
// account is told by its name where something refers to it.
func dump(c *Config) string {
	var b strings.Builder
	write(&b, "", reflect.ValueOf(*c))
	return b.String()
}

func write(b *strings.Builder, path string, v reflect.Value) {
	if account, ok := v.Interface().(*Account); ok && !strings.HasPrefix(path, "Accounts[") {
		fmt.Fprintf(b, "%s = account %s\n", path, account.Name)
		return
	}
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		fmt.Fprintf(b, "%s = %s\n", path, v.Interface())
		return
	case path == "Dir", path == "File", strings.HasSuffix(path, ".Path"), v.IsZero() && v.Kind() != reflect.Int:
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		write(b, path, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				write(b, strings.TrimPrefix(path+"."+f.Name, "."), v.Field(i))
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.String {
			fmt.Fprintf(b, "%s = %q\n", path, v.Interface())
			return
		}
		for i := range v.Len() {
			write(b, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Map:
		keys := map[string]reflect.Value{}
		for _, k := range v.MapKeys() {
			keys[k.String()] = v.MapIndex(k)
		}
		for _, k := range slices.Sorted(maps.Keys(keys)) {
			write(b, path+"."+k, keys[k])
		}
	default:
		fmt.Fprintf(b, "%s = %v\n", path, v.Interface())
	}
}
