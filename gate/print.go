package gate

import (
	"encoding/json"
	"fmt"
	"io"
)

// Text prints findings for people, one line each: place, message, rule.
func Text(w io.Writer, found []Finding) error {
	for _, f := range found {
		place := f.Stack
		if f.Resource != "" {
			place += "/" + f.Resource
		}
		if _, err := fmt.Fprintf(w, "%s: %s [%s]\n", place, f.Message, f.Rule); err != nil {
			return err
		}
	}
	return nil
}

// JSON prints findings for programs.
func JSON(w io.Writer, found []Finding) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{"findings": found})
}
