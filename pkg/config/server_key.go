package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"path/filepath"
)

// ServerKeyFile is where a server that certifies itself keeps its key, so that
// its pin stays the same.
type ServerKeyFile struct{ Path string }

// ServerKey is the file for the server of a store, beside the saved sessions.
// Nothing is opened.
func ServerKey(paths Paths, store Store) ServerKeyFile {
	sum := sha256.Sum256([]byte(store.Canonical()))
	return ServerKeyFile{under(paths.State, "serve-"+hex.EncodeToString(sum[:16])+".pem")}
}

// Load returns the key and true, or false when there is none. A link, and a
// file or folder that others may use, are each an [*Error].
func (f ServerKeyFile) Load() (Secret, bool, error) {
	if f.Path == "" {
		return "", false, nil
	}
	data, err := SessionFile{Path: f.Path}.read()
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, in("key of the server", err)
	}
	return Secret(data), true, nil
}

// Keep keeps a key that was just made, and returns the one that counts: that of
// another server, if it was kept first. The folder is made 0700 where it is
// missing and refused with the chmod line where it is looser.
func (f ServerKeyFile) Keep(key Secret) (Secret, error) {
	if f.Path == "" {
		return "", refuse("no home folder is known, so the server's key cannot be kept").hint("set XDG_STATE_HOME, or give --tls-cert and --tls-key")
	}
	if err := privateFolder(filepath.Dir(f.Path)); err != nil {
		return "", in("sessions folder", err)
	}
	err := createPrivate(f.Path, []byte(key.Reveal()))
	if errors.Is(err, fs.ErrExist) {
		key, _, err = f.Load()
	}
	return key, err
}
