package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"strings"
	"unicode/utf8"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// strict reads one JSON value and nothing after it. A name that means nothing is
// refused: it may be a condition that somebody counts on, written wrongly. So is
// a NUL, which no text of ours holds.
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
	return nil
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

// jsonError says what is wrong with JSON without a word of what it holds.
func jsonError(err error) error {
	var kind *json.UnmarshalTypeError
	var known *logiqc.Error
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return errors.New(kind.Field + " cannot be a " + kind.Value)
	case errors.As(err, &kind):
		return errors.New("it cannot be a " + kind.Value)
	case errors.As(err, &known):
		return known
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return errors.New(strings.TrimPrefix(err.Error(), "json: ") + ": it means nothing here")
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
