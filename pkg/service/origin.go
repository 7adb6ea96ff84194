package service

import (
	"crypto/rand"
	"errors"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
)

// newOrigin is a name for a log that takes over from one that cannot go on, and
// the key that signs for it; made once, whatever becomes of the transaction.
type newOrigin struct {
	origin, signer, verifier string
}

// startOrigin lets the store's log go on under a new name, with a key of its
// own: what was signed under the old name stays true of the old log and is
// never signed for again. The event says which log that was, as it was signed
// last. The old keys, and the checkpoint beside them, are kept.
func (t *txn) startOrigin(made *newOrigin) error {
	info, keys, err := t.ownKeys()
	if err != nil {
		return err
	}
	before, err := t.lastSigned(info.Origin, keys)
	if err != nil {
		return err
	}
	if err := made.make(info.Origin, keys); err != nil {
		return err
	}
	head, err := t.head()
	if err != nil {
		return err
	}
	info.Origin = made.origin
	if err := t.SetInfo(info); err != nil {
		return err
	}
	if err := t.ForgetCheckpoint(); err != nil {
		return err
	}
	d := logiqc.Details{Origin: made.origin, Size: &head.Size, Root: head.Root.String(), Before: before.origin}
	if before.signed {
		d.BeforeSize, d.BeforeRoot = &before.head.Size, before.head.Root.String()
	}
	if _, err := t.record(logiqc.OriginStarted, logiqc.Target{}, d); err != nil {
		return err
	}
	// A key before the log that it is for: one of no log does no harm.
	for _, f := range []struct{ file, line string }{{verifierFile, made.verifier}, {signerFile, made.signer}} {
		if err := keys.prepend(f.file, f.line); err != nil {
			return noKeys(err)
		}
	}
	return nil
}

// make chooses the name after all that the keys know of.
func (n *newOrigin) make(origin string, keys Keys) error {
	if n.signer != "" {
		return nil
	}
	verifiers, err := keys.verifiers()
	if err != nil {
		return noKeys(err)
	}
	if _, err := keys.signers(); err != nil { // before a key is added to what cannot be read
		return noKeys(err)
	}
	names := make([]string, len(verifiers))
	for i, v := range verifiers {
		names[i] = v.Name()
	}
	n.origin = ledger.NextOrigin(origin, names...)
	n.signer, n.verifier, err = ledger.GenerateKey(rand.Reader, n.origin)
	return err
}

// signedLog is a log as a checkpoint states it; signed is false for one of which
// none is known.
type signedLog struct {
	origin string
	head   ledger.Head
	signed bool
}

// lastSigned is what was signed last of the log called origin: beside the keys,
// or else in the store.
func (t *txn) lastSigned(origin string, keys Keys) (s signedLog, err error) {
	s.origin = origin
	note, err := keys.state(origin)
	if errors.Is(err, seal.ErrMissing) {
		last, _, err := t.LastCheckpoint()
		if err != nil {
			return s, err
		}
		note = []byte(last.Note)
	} else if err != nil {
		return s, noKeys(err)
	}
	if len(note) == 0 {
		return s, nil
	}
	s.origin, s.head, err = ledger.ParseCheckpoint(note)
	s.signed = err == nil
	if err != nil { // it says nothing that could be kept
		s.origin = origin
	}
	return s, nil
}
