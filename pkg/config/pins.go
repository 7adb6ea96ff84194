package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// PinFile is where the verifier keys of a store's log are kept once they have
// been used, so that others are noticed later.
type PinFile struct {
	Path string
	Log  string // the store's id
}

// pinned is the content of a pin file.
type pinned struct {
	Log  string   `json:"log"`
	Keys []string `json:"keys"`
}

// Pin is the pin file of the log of the store with that id, beside the saved
// sessions. Nothing is opened.
func Pin(paths Paths, storeID string) PinFile {
	sum := sha256.Sum256([]byte(storeID))
	return PinFile{Path: under(paths.State, "log-"+hex.EncodeToString(sum[:16])+".json"), Log: storeID}
}

// Save keeps the keys, in place of others. Without a state folder it does
// nothing. The folder is made 0700 where it is missing and refused with the
// chmod line where it is looser.
func (f PinFile) Save(keys []string) error {
	if f.Path == "" {
		return nil
	}
	if err := privateFolder(filepath.Dir(f.Path)); err != nil {
		return in("sessions folder", err)
	}
	data, err := json.Marshal(pinned{Log: f.Log, Keys: keys})
	if err != nil {
		return fmt.Errorf("keep the keys of the log: %w", err)
	}
	return writePrivate(f.Path, append(data, '\n'))
}

// Load returns the keys, nil when none are kept. A link, a file or folder that
// others may use, and a file that is not this log's are each an [*Error].
func (f PinFile) Load() ([]string, error) {
	if f.Path == "" {
		return nil, nil
	}
	data, err := SessionFile{Path: f.Path}.read()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, in("kept keys of the log", err)
	}
	var p pinned
	if json.Unmarshal(data, &p) != nil || len(p.Keys) == 0 || p.Log != f.Log {
		return nil, refuse("kept keys of the log: %s is not readable", f.Path).hint("rm %s, and give --key", shellWord(f.Path))
	}
	return p.Keys, nil
}
