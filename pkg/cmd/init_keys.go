package cmd

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
	"github.com/logiqc/logiqc/pkg/service"
)

// newKeys are the keys of a store that is being made.
type newKeys struct {
	storeID, dir string
	origin, vkey string
}

// makeKeys makes the id of a store and its folder of keys in parent: seal.json,
// log.key and log.vkey. Nothing is left of them when it fails.
func makeKeys(parent, issuer string) (k newKeys, err error) {
	if parent == "" {
		return k, noKeysFolder()
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return k, logiqc.Errorf(logiqc.Unavailable, "the folder for keys cannot be made: %w", err)
	}
	if err := seal.CheckMode(parent, 0o700); err != nil {
		return k, keysRefused(err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return k, fmt.Errorf("make the id of the store: %w", err)
	}
	k = newKeys{storeID: id.String(), dir: filepath.Join(parent, id.String()), origin: ledger.Origin(issuer, id.String())}
	if _, k.vkey, err = service.CreateKeys(k.dir, k.origin); err != nil {
		k.discard()
		return k, keysRefused(err)
	}
	return k, nil
}

// discard removes the folder again, where no store came of it.
func (k *newKeys) discard() { _ = os.RemoveAll(k.dir) }

// keysRefused gives an error about key files its code.
func keysRefused(err error) error {
	return logiqc.Errorf(logiqc.Unavailable, "the keys cannot be made: %w", err)
}
