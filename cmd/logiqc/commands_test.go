package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// usages is how each command of a script is written.
var usages = map[string]string{
	"newstore": "newstore",
	"place":    "place VAR",
	"serve":    "serve [FLAG…]",
	"as":       "as USER|nobody",
	"appcode":  "appcode [-next|-offset DURATION] VAR USER|SECRET|FILE",
	"status":   "status N PROGRAM [ARG…]",
	"getjson":  "getjson VAR FILE PATH",
	"json":     "[!] json FILE PATH VALUE",
	"jsonkeys": "jsonkeys FILE PATH KEY,…",
}

func usage(ts *testscript.TestScript, name string, ok bool) {
	if !ok {
		ts.Fatalf("usage: %s", usages[name])
	}
}

// cmdAs makes somebody the one who is signed in.
func cmdAs(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, "as", !neg && len(args) == 1)
	bearer := ts.Getenv("SESSION_" + args[0])
	if bearer == "" && args[0] != "nobody" {
		ts.Fatalf("%s has no session: newstore first, then one of its people", args[0])
	}
	saveSession(ts, logiqc.Secret(bearer))
}

// cmdAppCode sets a variable to what an authenticator app shows.
func cmdAppCode(ts *testscript.TestScript, neg bool, args []string) {
	var offset time.Duration
	switch {
	case len(args) == 3 && args[0] == "-next":
		offset, args = totp.Period, args[1:]
	case len(args) == 4 && args[0] == "-offset":
		d, err := time.ParseDuration(args[1])
		ts.Check(err)
		offset, args = d, args[2:]
	}
	usage(ts, "appcode", !neg && len(args) == 2)
	ts.Setenv(args[0], totp.Code(appKey(ts, args[1]), totp.Step(time.Now().Add(offset))))
}

// appKey is the setup key of one of the people, in a file, or as it is written.
func appKey(ts *testscript.TestScript, of string) totp.Key {
	for _, p := range people {
		if p.Username == of {
			return secretOf(of)
		}
	}
	if key, err := totp.ParseKey(of); err == nil {
		return key
	}
	text := strings.TrimSpace(ts.ReadFile(of))
	if strings.HasPrefix(text, "{") {
		text = lookUp(ts, of, "secret")
	}
	key, err := totp.ParseKey(text)
	ts.Check(err)
	return key
}

// cmdStatus runs a program and wants one very exit status.
func cmdStatus(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, "status", !neg && len(args) > 1)
	want, err := strconv.Atoi(args[0])
	usage(ts, "status", err == nil)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// cmdGetJSON keeps a value of an answer in a variable.
func cmdGetJSON(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, "getjson", !neg && len(args) == 3)
	ts.Setenv(args[0], lookUp(ts, args[1], args[2]))
}

// cmdJSON wants a value of an answer to be, or with ! not to be, VALUE.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, "json", len(args) == 3)
	if got := lookUp(ts, args[0], args[1]); (got == args[2]) == neg {
		ts.Fatalf("%s is %s", args[1], got)
	}
}

// cmdJSONKeys wants an object to have these keys in this order and no others.
func cmdJSONKeys(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, "jsonkeys", !neg && len(args) == 3)
	keys, err := keysOf(json.RawMessage(lookUp(ts, args[0], args[1])))
	ts.Check(err)
	if got := strings.Join(keys, ","); got != args[2] {
		ts.Fatalf("%s has the keys\n\t%s\nwant\n\t%s", args[1], got, args[2])
	}
}

func keysOf(object json.RawMessage) (keys []string, err error) {
	dec := json.NewDecoder(strings.NewReader(string(object)))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("not an object: %s", object)
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		keys = append(keys, fmt.Sprint(key))
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// lookUp is the value at a path in a file of JSON: a string as it is, anything
// else as it is written. Several values, as jsonl has them, are taken as an
// array.
func lookUp(ts *testscript.TestScript, file, path string) string {
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile(file)))
	var values []json.RawMessage
	for {
		var v json.RawMessage
		err := dec.Decode(&v)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			ts.Fatalf("%s is not JSON: %v", file, err)
		}
		values = append(values, v)
	}
	var v json.RawMessage
	var err error
	if len(values) == 1 {
		v = values[0]
	} else if v, err = json.Marshal(values); err != nil {
		ts.Fatalf("%v", err)
	}
	for _, step := range strings.Split(path, ".") {
		if step == "" {
			continue
		}
		if v, err = descend(v, step); err != nil {
			ts.Fatalf("%s: %v", path, err)
		}
	}
	var text string
	if json.Unmarshal(v, &text) == nil && string(v) != "null" {
		return text
	}
	return string(v)
}

// descend takes one step into a value: a key of an object, an index of an
// array, or len (quoted: #) for how many there are.
func descend(v json.RawMessage, step string) (json.RawMessage, error) {
	var object map[string]json.RawMessage
	if json.Unmarshal(v, &object) == nil && object != nil {
		if in, ok := object[step]; ok {
			return in, nil
		}
		return nil, fmt.Errorf("there is no key %q in %s", step, v)
	}
	var array []json.RawMessage
	if err := json.Unmarshal(v, &array); err != nil || array == nil {
		return nil, fmt.Errorf("%q cannot be looked up in %s", step, v)
	}
	if step == "len" || step == "#" {
		return json.RawMessage(strconv.Itoa(len(array))), nil
	}
	i, err := strconv.Atoi(step)
	if err == nil && i < 0 {
		i += len(array)
	}
	if err != nil || i < 0 || i >= len(array) {
		return nil, fmt.Errorf("there is no element %q among %d", step, len(array))
	}
	return array[i], nil
}
