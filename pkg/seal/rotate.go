package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// ErrCurrent means that a key is the one that seals, so it cannot be removed.
var ErrCurrent = errors.New("is the key that seals")

// KeyID tells the keys of a keyset apart. It is no secret: every sealed value
// begins with it.
type KeyID uint32

// String is the id as people see it, "seal+" and eight hex digits.
func (id KeyID) String() string { return fmt.Sprintf("seal+%08x", uint32(id)) }

// Keys returns the ids of the keys in dir, the one that seals first. Errors
// are those of [Open].
func Keys(dir string) ([]KeyID, error) {
	handle, err := open(dir)
	if err != nil {
		return nil, err
	}
	var ids []KeyID
	for i := range handle.Len() {
		entry, err := handle.Entry(i)
		if err != nil {
			return nil, fmt.Errorf("read keyset: %w", err)
		}
		if id := KeyID(entry.KeyID()); entry.IsPrimary() {
			ids = append([]KeyID{id}, ids...)
		} else {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// KeyOf returns the key that a value was sealed with, or [ErrSealed] when it
// is no sealed value. The value is not opened.
func KeyOf(sealed string) (KeyID, error) {
	raw, err := sealedEncoding.DecodeString(sealed)
	if err != nil || len(raw) < 5 || raw[0] != 1 { // Tink's prefix: a version and the key's id
		return 0, ErrSealed
	}
	return KeyID(binary.BigEndian.Uint32(raw[1:])), nil
}

// Add prepares a keyset with a new key, which seals from then on; the older
// ones still open. Nothing is written before commit is called.
func Add(dir string) (id KeyID, commit func() error, err error) {
	handle, err := open(dir)
	if err != nil {
		return 0, nil, err
	}
	manager := keyset.NewManagerFromHandle(handle)
	added, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err == nil {
		err = manager.SetPrimary(added)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("make key: %w", err)
	}
	commit, err = replacing(dir, manager)
	return KeyID(added), commit, err
}

// Remove prepares a keyset without a key: what was sealed with it can then
// never be opened again. [ErrCurrent] for the key that seals, [ErrMissing] for
// one that is not there. Nothing is written before commit is called.
func Remove(dir string, id KeyID) (commit func() error, err error) {
	ids, err := Keys(dir)
	if err != nil {
		return nil, err
	}
	if ids[0] == id {
		return nil, fmt.Errorf("%s %w", id, ErrCurrent)
	}
	handle, err := open(dir)
	if err != nil {
		return nil, err
	}
	manager := keyset.NewManagerFromHandle(handle)
	if err := manager.Delete(uint32(id)); err != nil {
		return nil, fmt.Errorf("%s is %w", id, ErrMissing)
	}
	return replacing(dir, manager)
}

// replacing returns what puts the manager's keyset in the place of dir's.
func replacing(dir string, manager *keyset.Manager) (commit func() error, err error) {
	handle, err := manager.Handle()
	if err != nil {
		return nil, fmt.Errorf("make keyset: %w", err)
	}
	file, err := encode(handle)
	if err != nil {
		return nil, err
	}
	return func() error { return ReplaceFile(filepath.Join(dir, File), file) }, nil
}
