package cmd

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
	"github.com/logiqc/logiqc/pkg/service"
)

// Where the keys came from that checkpoints are checked with.
const (
	keyFlag     = "flag"      // typed
	keyPinned   = "pinned"    // from the folder of keys, or kept since their first use
	keyFirstUse = "first_use" // none is known here yet
)

// logKeys are the keys that checkpoints are checked with, and so the one log
// that is meant: neither is ever taken from the log itself (CVE-2022-39199).
type logKeys struct {
	lines     []string
	verifiers []note.Verifier
	source    string
	proved    bool          // there must be a checkpoint: one has been proved with them before
	handed    []ledger.Head // of the log, where a key of it was learnt from a retired one
}

// typedKeys are the keys of --key. All must be of one log.
func typedKeys(lines []string) (k logKeys, err error) {
	k.lines, k.source = lines, keyFlag
	if k.verifiers, err = service.ParseVerifiers(lines...); err != nil {
		return k, err
	}
	for _, v := range k.verifiers {
		if v.Name() != k.verifiers[0].Name() {
			return k, logiqc.Errorf(logiqc.Usage, "--key was given for two logs, %s and %s", k.verifiers[0].Name(), v.Name())
		}
	}
	return k, nil
}

// origin is the log that the keys are for.
func (k logKeys) origin() string { return k.verifiers[0].Name() }

// keysFor are the keys to check a store's log with: those typed, else those of
// the folder of keys, else those kept since their first use, else none.
func (a *App) keysFor(typed []string, e logiqc.Evidence) (k logKeys, err error) {
	if len(typed) > 0 {
		return typedKeys(typed)
	}
	if k.lines, err = a.ownVerifiers(e); err != nil {
		return k, err
	}
	if len(k.lines) == 0 {
		pin, err := a.pin(e)
		if err == nil {
			k.lines, err = pin.Load()
		}
		k.proved = len(k.lines) > 0
		if err != nil {
			return k, err
		}
	}
	k.source = keyPinned
	if len(k.lines) == 0 {
		k.lines, k.source = e.Keys, keyFirstUse // what a server says of itself; kept from here on
	}
	if k.verifiers, err = service.ParseVerifiers(k.lines...); err == nil && k.source == keyPinned && len(k.verifiers) > 0 {
		err = k.follow(e.Handovers)
	}
	return k, err
}

// remote tells whether the store is behind a server, which says for itself
// which keys are its own.
func (a *App) remote() (bool, error) {
	s, err := a.Settings()
	return err == nil && (s.Store.Kind == config.HTTPS || s.Store.Kind == config.Unix), err
}

// ownVerifiers are the verifier lines of the caller's own folder of keys.
func (a *App) ownVerifiers(e logiqc.Evidence) ([]string, error) {
	remote, err := a.remote()
	if err != nil || !remote {
		return e.Keys, err
	}
	if filepath.Base(e.StoreID) != e.StoreID || !filepath.IsLocal(e.StoreID) {
		return nil, logiqc.Errorf(logiqc.Integrity, "%q is no id of a store", e.StoreID)
	}
	dir, err := a.keysDir(e.StoreID)
	if err != nil {
		return nil, nil //nolint:nilerr // a laptop need not have keys
	}
	lines, err := service.KeysIn(dir).Verifiers()
	if errors.Is(err, seal.ErrMissing) {
		err = nil
	}
	return lines, err
}

// pin is where the keys of the log are kept since their first use: for a
// server under its address, which it cannot choose.
func (a *App) pin(e logiqc.Evidence) (config.PinFile, error) {
	s, err := a.Settings()
	if err != nil {
		return config.PinFile{}, err
	}
	remote, err := a.remote()
	name := e.StoreID
	if remote {
		name = s.Store.Canonical()
	}
	return config.Pin(config.DefaultPaths(), name), err
}

// keepKeys keeps keys that have proved a checkpoint, for when the folder of
// keys is not at hand. Keys in it replace older ones. Typed ones do where the
// older ones have nothing to do with the checkpoint any more: of a key that was
// replaced without a word in the log, or a log under a new name.
func (a *App) keepKeys(k logKeys, e logiqc.Evidence) {
	pin, err := a.pin(e)
	var old []string
	if err == nil {
		old, err = pin.Load()
	}
	replaced := err == nil && len(old) > 0 && k.source == keyFlag && e.Last.Note != "" && !signed(e.Last.Note, old)
	lines := k.toKeep(e)
	if err == nil && (len(old) == 0 || k.source == keyPinned || replaced) && !slices.Equal(old, lines) {
		if err = pin.Save(lines); err == nil && replaced {
			a.IO().Notef("From now on this log is checked with the key you gave, in place of the one kept here before.")
		}
	}
	if err != nil {
		a.IO().Warnf("the keys of the log could not be kept: %v", err)
	}
}

// keptCheckpoint is a checkpoint that the log has to continue.
type keptCheckpoint struct {
	what string // "kept" by the caller, or "signed" here
	at   logiqc.Time
	head ledger.Head
}

// readCheckpoint opens a checkpoint that the caller kept in a file.
func readCheckpoint(path string, k logKeys) (c keptCheckpoint, err error) {
	if len(k.verifiers) == 0 {
		return c, logiqc.Errorf(logiqc.Usage, "a kept checkpoint can only be checked with the key of the log: give --key").
			WithHint("logiqc audit key prints it where the keys are")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return c, logiqc.Errorf(logiqc.Usage, "the kept checkpoint cannot be read: %w", err)
	}
	if info, err := os.Stat(path); err == nil {
		c.at = logiqc.At(info.ModTime())
	}
	c.what = "kept"
	c.head, err = ledger.OpenCheckpoint(raw, k.origin(), k.verifiers...)
	return c, err
}
