package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds what is read from a config or token file, in bytes.
const maxFile = 1 << 20

// A layer is the settings that stand in one place.
type layer struct {
	source string         // as `config view` names the place
	values map[string]any // strings by key name; any because viper wants it
}

func newLayer(source string) layer { return layer{source: source, values: map[string]any{}} }

// has tells whether the layer names the setting.
func (l layer) has(name string) bool { _, ok := l.values[name]; return ok }

// file is a config file that was read and found sound.
type file struct {
	path     string
	top      layer
	profiles map[string]layer
	password bool // some store's address in it holds one
}

func newFile(path string) *file {
	return &file{path: path, top: newLayer(path), profiles: map[string]layer{}}
}

// readFiles reads the user's and the machine's config file.
func readFiles(paths Paths) (user, system *file, err error) {
	if user, err = readFile(paths.File(), 0o077); err != nil {
		return nil, nil, err
	}
	// The machine's file may be shared with a group of operators.
	system, err = readFile(paths.System, 0o007)
	return user, system, err
}

// readFile reads a config file; a missing one is an empty one, and so is the
// path "". The mode bits in loose are refused on a file that holds a password.
func readFile(path string, loose fs.FileMode) (*file, error) {
	f := newFile(path)
	if path == "" {
		return f, nil
	}
	data, mode, err := readRegular(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, in("config file", err)
	}
	if err := f.parse(data); err != nil {
		return nil, err
	}
	if f.password && runtime.GOOS != "windows" && mode&loose != 0 {
		return nil, refuse("%s holds a password and others can read it", path).hint("chmod %o %s", mode&^loose, shellWord(path))
	}
	return f, nil
}

// readRegular reads a whole file of at most maxFile bytes. A pipe or device is
// refused before it is opened: opening one can wait for ever.
func readRegular(path string) (data []byte, mode fs.FileMode, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, unreadable(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, refuse("%s is not a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, unreadable(path, err)
	}
	defer func() { _ = f.Close() }()
	// Asked again of what was opened: the name may mean another file by now.
	if info, err = f.Stat(); err != nil {
		return nil, 0, unreadable(path, err)
	}
	data, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, 0, unreadable(path, err)
	}
	if len(data) > maxFile {
		return nil, 0, refuse("%s is longer than %d bytes", path, maxFile)
	}
	return data, info.Mode().Perm(), nil
}

// unreadable says in one sentence that a file cannot be read, and why.
func unreadable(path string, err error) error {
	err = bare(err)
	return &Error{Message: fmt.Sprintf("cannot read %s: %v", path, err), cause: err}
}

// parse reads the YAML text into the top layer and the profiles.
func (f *file) parse(data []byte) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return refuse("%s: %s", f.path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return refuse("%s: only one YAML document is read", f.path)
	}
	root := doc.Content[0]
	if root.Tag == "!!null" {
		return nil
	}
	return f.pairs(root, "the file", func(key, value *yaml.Node) error {
		if key.Value == "profiles" {
			return f.readProfiles(value)
		}
		return f.setting(f.top, key, value)
	})
}

func (f *file) readProfiles(node *yaml.Node) error {
	if node.Tag == "!!null" {
		return nil
	}
	return f.pairs(node, "profiles", func(name, body *yaml.Node) error {
		if err := checkProfileName(name.Value); err != nil {
			return in(f.at(name), err)
		}
		l := newLayer(f.path + " profile " + name.Value)
		f.profiles[name.Value] = l
		return f.pairs(body, "profile "+name.Value, func(key, value *yaml.Node) error {
			if key.Value == "profile" || key.Value == "profiles" {
				return refuse("%s: %s does not belong in a profile", f.at(key), key.Value)
			}
			return f.setting(l, key, value)
		})
	})
}

// pairs calls each for every key and value of a mapping that names no key twice.
func (f *file) pairs(node *yaml.Node, what string, each func(key, value *yaml.Node) error) error {
	if node.Kind != yaml.MappingNode {
		return refuse("%s: %s should hold lines of the form key: value", f.at(node), what)
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if line, ok := seen[key.Value]; ok {
			return refuse("%s: %s is set twice, first on line %d", f.at(key), key.Value, line)
		}
		seen[key.Value] = key.Line
		if err := each(key, node.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// setting checks one key and its value and puts it into the layer.
func (f *file) setting(l layer, key, value *yaml.Node) error {
	k, ok := find(key.Value)
	switch {
	case !ok:
		return refuse("%s: unknown key %q", f.at(key), key.Value).hint("%s", nearest(key.Value))
	case k.EnvOnly:
		return refuse("%s: %s does not belong in a config file", f.at(key), k.Name).hint("write it to a file of its own, mode 600, and set token-file")
	case value.Kind != yaml.ScalarNode || value.Tag == "!!null":
		return refuse("%s: %s needs one plain value", f.at(value), k.Name)
	}
	var s Settings
	if err := k.set(&s, value.Value, fromFile); err != nil {
		return in(f.at(value)+": "+k.Name, err)
	}
	f.password = f.password || s.Store.HasPassword()
	l.values[k.Name] = value.Value
	return nil
}

// at names a place in the file as compilers do.
func (f *file) at(node *yaml.Node) string { return fmt.Sprintf("%s:%d", f.path, node.Line) }

// nearest is the hint for an unknown key.
func nearest(name string) string {
	dashed := strings.ReplaceAll(strings.ToLower(name), "_", "-")
	if k, ok := find(dashed); ok && !k.EnvOnly {
		return "write it as " + k.Name
	}
	var names []string
	for _, k := range table {
		if !k.EnvOnly {
			names = append(names, k.Name)
		}
	}
	slices.Sort(names)
	return "the keys are " + strings.Join(names, ", ") + " and profiles"
}

var profileName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
})

// checkProfileName refuses what could not be told from a flag or a path.
func checkProfileName(name string) error {
	if profileName().MatchString(name) {
		return nil
	}
	return refuse("%q is no name for a profile: up to 64 of a-z A-Z 0-9 . _ -, the first a letter or digit", name)
}
