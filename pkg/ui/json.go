package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
)

// JSON writes v to standard output as one compact line. Nothing is escaped for
// HTML; every character that [Clean] would show as an escape is \uXXXX, so that
// the line is harmless on a terminal and loses nothing to a parser.
func (u *IO) JSON(v any) error {
	line, err := marshal(v)
	if err != nil {
		return err
	}
	return u.write(u.opt.Stdout, line+"\n")
}

// JSONLine is [IO.JSON] for one record of a jsonl answer.
func (u *IO) JSONLine(v any) error { return u.JSON(v) }

// marshal returns v as compact JSON of printable characters only.
func marshal(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", fmt.Errorf("write JSON: %w", err)
	}
	return escapeJSON(strings.TrimSuffix(b.String(), "\n")), nil
}

// escapeJSON writes unsafe characters of a JSON text as \uXXXX. In valid compact
// JSON they can only stand inside strings.
func escapeJSON(s string) string {
	if clean(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !unsafeRune(r):
			b.WriteRune(r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// JSONArray starts a JSON array that is streamed to standard output, one
// element per line. Nothing is written before the first [JSONArray.Add].
func (u *IO) JSONArray() *JSONArray { return &JSONArray{u: u} }

// JSONArray streams the elements of one JSON array. Close must be called.
type JSONArray struct {
	u *IO
	n int
}

// Add writes v as the next element.
func (a *JSONArray) Add(v any) error {
	line, err := marshal(v)
	if err != nil {
		return err
	}
	before := ",\n"
	if a.n == 0 {
		before = "["
	}
	a.n++
	return a.u.write(a.u.opt.Stdout, before+line)
}

// Close ends the array; one without elements is "[]".
func (a *JSONArray) Close() error {
	if a.n == 0 {
		return a.u.write(a.u.opt.Stdout, "[]\n")
	}
	return a.u.write(a.u.opt.Stdout, "]\n")
}
