package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Text is text that is safe to print as it is: cleaned data plus this
// package's own styling. The zero Text is empty.
type Text struct{ s string }

// String returns the text with its styling.
func (t Text) String() string { return t.s }

// Bold returns s cleaned and in bold.
func Bold(s string) Text { return Text{"\x1b[1m" + Clean(s) + "\x1b[22m"} }

// Red returns s cleaned and in red: something is refused or wrong.
func Red(s string) Text { return coloured("31", s) }

// Green returns s cleaned and in green: something is in order.
func Green(s string) Text { return coloured("32", s) }

// Yellow returns s cleaned and in yellow: look twice.
func Yellow(s string) Text { return coloured("33", s) }

// Cyan returns s cleaned and in cyan: something to type.
func Cyan(s string) Text { return coloured("36", s) }

// coloured uses the 4-bit palette, which people can re-map.
func coloured(sgr, s string) Text { return Text{"\x1b[" + sgr + "m" + Clean(s) + "\x1b[39m"} }

// Typed returns s cleaned, as a line to be copied into a shell: [IO.Answerf],
// [IO.Notef] and [IO.Warnf] break it nowhere, so that the terminal does and it can
// be copied whole.
func Typed(s string) Text { return Text{strings.ReplaceAll(Clean(s), " ", glue)} }

// Lines returns s cleaned line by line: newlines are kept, all else is as in
// [Clean]. It is for texts whose author may break lines, such as a message
// template, never for a name.
func Lines(s string) Text { return Text{cleanLines(s)} }

// Sprintf formats like [fmt.Sprintf]; every argument that is not a Text, a
// number or a bool is cleaned after formatting. The format may hold newlines.
func Sprintf(format string, args ...any) Text {
	if false {
		_ = fmt.Sprintf(format, args...) // lets go vet check every caller
	}
	safe := make([]any, len(args))
	for i, a := range args {
		switch a.(type) {
		case Text, bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, float32, float64:
			safe[i] = a
		default:
			safe[i] = data{a}
		}
	}
	return Text{fmt.Sprintf(cleanLines(format), safe...)}
}

// data formats a value as fmt would and cleans the result.
type data struct{ v any }

// Format implements [fmt.Formatter].
func (d data) Format(f fmt.State, verb rune) {
	_, _ = f.Write([]byte(Clean(fmt.Sprintf(fmt.FormatString(f, verb), d.v))))
}

// cell turns a string or a Text (or any value) into printable text of one line.
func cell(v any) string {
	switch v := v.(type) {
	case Text:
		return strings.ReplaceAll(v.s, "\n", " ")
	case string:
		return Clean(v)
	case nil:
		return ""
	}
	return Clean(fmt.Sprint(v))
}

// plain returns the text without its styling.
func (t Text) plain() string { return ansi.Strip(t.s) }
