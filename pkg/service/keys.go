package service

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
)

// The files in a store's folder of keys, beside seal.json.
const (
	signerFile   = "log.key"   // signing keys of the log, the current one first
	verifierFile = "log.vkey"  // their verifiers, in the same order
	stateFile    = "log.state" // the last checkpoint signed with them; see Keys.stateFile
)

// Keys are the keys of one store, in a folder apart from it. Nothing is read
// before it is needed.
type Keys struct{ dir string }

// KeyRing finds the keys of the store with that id.
type KeyRing func(storeID string) (Keys, error)

// KeysIn are the keys in a folder.
func KeysIn(dir string) Keys { return Keys{dir: dir} }

// CreateKeys makes the keys of a new store in a new folder, and returns them
// with the line that verifies the log's checkpoints.
func CreateKeys(dir, origin string) (k Keys, verifier string, err error) {
	k = KeysIn(dir)
	if err := seal.Create(dir); err != nil {
		return k, "", err
	}
	signer, verifier, err := ledger.GenerateKey(rand.Reader, origin)
	if err != nil {
		return k, "", err
	}
	for file, line := range map[string]string{signerFile: signer, verifierFile: verifier} {
		if err := seal.WriteFile(filepath.Join(dir, file), []byte(line+"\n")); err != nil {
			return k, "", err
		}
	}
	return k, verifier, nil
}

// box opens the keys that seal secrets.
func (k Keys) box() (*seal.Box, error) { return seal.Open(k.dir) }

// Verifiers are the lines that verify the log's checkpoints, the current key's
// first. It is seal.ErrMissing when there are none.
func (k Keys) Verifiers() ([]string, error) { return k.lines(verifierFile) }

// signers are the keys that sign checkpoints, the current one first.
func (k Keys) signers() ([]note.Signer, error) {
	lines, err := k.lines(signerFile)
	if err != nil {
		return nil, err
	}
	signers := make([]note.Signer, 0, len(lines))
	for _, line := range lines {
		s, err := note.NewSigner(line)
		if err != nil {
			return nil, fmt.Errorf("%s is damaged", filepath.Join(k.dir, signerFile)) // never the line itself
		}
		signers = append(signers, s)
	}
	return signers, nil
}

// signersOf are the keys that sign for the log called origin, the current one
// first. Integrity when there are keys and none of them does.
func (k Keys) signersOf(origin string) ([]note.Signer, error) {
	signers, err := k.signers()
	if err != nil {
		return nil, noKeys(err)
	}
	other := signers[0].Name()
	signers = slices.DeleteFunc(signers, func(s note.Signer) bool { return s.Name() != origin })
	if len(signers) == 0 {
		return nil, logiqc.Errorf(logiqc.Integrity, "these keys sign for %s, and this is the log of %s", other, origin)
	}
	return signers, nil
}

// verifiers are [Keys.Verifiers] ready for use.
func (k Keys) verifiers() ([]note.Verifier, error) {
	lines, err := k.Verifiers()
	if err != nil {
		return nil, err
	}
	return ParseVerifiers(lines...)
}

// ParseVerifiers reads verifier lines. Invalid for one that is none.
func ParseVerifiers(lines ...string) ([]note.Verifier, error) {
	verifiers := make([]note.Verifier, len(lines))
	for i, line := range lines {
		v, err := note.NewVerifier(line)
		if err != nil {
			return nil, logiqc.Errorf(logiqc.Invalid, "%q is no verifier key of a log", line).
				WithHint("it is one line, NAME+HASH+KEY: logiqc audit key")
		}
		verifiers[i] = v
	}
	return verifiers, nil
}

// stateFile holds the last checkpoint that was signed of the log called origin.
// A log that took over from another has a file of its own (log.state.2): the
// other's stays as the evidence that it is, and guards that log on.
func (k Keys) stateFile(origin string) string {
	path := filepath.Join(k.dir, stateFile)
	if n := ledger.OriginNumber(origin); n > 1 {
		path += "." + strconv.Itoa(n)
	}
	return path
}

// state is the last checkpoint that was signed of the log called origin;
// seal.ErrMissing when none was.
func (k Keys) state(origin string) ([]byte, error) { return seal.ReadFile(k.stateFile(origin)) }

func (k Keys) saveState(origin string, checkpoint []byte) error {
	return seal.ReplaceFile(k.stateFile(origin), checkpoint)
}

// linesOf are the verifier lines of one log among those of several.
func linesOf(origin string, lines []string) []string {
	own := []string{}
	for _, line := range lines {
		if name, _, _ := strings.Cut(line, "+"); name == origin {
			own = append(own, line)
		}
	}
	return own
}

// lines reads a file of keys, one a line.
func (k Keys) lines(file string) ([]string, error) {
	raw, err := seal.ReadFile(filepath.Join(k.dir, file))
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range bytes.Lines(raw) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			lines = append(lines, string(line))
		}
	}
	if len(lines) == 0 {
		return nil, errors.New(filepath.Join(k.dir, file) + " is empty")
	}
	return lines, nil
}

// change replaces a file of keys by what fn makes of its lines.
func (k Keys) change(file string, fn func(lines []string) []string) error {
	lines, err := k.lines(file)
	if err != nil {
		return err
	}
	changed := fn(slices.Clone(lines))
	if slices.Equal(changed, lines) {
		return nil
	}
	return seal.ReplaceFile(filepath.Join(k.dir, file), []byte(strings.Join(changed, "\n")+"\n"))
}

// prepend makes a line the first of a file of keys, if it is not that already.
func (k Keys) prepend(file, line string) error {
	return k.change(file, func(lines []string) []string {
		if lines[0] == line {
			return lines
		}
		return append([]string{line}, lines...)
	})
}
