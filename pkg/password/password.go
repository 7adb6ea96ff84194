// Package password hashes passwords with argon2id and verifies them, and
// takes the same time over an account that does not exist.
//
// Hashes are PHC strings ("$argon2id$v=19$m=19456,t=2,p=1$salt$key"). Hashes
// of other systems, argon2id or bcrypt, verify too and are reported as
// [Result.Weak] so that the caller replaces them. Passwords are brought into
// Unicode form NFKC first, as NIST SP 800-63B section 3.1.1.2 suggests: the
// same password typed on another keyboard is the same password.
package password

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/text/unicode/norm"
)

// What new passwords must satisfy; see [CheckNew].
const (
	minCharacters = 8
	maxBytes      = 1024
)

// decoy is verified where there is no hash to verify. Its key is all zeros:
// no password is known to give it, and its result is thrown away anyhow.
var decoy = parameters{
	memory: memoryKiB, passes: passes, lanes: lanes,
	salt: make([]byte, saltBytes), key: make([]byte, keyBytes),
}

// slots bounds the computations under way: each needs a core and, for our own
// hashes, 19 MiB. More at once would only make all of them late.
var slots = make(chan struct{}, runtime.GOMAXPROCS(0))

// Hash returns the argon2id PHC string of password under a fresh salt from
// rand, with OWASP's parameters (19 MiB, 2 passes, 1 lane, 16-byte salt,
// 32-byte key). It fails when rand does. Whether password is fit for use is
// [CheckNew]'s to say.
func Hash(rand io.Reader, password string) (string, error) {
	p := decoy
	p.salt = make([]byte, saltBytes)
	if _, err := io.ReadFull(rand, p.salt); err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	p.key = p.derive(norm.NFKC.String(password))
	return p.String(), nil
}

// Result says what [Verify] found.
type Result struct {
	// OK: the password is right.
	OK bool
	// Weak: it is right, but stored with weaker parameters than ours, as
	// bcrypt, or without normalisation: hash it again.
	Weak bool
}

// Verify compares password with a stored hash, an argon2id PHC string or
// bcrypt, in constant time. A hash that is neither (the empty one of an
// account without password, say) or outside the bounds of [CheckHash] is
// never OK, and neither is a password of more than 1,024 bytes; the same work
// is done for them. It waits while GOMAXPROCS others compute.
//
// A foreign hash takes the time its own parameters ask for, until a right
// password replaces it.
func Verify(phc, password string) Result {
	if len(password) > maxBytes {
		VerifyNone("")
		return Result{}
	}
	stored, err := parse(phc)
	if err != nil {
		VerifyNone(password)
		return Result{}
	}
	return verify(stored, password)
}

// VerifyNone does the work of [Verify] for an account that does not exist, so
// that the answer takes as long (ASVS 6.3.8).
func VerifyNone(password string) {
	if len(password) > maxBytes {
		password = ""
	}
	verify(decoy, password)
}

// verify tries the normalised password and, where it differs, the password
// as typed, since other systems hash what they get. Both are always tried.
func verify(stored hashed, password string) Result {
	normalised := norm.NFKC.String(password)
	result := Result{OK: stored.matches(normalised), Weak: stored.weak()}
	if password != normalised && stored.matches(password) {
		result = Result{OK: true, Weak: true}
	}
	result.Weak = result.Weak && result.OK
	return result
}

// CheckHash says why phc cannot be imported, or nil: it must be argon2id,
// version 19, with at most 1 GiB, 16 passes, 16 lanes, a salt of 8 to 64
// bytes and a key of 16 to 64; or bcrypt ($2a$, $2b$, $2y$) of cost 4 to 16.
// The bounds keep one row of a file from stopping the machine. The error does
// not repeat the hash.
func CheckHash(phc string) error {
	_, err := parse(phc)
	return err
}

// CheckNew says why password cannot be chosen, or nil. It must be valid UTF-8
// without NUL, at least 8 characters and at most 1,024 bytes; there are no
// rules of composition (NIST SP 800-63B section 3.1.1.2, ASVS 6.2.1, 6.2.5).
// Characters are Unicode code points, counted as typed and as normalised, and
// the smaller number counts: one ligature is not eighteen characters.
func CheckNew(password string) error {
	switch {
	case len(password) > maxBytes:
		return fmt.Errorf("password is longer than %d bytes", maxBytes)
	case !utf8.ValidString(password):
		return errors.New("password is not valid UTF-8 text")
	case strings.ContainsRune(password, 0):
		return errors.New("password contains a NUL character")
	}
	normalised := norm.NFKC.String(password)
	if min(utf8.RuneCountInString(password), utf8.RuneCountInString(normalised)) < minCharacters {
		return fmt.Errorf("password is too short: it needs %d characters or more", minCharacters)
	}
	return nil
}

// Digest returns the SHA-256 of a PHC string in hex: what an event records so
// that a hash changed behind its back shows, without the hash itself.
func Digest(phc string) string {
	sum := sha256.Sum256([]byte(phc))
	return hex.EncodeToString(sum[:])
}

// hashed is a stored hash that has been parsed.
type hashed interface {
	matches(password string) bool
	weak() bool
}

func (p parameters) matches(password string) bool {
	return subtle.ConstantTimeCompare(p.derive(password), p.key) == 1
}

func (p parameters) weak() bool {
	return p.memory < memoryKiB || p.passes < passes || len(p.salt) < saltBytes || len(p.key) < keyBytes
}

// derive computes the argon2id key for p's salt, cost and key length.
func (p parameters) derive(password string) []byte {
	slots <- struct{}{}
	defer func() { <-slots }()
	return argon2.IDKey([]byte(password), p.salt, p.passes, p.memory, p.lanes, uint32(len(p.key)))
}

func (h bcryptHash) matches(password string) bool {
	slots <- struct{}{}
	defer func() { <-slots }()
	return bcrypt.CompareHashAndPassword([]byte(h), []byte(password)) == nil
}

func (bcryptHash) weak() bool { return true }
