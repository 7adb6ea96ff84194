package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// SessionFile is where the session with one store is kept.
type SessionFile struct {
	Path  string
	Store string // the store's canonical address
}

// savedSession is the content of a session file.
type savedSession struct {
	Store string `json:"store"`
	Token string `json:"token"`
}

// Session is the session file of a store: one per canonical address, in the
// state folder of [Paths]. Nothing is opened.
func Session(paths Paths, store Store) SessionFile {
	canonical := store.Canonical()
	sum := sha256.Sum256([]byte(canonical))
	name := "session-" + hex.EncodeToString(sum[:16]) + ".json"
	return SessionFile{Path: under(paths.State, name), Store: canonical}
}

// Save keeps the token, in place of one that was there. The folder is made
// 0700 where it is missing and refused with the chmod line where it is looser.
func (f SessionFile) Save(token Secret) error {
	if f.Path == "" {
		return refuse("no home folder is known, so the session cannot be saved").hint("set XDG_STATE_HOME, or sign in with --no-save")
	}
	if err := privateFolder(filepath.Dir(f.Path)); err != nil {
		return in("sessions folder", err)
	}
	data, err := json.Marshal(savedSession{Store: f.Store, Token: token.Reveal()})
	if err != nil {
		return fmt.Errorf("save the session: %w", err)
	}
	return writePrivate(f.Path, append(data, '\n'))
}

// Load returns the saved token and true, or false when there is none. A link,
// a file or folder that others may use, and a file that is not this store's
// are each an [*Error].
func (f SessionFile) Load() (Secret, bool, error) {
	if f.Path == "" {
		return "", false, nil
	}
	data, err := f.read()
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, in("saved session", err)
	}
	var saved savedSession
	if json.Unmarshal(data, &saved) != nil || saved.Token == "" || saved.Store != f.Store {
		return "", false, refuse("saved session: %s is not the session of %s", f.Path, f.Store).
			hint("rm %s, then logiqc signin", shellWord(f.Path))
	}
	return Secret(saved.Token), true, nil
}

func (f SessionFile) read() ([]byte, error) {
	dir := filepath.Dir(f.Path)
	info, err := os.Stat(dir)
	if err != nil {
		return nil, unreadable(dir, err)
	}
	if err := private(dir, info.Mode()); err != nil {
		return nil, err
	}
	// Nobody else can put a link here after this: the folder is private.
	if err := notLink(f.Path); err != nil {
		return nil, err
	}
	data, mode, err := readRegular(f.Path)
	if err != nil {
		return nil, err
	}
	return data, private(f.Path, mode)
}

// Delete forgets the session; one that is not there is fine.
func (f SessionFile) Delete() error {
	if f.Path == "" {
		return nil
	}
	if err := os.Remove(f.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete the session: %w", err)
	}
	return nil
}

// CheckSessions looks at the folder of saved sessions and all that is in it: an
// [*Error] with the chmod line for the first that others may use. A folder that
// is not there is fine.
func CheckSessions(paths Paths) error {
	if paths.State == "" {
		return nil
	}
	info, err := os.Stat(paths.State)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unreadable(paths.State, err)
	}
	if err := private(paths.State, info.Mode()); err != nil {
		return err
	}
	files, err := os.ReadDir(paths.State)
	if err != nil {
		return unreadable(paths.State, err)
	}
	for _, f := range files {
		path := filepath.Join(paths.State, f.Name())
		if err := notLink(path); err != nil {
			return err
		}
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // it went meanwhile
		}
		if err != nil {
			return unreadable(path, err)
		}
		if err := private(path, info.Mode()); err != nil {
			return err
		}
	}
	return nil
}
