package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The contract: these settings, each with a flag, a variable and a key.
const promised = "--store --profile --output --token-file --keys --color --no-input --accessible --no-alt-screen --ca-file --pin --timeout"

// One table feeds flags, variables, config keys, help and `config view`; this
// test holds it against the promise and against Settings.
func TestNamesInStep(t *testing.T) {
	var flags, fields []string
	for _, k := range Keys() {
		if k.Help == "" || k.field == nil {
			t.Errorf("%s: the table's row is not whole", k.Name)
		}
		if want := "LOGIQC_" + strings.ToUpper(strings.ReplaceAll(k.Name, "-", "_")); k.Env() != want {
			t.Errorf("%s: variable %s, want %s", k.Name, k.Env(), want)
		}
		if k.EnvOnly {
			if k.Flag() != "" {
				t.Errorf("%s has the flag %s", k.Name, k.Flag())
			}
		} else {
			flags = append(flags, k.Flag())
		}
		fields = append(fields, strings.ReplaceAll(k.Name, "-", ""))
		_, isSwitch := k.field(&Settings{}).(*bool)
		if k.Switch() != isSwitch {
			t.Errorf("%s: Switch is %v, its field says %v", k.Name, k.Switch(), isSwitch)
		}
	}
	if want := strings.Fields(promised); !slices.Equal(flags, want) {
		t.Errorf("flags %v, want %v", flags, want)
	}
	settings := reflect.TypeFor[Settings]()
	for i := range settings.NumField() {
		if f := settings.Field(i); f.IsExported() && !slices.Contains(fields, strings.ToLower(f.Name)) {
			t.Errorf("the setting %s has no key", f.Name)
		}
	}
}

// View shows each key once, in the table's order.
func TestViewInStep(t *testing.T) {
	view := load(t, nil, clean(t)).View()
	keys := Keys()
	if len(view) != len(keys) {
		t.Fatalf("%d lines for %d keys", len(view), len(keys))
	}
	for i, line := range view {
		if line.Key != keys[i].Name || line.Source != "default" {
			t.Errorf("line %d is %+v, want %s by default", i, line, keys[i].Name)
		}
	}
}

func TestKeysIsACopy(t *testing.T) {
	Keys()[0].Name = "changed"
	if Keys()[0].Name != "store" {
		t.Error("a caller can change the table")
	}
}

// A pin is taken as `logiqc serve` prints it and as curl and RFC 7469 write it.
func TestPinText(t *testing.T) {
	const digits = "9b1f00ff9b1f00ff9b1f00ff9b1f00ff9b1f00ff9b1f00ff9b1f00ff9b1f00ff"
	for in, want := range map[string]string{
		"sha256:" + digits:                                     "sha256:" + digits,
		"sha256:" + strings.ToUpper(digits):                    "sha256:" + digits,
		"sha256//mx8A/5sfAP+bHwD/mx8A/5sfAP+bHwD/mx8A/5sfAP8=": "sha256:" + digits,
		"sha256:mx8A/5sfAP+bHwD/mx8A/5sfAP+bHwD/mx8A/5sfAP8=":  "sha256:" + digits,
		digits:           "",
		"sha1:" + digits: "",
		"sha256:":        "",
		"sha256:xyz":     "",
	} {
		if got, err := pinText(in, nil); got != want || (err == nil) == (want == "") {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
}
