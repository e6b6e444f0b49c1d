package gate

import (
	"bytes"
	"encoding/json"
)

// resourceLines maps each logical id to its line, from 1. The text must be valid JSON.
func resourceLines(text []byte) map[string]int {
	lines := map[string]int{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	line, counted := 1, 0
	members(decoder, func(section string) {
		if section != "Resources" {
			skip(decoder)
			return
		}
		members(decoder, func(id string) {
			offset := int(decoder.InputOffset())
			line += bytes.Count(text[counted:offset], []byte("\n"))
			counted = offset
			lines[id] = line
			skip(decoder)
		})
	})
	return lines
}

// members calls each for the keys of the next object in decoder; each must consume the
// value. It skips a value that is no object.
func members(decoder *json.Decoder, each func(key string)) {
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return
	}
	for decoder.More() {
		key, err := decoder.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return
		}
		each(name)
	}
	_, _ = decoder.Token()
}

func skip(decoder *json.Decoder) {
	var passed json.RawMessage
	_ = decoder.Decode(&passed)
}
