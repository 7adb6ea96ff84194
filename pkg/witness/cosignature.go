package witness

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// algorithm is the signature type of cosignature/v1 in a verifier line.
const algorithm = 4

// ErrKey says that a line is no verifier line of a witness.
var ErrKey = errors.New("not the key of a witness")

// Verifier checks the cosignatures of one witness. It is a [note.Verifier].
type Verifier struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

// NewVerifier reads a witness's verifier line, NAME+HASH+KEY of C2SP
// signed-note with the type of cosignature/v1. [ErrKey] for any other,
// the line of a log among them.
func NewVerifier(line string) (*Verifier, error) {
	name, rest, _ := strings.Cut(line, "+")
	hash, encoded, _ := strings.Cut(rest, "+")
	want, err := strconv.ParseUint(hash, 16, 32)
	key, err2 := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || err2 != nil || len(hash) != 8 || strings.ContainsAny(encoded, "\r\n") || !validName(name) ||
		len(key) != 1+ed25519.PublicKeySize || key[0] != algorithm {
		return nil, fmt.Errorf("%q: %w", line, ErrKey)
	}
	sum := sha256.Sum256(append([]byte(name+"\n"), key...))
	if binary.BigEndian.Uint32(sum[:]) != uint32(want) {
		return nil, fmt.Errorf("%q: its hash is not that of its key: %w", line, ErrKey)
	}
	return &Verifier{name: name, hash: uint32(want), key: key[1:]}, nil
}

func validName(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsSpace) && !strings.Contains(name, "+")
}

// Name is the name of the witness.
func (v *Verifier) Name() string { return v.name }

// KeyHash identifies the key.
func (v *Verifier) KeyHash() uint32 { return v.hash }

// Verify checks a cosignature of a checkpoint's text.
func (v *Verifier) Verify(text, sig []byte) bool {
	at, raw, ok := split(sig)
	return ok && ed25519.Verify(v.key, signed(at, text), raw)
}

// split takes a cosignature apart: eight bytes of seconds since 1970, and what
// was made with the key.
func split(sig []byte) (at uint64, raw []byte, ok bool) {
	if len(sig) != 8+ed25519.SignatureSize {
		return 0, nil, false
	}
	at = binary.BigEndian.Uint64(sig)
	return at, sig[8:], at <= math.MaxInt64
}

// signed is what a witness signs.
func signed(at uint64, text []byte) []byte {
	return append(fmt.Appendf(nil, "cosignature/v1\ntime %d\n", at), text...)
}

// Cosigned is a checkpoint that a witness signed.
type Cosigned struct {
	// Text is the signed text of the checkpoint.
	Text string
	// At is when the witness says that it signed: it had seen the log grow to
	// this not later than then.
	At time.Time
}

// Open checks that the witness cosigned a note. It does not look at the
// signatures of others, the log's own among them.
func Open(msg []byte, v *Verifier) (c Cosigned, err error) {
	n, err := note.Open(msg, note.VerifierList(v))
	if err != nil {
		return c, fmt.Errorf("no cosignature of %s: %w", v.name, err)
	}
	for _, sig := range n.Sigs {
		// The library has checked these bytes, four of hash before the rest.
		raw, err := base64.StdEncoding.DecodeString(sig.Base64)
		if err != nil || len(raw) < 4 {
			continue
		}
		if at, _, ok := split(raw[4:]); ok {
			return Cosigned{Text: n.Text, At: time.Unix(int64(at), 0).UTC()}, nil
		}
	}
	return c, fmt.Errorf("no cosignature of %s", v.name)
}

// Merge gives the first note with the signatures of all others that are of the
// same text, each once; a note of another text adds nothing.
func Merge(first string, others ...string) string {
	text, _, found := strings.Cut(first, "\n\n")
	if !found {
		return first
	}
	for _, other := range others {
		otherText, signatures, _ := strings.Cut(other, "\n\n")
		if otherText != text {
			continue
		}
		for line := range strings.Lines(signatures) {
			if !strings.Contains(first, "\n"+line) {
				first += line
			}
		}
	}
	return first
}
