// Package seal keeps secrets at rest: it encrypts them under a key that lives
// in a file apart from the store.
//
// A [Box] is opened from a folder that holds seal.json, a Tink keyset of
// AES-256-GCM keys. The keyset is not encrypted: its file is the boundary,
// readable by its owner and nobody else, and out of the store, its backups,
// arguments and environment (ASVS 13.3.1, 11.3.3). Every sealed value is
// bound to where it belongs by associated data, so that it cannot be moved
// from one account to another.
//
// A keyset holds several keys, of which one seals and all open; that is the
// room for rotation.
//
// [WriteFile], [ReadFile] and [CheckMode] are the rules of key files in
// general.
package seal

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// What can be told apart with errors.Is.
var (
	// ErrLooseMode: others than its owner can use a key file or its folder.
	ErrLooseMode = errors.New("too open")
	// ErrMissing: there is no such key file or folder.
	ErrMissing = errors.New("missing")
	// ErrExists: a file of that name is there and stays as it is.
	ErrExists = errors.New("already exists")
	// ErrSealed: a sealed value was altered or moved to another place, or the
	// key it was sealed with is missing. Which of them cannot be known.
	ErrSealed = errors.New("sealed value was altered or moved, or its key is missing")
)

// File is the name of the keyset in its folder.
const File = "seal.json"

// Box seals and opens secrets. It prints as "[redacted]", and is safe for use
// by several goroutines.
type Box struct {
	// A function, since fmt walks into other types' unexported fields without
	// asking for their methods, but not into functions.
	keys func() tink.AEAD
}

// Create makes dir (0700) where it is missing and writes a new keyset to
// seal.json (0600) in it, whole or not at all, also in a crash. It refuses
// with [ErrExists] if there is a seal.json already, and with [ErrLooseMode]
// if dir is open to others.
func Create(dir string) error {
	if err := makeDir(dir); err != nil {
		return fmt.Errorf("make key folder: %w", err)
	}
	if err := CheckMode(dir, 0o700); err != nil {
		return err
	}
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	file, err := encode(handle)
	if err != nil {
		return err
	}
	return WriteFile(filepath.Join(dir, File), file)
}

// encode is a keyset as seal.json holds it.
func encode(handle *keyset.Handle) ([]byte, error) {
	var file bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&file)); err != nil {
		return nil, fmt.Errorf("write keyset: %w", err)
	}
	return file.Bytes(), nil
}

// Open reads seal.json in dir. It refuses with [ErrMissing] if that or dir is
// not there; with [ErrLooseMode] and the chmod line if others than the owner
// can use dir or the file; and if seal.json is a symbolic link or no keyset
// for sealing. No error repeats what is in the file.
func Open(dir string) (*Box, error) {
	handle, err := open(dir)
	if err != nil {
		return nil, err
	}
	keys, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("%s has no usable key for sealing", filepath.Join(dir, File))
	}
	return &Box{keys: func() tink.AEAD { return keys }}, nil
}

// open reads the keyset in dir.
func open(dir string) (*keyset.Handle, error) {
	if err := CheckMode(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, File)
	data, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	// Parsers quote what they refuse, which here would be key material.
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(data)))
	if err != nil {
		return nil, fmt.Errorf("%s is not a readable keyset", path)
	}
	return handle, nil
}

var sealedEncoding = base64.RawURLEncoding.Strict()

// Seal encrypts plaintext under the primary key, bound to ad (see
// [AssociatedData]), and returns it as unpadded base64url text. The same
// plaintext never gives the same text twice.
func (b *Box) Seal(plaintext []byte, ad string) (string, error) {
	sealed, err := b.keys().Encrypt(plaintext, []byte(ad))
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	return sealedEncoding.EncodeToString(sealed), nil
}

// Open returns the plaintext of what [Box.Seal] returned for the same ad, by
// whichever key of the keyset it was sealed, or [ErrSealed].
func (b *Box) Open(sealed, ad string) ([]byte, error) {
	// The base64 decoder skips line breaks; added ones are an alteration too.
	if strings.ContainsAny(sealed, "\r\n") {
		return nil, ErrSealed
	}
	ciphertext, err := sealedEncoding.DecodeString(sealed)
	if err != nil {
		return nil, ErrSealed
	}
	plaintext, err := b.keys().Decrypt(ciphertext, []byte(ad))
	if err != nil {
		return nil, ErrSealed
	}
	return plaintext, nil
}

// AssociatedData names the one place a sealed setup key belongs:
// "logiqc/totp/v1|store-id|user-id|enrolment-id". Ids contain no '|'. The
// form is part of every sealed value and cannot change.
func AssociatedData(storeID, userID, enrolmentID string) string {
	return strings.Join([]string{"logiqc/totp/v1", storeID, userID, enrolmentID}, "|")
}

const redactedText = "[redacted]"

// String returns "[redacted]".
func (Box) String() string { return redactedText }

// GoString returns "[redacted]".
func (Box) GoString() string { return redactedText }

// Format writes "[redacted]" whatever the verb and flags.
func (Box) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redactedText) }

// MarshalText returns "[redacted]"; there is no way back.
func (Box) MarshalText() ([]byte, error) { return []byte(redactedText), nil }

// LogValue makes slog handlers log "[redacted]".
func (Box) LogValue() slog.Value { return slog.StringValue(redactedText) }
