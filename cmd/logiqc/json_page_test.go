package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The examples of docs/json.md are what the program answers, one after the other
// in one store: every key, in this order, and every value, unless it ends in "…".
func TestJSONPage(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	page := h.readText(filepath.Join("..", "..", "docs", "json.md"))
	examples := regexp.MustCompile("(?s)```console\n\\$ logiqc (.*?)\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(examples) < 10 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, x := range examples {
		stdout, stderr, _ := h.run(argsOf(x[1])...)
		want, got := json.NewDecoder(strings.NewReader(x[2])), json.NewDecoder(strings.NewReader(stdout+stderr))
		for {
			var shown, said json.RawMessage
			end, err := want.Decode(&shown), got.Decode(&said)
			if errors.Is(end, io.EOF) && errors.Is(err, io.EOF) {
				break
			}
			if err := errors.Join(end, err); err != nil {
				t.Fatalf("logiqc %s: %v\n%s%s", x[1], err, stdout, stderr)
			}
			if err := like(shown, said); err != nil {
				t.Errorf("logiqc %s: %v\n%s", x[1], err, said)
			}
		}
	}
}

// argsOf are the words of a command line, of which some are in double quotes.
func argsOf(line string) (args []string) {
	for _, w := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line, -1) {
		args = append(args, strings.Trim(w, `"`))
	}
	return args
}

// like tells how a value differs from the one that is shown.
func like(shown, said json.RawMessage) error {
	keys, err := keysOf(shown)
	if err != nil {
		return likeValue(shown, said)
	}
	theirs, err := keysOf(said)
	if err != nil {
		return err
	}
	var a, b map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(shown, &a), json.Unmarshal(said, &b)); err != nil {
		return err
	}
	for i, key := range keys {
		if key == "…" {
			return nil // and whatever else there is
		}
		if i >= len(theirs) || theirs[i] != key {
			return fmt.Errorf("the keys are %q, and %q are shown", theirs, keys)
		}
		if err := like(a[key], b[key]); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	if len(theirs) != len(keys) {
		return fmt.Errorf("the keys are %q, and %q are shown", theirs, keys)
	}
	return nil
}

// likeValue is like for what is no object.
func likeValue(shown, said json.RawMessage) error {
	var a, b []json.RawMessage
	if json.Unmarshal(shown, &a) == nil && json.Unmarshal(said, &b) == nil && a != nil {
		if len(a) != len(b) {
			return fmt.Errorf("%d elements, and %d are shown", len(b), len(a))
		}
		for i := range a {
			if err := like(a[i], b[i]); err != nil {
				return fmt.Errorf("%d: %w", i, err)
			}
		}
		return nil
	}
	var text, value string
	if json.Unmarshal(shown, &text) == nil && json.Unmarshal(said, &value) == nil {
		if begin, any := strings.CutSuffix(text, "…"); any && strings.HasPrefix(value, begin) {
			return nil
		}
	}
	if string(shown) != string(said) {
		return fmt.Errorf("%s, and %s is shown", said, shown)
	}
	return nil
}
