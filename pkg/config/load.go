package config

import (
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/viper"
)

// Settings are the global settings in force for one command.
type Settings struct {
	Store       Store  // of no kind where none was named and no home folder is known
	Profile     string // the chosen profile, or ""
	Output      string // text, json, jsonl or csv
	TokenFile   string // absolute, or ""
	Token       Secret // from the environment only
	Keys        string // folder, absolute, or "" where none can be told
	Color       string // auto, always or never
	NoInput     bool
	Accessible  bool
	NoAltScreen bool
	CAFile      string // absolute, or ""
	Pin         string
	Timeout     time.Duration // 0: none

	sources map[string]string // by key name
}

// Flags are the values given on the command line, by key name ("store",
// "no-input"); a switch is "true" or "false". A flag that was not typed is not
// in it.
type Flags map[string]string

// defaultSource is where a value comes from that nobody gave.
const defaultSource = "default"

// Load finds every setting in the order that the package comment gives.
// Whatever a person wrote wrongly, in a flag, in the environment or anywhere
// in either config file, is an [*Error] that names the place.
func Load(flags Flags, paths Paths) (*Settings, error) {
	user, system, err := readFiles(paths)
	if err != nil {
		return nil, err
	}
	layers := []layer{user.top, system.top}
	if name := merge(flags, paths, layers).GetString("profile"); name != "" {
		layers, err = withProfile(name, origin{flags, layers}.source("profile"), user, system)
		if err != nil {
			return nil, err
		}
	}
	return settle(merge(flags, paths, layers), origin{flags, layers}, paths)
}

// withProfile ranks the chosen profile among the layers, highest first.
func withProfile(name, source string, user, system *file) ([]layer, error) {
	own, isOwn := user.profiles[name]
	shared, isShared := system.profiles[name]
	if !isOwn && !isShared {
		names := slices.Sorted(maps.Keys(user.profiles))
		names = append(names, slices.Sorted(maps.Keys(system.profiles))...)
		return nil, noProfile(source, name, slices.Compact(names))
	}
	if !isOwn && source == system.path {
		return []layer{user.top, shared, system.top}, nil
	}
	return []layer{own, shared, user.top, system.top}, nil
}

// noProfile is the error for a name that no profile has.
func noProfile(source, name string, known []string) *Error {
	e := refuse("%s: there is no profile %q", source, name)
	if len(known) == 0 {
		return e.hint("logiqc config add %s --store URL", name)
	}
	return e.hint("profiles: %s", strings.Join(known, ", "))
}

// merge lays flags over the environment over the layers over the defaults.
// viper counts an empty variable as not set.
func merge(flags Flags, paths Paths, layers []layer) *viper.Viper {
	v := viper.New()
	defaults := strings.NewReplacer(dataFolder, paths.Data, configFolder, paths.Config)
	for _, k := range table {
		v.SetDefault(k.Name, defaults.Replace(k.Default))
		_ = v.BindEnv(append([]string{k.Name}, k.variables()...)...) // fails for no name only
	}
	for _, l := range slices.Backward(layers) {
		_ = v.MergeConfigMap(maps.Clone(l.values)) // fails for a missing file only
	}
	for name, value := range flags {
		v.Set(name, value)
	}
	return v
}

// origin answers where a value came from, by the order in which merge lays
// the layers; the highest comes first in layers.
type origin struct {
	flags  Flags
	layers []layer
}

func (o origin) source(name string) string {
	k, _ := find(name)
	if _, ok := o.flags[name]; ok {
		return "flag " + k.Flag()
	}
	for _, variable := range k.variables() {
		if os.Getenv(variable) != "" {
			return "environment " + variable
		}
	}
	for _, l := range o.layers {
		if l.has(name) {
			return l.source
		}
	}
	return defaultSource
}

// settle checks every value and gives it its type.
func settle(v *viper.Viper, o origin, paths Paths) (*Settings, error) {
	s := &Settings{sources: map[string]string{}}
	for name := range o.flags {
		if k, ok := find(name); !ok || k.EnvOnly {
			return nil, refuse("--%s is not a global flag", name)
		}
	}
	for _, k := range table {
		source := o.source(k.Name)
		s.sources[k.Name] = source
		var err error
		if source == defaultSource {
			err = setDefault(s, k, v.GetString(k.Name), paths)
		} else {
			err = in(source, k.set(s, k.plain(v.GetString(k.Name), source), fromHere))
		}
		if err != nil {
			return nil, err
		}
	}
	if s.Store.HasPassword() && s.sources["store"] == "flag --store" {
		return nil, refuse("flag --store: other users of this machine can read a password there").
			hint("use LOGIQC_STORE, PGPASSFILE or a profile in the config file")
	}
	return s, nil
}

// setDefault leaves empty what has no default, or one in a folder that cannot
// be told.
func setDefault(s *Settings, k Key, value string, paths Paths) error {
	homeless := (paths.Data == "" && strings.Contains(k.Default, dataFolder)) ||
		(paths.Config == "" && strings.Contains(k.Default, configFolder))
	if homeless || value == "" {
		return nil
	}
	return k.set(s, value, fromHere)
}

// plain reads a variable that is not ours to define: anything but a plain no
// means yes. Other values stay as they are.
func (k Key) plain(value, source string) string {
	if k.also == "" || source != "environment "+k.also {
		return value
	}
	on, err := parseSwitch(value)
	return strconv.FormatBool(on || err != nil)
}

// Source is where the value of a key came from: "flag --store", "environment
// LOGIQC_STORE", "/…/config.yaml profile stmary", "/…/config.yaml" or "default".
func (s *Settings) Source(name string) string { return s.sources[name] }

// StoreProfile is the profile that named the store, or "" when a flag, a
// variable, the top of a file or the default did: the name to show beside an
// account, which must not be that of another store.
func (s *Settings) StoreProfile() string {
	if s.Profile != "" && strings.HasSuffix(s.sources["store"], " profile "+s.Profile) {
		return s.Profile
	}
	return ""
}

// Bearer returns the token to act with and true, or false when none is set: a
// typed --token-file first, then LOGIQC_TOKEN, then a token file set elsewhere.
// The file is read only now.
func (s *Settings) Bearer() (Secret, bool, error) {
	typed := s.sources["token-file"] == "flag --token-file"
	if s.Token != "" && !typed {
		return s.Token, true, nil
	}
	if s.TokenFile == "" {
		return "", false, nil
	}
	token, err := ReadTokenFile(s.TokenFile)
	return token, err == nil, err
}

// Setting is one line of `config view`.
type Setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"` // passwords masked, a token redacted
	Source string `json:"source"`
}

// View lists every setting with its value and source, in the order of [Keys].
func (s *Settings) View() []Setting {
	view := make([]Setting, 0, len(table))
	for _, k := range table {
		view = append(view, Setting{k.Name, k.show(s), s.sources[k.Name]})
	}
	return view
}
