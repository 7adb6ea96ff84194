package httpapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// strict reads one JSON value and nothing after it. A name that means nothing is
// refused: it may be a condition that somebody counts on, written wrongly. So is
// one that an object has twice, of which another reader, such as a proxy, may
// believe the other; and a NUL, which no text of ours holds. What is required has
// to be there: a password that a client forgot is no wrong one.
func strict(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("it is not valid UTF-8")
	}
	if hasNUL(data) {
		return errors.New("it has a NUL character in it")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return jsonError(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after the JSON")
	}
	if err := unrepeated(data); err != nil {
		return err
	}
	return complete(data, reflect.TypeOf(v))
}

// complete refuses an object without a field that its type marks as required;
// null stands for none. data is JSON that has been read into a t already.
func complete(data []byte, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var given map[string]*json.RawMessage
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Tag.Get("required") != "true" {
			continue
		}
		if given == nil {
			given = map[string]*json.RawMessage{}
			if err := json.Unmarshal(data, &given); err != nil {
				return jsonError(err)
			}
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		isGiven := false
		for other, value := range given {
			isGiven = isGiven || strings.EqualFold(name, other) && value != nil
		}
		if !isGiven {
			return errors.New(name + " is missing")
		}
	}
	return nil
}

// unrepeated refuses a name that an object in the value has twice; data is JSON
// that has been read already. Names are compared as encoding/json takes them, in
// any case; none of ours needs an escape.
func unrepeated(data []byte) error {
	var names [][]byte // of the objects around: those of each after those around it
	var objects []int  // where the names of each begin
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{':
			objects = append(objects, len(names))
		case '}':
			last := len(objects) - 1
			names, objects = names[:objects[last]], objects[:last]
		case '"':
			text := stringAt(data[i:])
			i += len(text) + 1
			if !bytes.HasPrefix(bytes.TrimLeft(data[i+1:], " \t\r\n"), []byte(":")) {
				continue
			}
			if bytes.IndexByte(text, '\\') >= 0 {
				return errors.New("a name is written with an escape")
			}
			same := func(other []byte) bool { return bytes.EqualFold(text, other) }
			if slices.ContainsFunc(names[objects[len(objects)-1]:], same) {
				return errors.New(named(string(text)) + " stands there twice")
			}
			names = append(names, text)
		}
	}
	return nil
}

// stringAt is the inside of the JSON string that data begins with, as it is
// written.
func stringAt(data []byte) []byte {
	end := 1
	for data[end] != '"' {
		if data[end] == '\\' {
			end++
		}
		end++
	}
	return data[1:end]
}

// named is a name of an object to be shown, unless it is none of ours: then it
// may be anything, a password too.
func named(name string) string {
	if len(name) > 40 {
		return "a name"
	}
	return strconv.Quote(name)
}

// hasNUL finds the escape of a NUL in JSON.
func hasNUL(data []byte) bool {
	for i := 0; i+1 < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		if bytes.HasPrefix(data[i+1:], []byte("u0000")) {
			return true
		}
		i++ // what is escaped begins no escape
	}
	return false
}

// meansNothing ends what is said of a name that this version does not know.
const meansNothing = ": it means nothing here"

// jsonError says what is wrong with JSON without a word of what it holds.
func jsonError(err error) error {
	var kind *json.UnmarshalTypeError
	var known *logiqc.Error
	var date *time.ParseError
	switch {
	case errors.As(err, &date):
		return errors.New("a time in it is not RFC 3339")
	case errors.As(err, &kind):
		// The field with the struct that it is embedded in; the value with its digits.
		field := kind.Field[strings.LastIndexByte(kind.Field, '.')+1:]
		value, _, _ := strings.Cut(kind.Value, " ")
		return errors.New(cmp.Or(field, "it") + " takes no such " + value)
	case errors.As(err, &known):
		return known
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		name, _ := strconv.Unquote(strings.TrimPrefix(err.Error(), "json: unknown field "))
		return errors.New("unknown field " + named(name) + meansNothing)
	}
	return errors.New("it is no JSON")
}

// panicked is the place in our code where a panic began.
func panicked() string {
	pc := make([]uintptr, 32)
	frames := runtime.CallersFrames(pc[:runtime.Callers(3, pc)])
	for {
		f, more := frames.Next()
		if strings.Contains(f.Function, "logiqc/pkg/") || !more {
			return f.Function
		}
	}
}
