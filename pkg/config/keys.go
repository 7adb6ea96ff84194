package config

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Key is one global setting under its three names. Flags, help and the config
// reader are all made from the one table behind [Keys].
type Key struct {
	Name    string // in a config file, and the flag without its dashes
	Short   string // one-letter flag, or ""
	Value   string // what stands for the value in help; "" for a switch
	Default string // as help shows it
	Help    string // one line

	// EnvOnly: neither a flag nor a config key, only a variable.
	EnvOnly bool
	// also is a second variable, of wider custom.
	also string
	// field points to the setting's place in s.
	field func(s *Settings) any
	// text checks the value of a string field and answers with what is stored;
	// nil stores it as it is.
	text func(value string, whole resolver) (string, error)
}

// Keys lists every global setting, in the order in which help and `config
// view` show them. The caller may change the slice.
func Keys() []Key { return slices.Clone(table) }

// Flag is the setting's flag with its dashes, or "" if it has none.
func (k Key) Flag() string {
	if k.EnvOnly {
		return ""
	}
	return "--" + k.Name
}

// Env is the setting's environment variable.
func (k Key) Env() string {
	return "LOGIQC_" + strings.ToUpper(strings.ReplaceAll(k.Name, "-", "_"))
}

// Switch tells whether the setting is on or off, not a text.
func (k Key) Switch() bool { return k.Value == "" }

// variables lists the setting's environment variables, the first one first.
func (k Key) variables() []string {
	if k.also == "" {
		return []string{k.Env()}
	}
	return []string{k.Env(), k.also}
}

// find returns the key of that name.
func find(name string) (Key, bool) {
	i := slices.IndexFunc(table, func(k Key) bool { return k.Name == name })
	if i < 0 {
		return Key{}, false
	}
	return table[i], true
}

// In Default the two XDG folders stand for [Paths].Data and [Paths].Config.
const (
	dataFolder   = "$XDG_DATA_HOME/logiqc"
	configFolder = "$XDG_CONFIG_HOME/logiqc"
)

// table is the one list of settings.
var table = []Key{
	{Name: "store", Value: "URL", Default: "sqlite:" + dataFolder + "/logiqc.db",
		Help:  "where the accounts are: sqlite:PATH, postgres://…, https://host[:port] or unix:PATH",
		field: func(s *Settings) any { return &s.Store }},
	{Name: "profile", Value: "NAME",
		Help:  "take settings from this profile of the config file",
		field: func(s *Settings) any { return &s.Profile }, text: profileText},
	{Name: "output", Short: "o", Value: "text|json|jsonl|csv", Default: "text",
		Help:  "how answers are written",
		field: func(s *Settings) any { return &s.Output }, text: oneOf("text", "json", "jsonl", "csv")},
	{Name: "token-file", Value: "FILE",
		Help:  "act with the token in this file",
		field: func(s *Settings) any { return &s.TokenFile }, text: pathText},
	{Name: "token", Value: "TOKEN", EnvOnly: true,
		Help:  "act with this token",
		field: func(s *Settings) any { return &s.Token }},
	{Name: "keys", Value: "DIR", Default: configFolder + "/keys",
		Help:  "folder of the keys that seal secrets and sign the log",
		field: func(s *Settings) any { return &s.Keys }, text: pathText},
	{Name: "color", Value: "auto|always|never", Default: "auto",
		Help:  "when to colour text; NO_COLOR, CLICOLOR and CLICOLOR_FORCE count too",
		field: func(s *Settings) any { return &s.Color }, text: oneOf("auto", "always", "never")},
	{Name: "no-input", Default: "false",
		Help:  "never ask: fail and name the flag that answers",
		field: func(s *Settings) any { return &s.NoInput }},
	{Name: "accessible", Default: "false", also: "ACCESSIBLE",
		Help:  "plain line prompts that a screen reader can follow",
		field: func(s *Settings) any { return &s.Accessible }},
	{Name: "no-alt-screen", Default: "false",
		Help:  "write secrets to the ordinary screen, not to one that is cleared",
		field: func(s *Settings) any { return &s.NoAltScreen }},
	{Name: "ca-file", Value: "FILE",
		Help:  "trust the certificate authorities in this PEM file",
		field: func(s *Settings) any { return &s.CAFile }, text: pathText},
	{Name: "pin", Value: "PIN",
		Help:  "accept only the server with this fingerprint, as sha256:…",
		field: func(s *Settings) any { return &s.Pin }, text: pinText},
	{Name: "timeout", Value: "DURATION", Default: "30s",
		Help:  "give up on a store that does not answer; 0 waits for ever",
		field: func(s *Settings) any { return &s.Timeout }},
}

// set checks a value and stores it; paths in it are made whole.
func (k Key) set(s *Settings, value string, whole resolver) (err error) {
	switch field := k.field(s).(type) {
	case *Store:
		*field, err = parseStore(value, whole)
	case *Secret:
		*field = Secret(strings.TrimSpace(value))
	case *bool:
		*field, err = parseSwitch(value)
	case *time.Duration:
		*field, err = parseTimeout(value)
	case *string:
		*field = value
		switch {
		case value == "" && k.Default != "":
			err = refuse("it needs a value")
		case k.text != nil && value != "":
			*field, err = k.text(value, whole)
		}
	}
	return err
}

// show is the value in s as it may be seen: a Store masks its password, a
// Secret is redacted.
func (k Key) show(s *Settings) string { return fmt.Sprint(reflect.ValueOf(k.field(s)).Elem()) }

// oneOf makes the check of a setting that has a list of values.
func oneOf(list ...string) func(string, resolver) (string, error) {
	return func(value string, _ resolver) (string, error) {
		if slices.Contains(list, value) {
			return value, nil
		}
		return "", refuse("%q is not one of %s", value, strings.Join(list, ", "))
	}
}

func pathText(value string, whole resolver) (string, error) { return whole(value) }

// pinText reads the fingerprint of a server's key: sha256: and hex digits, or
// base64 as RFC 7469 and curl's --pinnedpubkey have it, which is kept as hex.
// Whether it is a whole one is seen by who uses it.
func pinText(value string, _ resolver) (string, error) {
	digits, ok := strings.CutPrefix(strings.Replace(value, "sha256//", "sha256:", 1), "sha256:")
	if sum, err := base64.StdEncoding.DecodeString(digits); ok && err == nil && len(sum) == sha256.Size {
		digits = hex.EncodeToString(sum)
	}
	if !ok || digits == "" || strings.Trim(strings.ToLower(digits), "0123456789abcdef") != "" {
		return "", refuse("%q is not the fingerprint of a key", value).hint("sha256: and 64 hex digits, as `logiqc serve` prints it")
	}
	return "sha256:" + strings.ToLower(digits), nil
}

func profileText(value string, _ resolver) (string, error) { return value, checkProfileName(value) }

// parseSwitch reads what people write for on and off.
func parseSwitch(value string) (bool, error) {
	switch strings.ToLower(value) {
	case "1", "true", "yes", "on":
		return true, nil
	case "0", "false", "no", "off", "":
		return false, nil
	}
	return false, refuse("%q is neither true nor false", value)
}

// parseTimeout reads a duration of Go's form that is not negative.
func parseTimeout(value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return 0, refuse("%q is not a duration such as 30s or 2m", value)
	}
	return d, nil
}
