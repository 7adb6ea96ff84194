package httpapi

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// twice tells, token by token, whether an object has a name twice or one that is
// written with an escape.
func twice(dec *json.Decoder, data []byte) bool {
	begin, _ := dec.Token()
	var seen []string
	for (begin == json.Delim('{') || begin == json.Delim('[')) && dec.More() {
		if begin == json.Delim('{') {
			name, _ := dec.Token()
			end := dec.InputOffset()
			written := data[bytes.LastIndexByte(data[:end-1], '"')+1 : end-1]
			same := func(other string) bool { return strings.EqualFold(other, name.(string)) }
			if slices.ContainsFunc(seen, same) || string(written) != name {
				return true
			}
			seen = append(seen, name.(string))
		}
		if twice(dec, data) {
			return true
		}
	}
	if begin == json.Delim('{') || begin == json.Delim('[') {
		_, _ = dec.Token()
	}
	return false
}

// What is taken is JSON with each name once, in the eyes of a slower reader.
func FuzzStrict(f *testing.F) {
	for _, seed := range []string{`{}`, `[{"a":1,"b":{"a":[2,"\"a\":"]}},{"a":3}]`, `{"a":1,"A" :2}`, `{"\u0061":1}`, `{"a":"}","b":"{"}`, "{\"a\"\n\t:1,\"a\": 2}",
		`{"a":{"b":1},"b":{"b":1}}`, `"a"`, `{"":1,"":2}`, `{"ſ":1,"s":2}`, `{"k":1,"K":2}`, `{"a":"\\","a":1}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		if err := strict(data, &v); err == nil || strings.Contains(err.Error(), "twice") || strings.Contains(err.Error(), "escape") {
			if want := twice(json.NewDecoder(bytes.NewReader(data)), data); want != (err != nil) {
				t.Errorf("%q: %v", data, err)
			}
		}
	})
}
