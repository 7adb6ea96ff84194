package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Profile is a set of settings by key name, as it stands in a config file.
type Profile map[string]string

// AddProfile writes a new profile into the config file at path, which is made
// when missing; use makes it the current one. Paths in it are made whole. A
// taken name is [ErrProfileExists]; comments and other profiles stay.
func AddProfile(path, name string, p Profile, use bool) error {
	if err := checkProfileName(name); err != nil {
		return err
	}
	body := mapping()
	for _, k := range table {
		value, ok := p[k.Name]
		if !ok {
			continue
		}
		value, err := k.forFile(value)
		if err != nil {
			return in(k.Name, err)
		}
		set(body, k.Name, scalar(value))
	}
	if len(body.Content) != 2*len(p) {
		return refuse("a profile holds settings only")
	}
	return edit(path, func(root *yaml.Node) error {
		profiles := get(root, "profiles")
		if profiles == nil || profiles.Kind != yaml.MappingNode {
			profiles = mapping()
			set(root, "profiles", profiles)
		}
		if get(profiles, name) != nil {
			e := refuse("%s has a profile %q already", path, name).hint("change it in the file, or take another name")
			e.cause = ErrProfileExists
			return e
		}
		set(profiles, name, body)
		if use {
			set(root, "profile", scalar(name))
		}
		return nil
	})
}

// UseProfile makes the named profile of the files in paths the current one, by
// the user's file. An unknown name is an [*Error].
func UseProfile(paths Paths, name string) error {
	user, system, err := readFiles(paths)
	if err != nil {
		return err
	}
	if _, err := withProfile(name, "config use", user, system); err != nil {
		return err
	}
	return edit(paths.File(), func(root *yaml.Node) error {
		set(root, "profile", scalar(name))
		return nil
	})
}

// ProfileNames lists the profiles of the files in paths, none where these
// cannot be read.
func ProfileNames(paths Paths) []string {
	user, system, err := readFiles(paths)
	if err != nil {
		return nil
	}
	names := slices.Collect(maps.Keys(user.profiles))
	names = slices.AppendSeq(names, maps.Keys(system.profiles))
	slices.Sort(names)
	return slices.Compact(names)
}

// forFile checks a value and answers with what a config file should hold: a
// local path is written whole.
func (k Key) forFile(value string) (string, error) {
	if k.EnvOnly || k.Name == "profile" {
		return "", refuse("does not belong in a profile")
	}
	var s Settings
	if err := k.set(&s, value, fromHere); err != nil {
		return "", err
	}
	if s.Store.URL != "" {
		return value, nil // its password and all: the file is the place for it
	}
	return k.show(&s), nil
}

// edit changes the config file at path, whole or not at all. A file that has a
// mistake, or is a link, is left alone. Two edits at one moment do not mix, but
// the later one wins.
func edit(path string, change func(root *yaml.Node) error) error {
	if path == "" {
		return refuse("no home folder is known, so there is no config file").hint("set XDG_CONFIG_HOME")
	}
	if err := notLink(path); err != nil {
		return in("config file", err)
	}
	data, _, err := readRegular(path)
	if err == nil {
		err = newFile(path).parse(data)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	out, err := rewrite(data, change)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the config folder: %w", err)
	}
	return writePrivate(path, out)
}

// rewrite applies change to the mapping in the YAML text.
func rewrite(data []byte, change func(root *yaml.Node) error) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("read the config file again: %w", err)
	}
	var out bytes.Buffer
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		// No setting yet, and no node holds the comments of such a file.
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") {
				out.WriteString(line + "\n")
			}
		}
		doc = yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{mapping()}}
	}
	if err := change(doc.Content[0]); err != nil {
		return nil, err
	}
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(&doc), encoder.Close()); err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	return out.Bytes(), nil
}

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"} }

// scalar is a text; the encoder quotes what would otherwise read as a number.
func scalar(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}

// get returns the value of a key in a mapping, or nil.
func get(node *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

// set puts a value at a key of a mapping, in place of the old one, whose
// comments it keeps.
func set(node *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			old := node.Content[i+1]
			value.HeadComment, value.LineComment, value.FootComment = old.HeadComment, old.LineComment, old.FootComment
			node.Content[i+1] = value
			return
		}
	}
	node.Content = append(node.Content, scalar(key), value)
}
