package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/mod/sumdb/note"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
	"github.com/logiqc/logiqc/pkg/store"
)

// SignCheckpoint implements [logiqc.Audit]. What the log must continue is what
// is in the store, and what is beside the keys.
func (a *audit) SignCheckpoint(ctx context.Context) (c logiqc.Checkpoint, err error) {
	if err := a.may(ctx); err != nil {
		return c, err
	}
	return a.desk.Checkpoint(ctx, a.actor)
}

// Checkpoint signs one as [logiqc.Audit] does, whoever asks.
func (d *Desk) Checkpoint(ctx context.Context, by logiqc.Actor) (c logiqc.Checkpoint, err error) {
	err = d.update(ctx, by, logiqc.Request{}, func(t *txn) error {
		c, err = t.sign()
		return err
	})
	return c, err
}

// Prove implements [logiqc.Audit].
func (a *audit) Prove(ctx context.Context, seq int64) (p logiqc.LogProof, err error) {
	err = a.desk.update(ctx, a.actor, logiqc.Request{}, func(t *txn) error {
		if err := t.need(logiqc.AuditVerify, logiqc.AuditViewed, ""); err != nil {
			return err
		}
		p, err = t.prove(seq)
		return err
	})
	return p, err
}

// Receipt implements [logiqc.Audit]: whoever may reset may have that.
func (a *audit) Receipt(ctx context.Context, ref logiqc.AuditRef) (p logiqc.LogProof, err error) {
	err = a.desk.update(ctx, a.actor, logiqc.Request{}, func(t *txn) error {
		if err := t.need(logiqc.MFAReset, logiqc.AuditViewed, ""); err != nil {
			return err
		}
		raw, err := t.Event(ref.Seq)
		if err != nil {
			return err
		}
		e, err := logiqc.ParseLeaf(ref.Seq, raw)
		if err != nil {
			return err
		}
		mine := e.Actor.ID == t.actor.ID || e.Details.RequestedBy == t.actor.Username
		if e.ID != ref.ID || e.Action != logiqc.MFAResetDone || !mine {
			return logiqc.Errorf(logiqc.NotFound, "event %d is no reset of yours", ref.Seq)
		}
		p, err = t.prove(ref.Seq)
		return err
	})
	return p, err
}

func (t *txn) prove(seq int64) (p logiqc.LogProof, err error) {
	leaf, err := t.Event(seq)
	if err != nil {
		return p, err
	}
	c, err := t.sign()
	if err != nil {
		return p, err
	}
	if cosigned := t.cosigned(seq); cosigned != "" {
		c.Note = cosigned
	}
	proof, err := ledger.Prove(seq, leaf, []byte(c.Note), hashReader{t.Tx})
	return logiqc.LogProof{Seq: seq, Proof: string(proof)}, logError(err)
}

// sign signs the head of the log. Only what is committed is signed: log.state
// cannot be rolled back, so a transaction with events of its own never signs,
// nor one with somebody else's.
func (t *txn) sign() (c logiqc.Checkpoint, err error) {
	if err := t.Alone(); err != nil {
		return c, err
	}
	s, err := t.stateOf()
	if err != nil {
		return c, err
	}
	if err := s.CheckPlace(); err != nil {
		return c, err
	}
	info, keys, err := t.ownKeys()
	if err != nil {
		return c, err
	}
	signers, err := keys.signersOf(info.Origin)
	if err != nil {
		return c, err
	}
	head, err := t.head()
	if err != nil {
		return c, err
	}
	kept, err := t.kept(info.Origin, keys)
	if err != nil {
		return c, err
	}
	if err := t.continues(info.Origin, keys, head, kept); err != nil {
		return c, err
	}
	raw, err := ledger.SignCheckpoint(head, signers...)
	if err != nil {
		return c, err
	}
	c = logiqc.Checkpoint{Note: string(raw), LogHead: logHead(head), At: kept.at}
	if kept.state != c.Note {
		if err := keys.saveState(info.Origin, raw); err != nil {
			return c, noKeys(err)
		}
	}
	if kept.row != c.Note {
		c.At = t.Now()
		err = t.SetCheckpoint(store.Checkpoint{Size: c.Size, At: c.At, Note: c.Note})
	}
	return c, err
}

// kept are the checkpoints signed last, "" for none: the store's and the one
// beside the keys; at is when the store's was signed.
type kept struct {
	row, state string
	at         logiqc.Time
}

func (t *txn) kept(origin string, keys Keys) (k kept, err error) {
	last, _, err := t.LastCheckpoint()
	if err != nil {
		return k, err
	}
	state, err := keys.state(origin)
	if err != nil && !errors.Is(err, seal.ErrMissing) {
		return k, noKeys(err)
	}
	return kept{last.Note, string(state), last.At}, nil
}

// continues proves that the log at head begins with those of the checkpoints
// kept.
func (t *txn) continues(origin string, keys Keys, head ledger.Head, k kept) error {
	if k.row == "" && k.state == "" {
		return nil
	}
	verifiers, err := keys.verifiers()
	if err != nil {
		return noKeys(err)
	}
	for _, text := range []string{k.row, k.state} {
		if text == "" {
			continue
		}
		old, err := ledger.OpenCheckpoint([]byte(text), origin, verifiers...)
		if err == nil {
			err = ledger.CheckGrowth(old, head, hashReader{t.Tx})
		}
		if err != nil {
			return notContinued(err, "nothing was signed")
		}
	}
	return nil
}

// guard refuses to write to a log that is not the one which checkpoints were
// signed of, as after a restored backup. It looks at the file beside the keys
// only: one file, one query. Where that cannot be read it is off, because
// resets work without the keys.
func (t *txn) guard() error {
	_, err := store.Once(t.Tx, "guard", func() (bool, error) { return true, t.checkState() })
	return err
}

func (t *txn) checkState() error {
	info, err := t.Info()
	if err != nil {
		return err
	}
	keys, err := t.desk.keys(info.ID)
	if err != nil {
		return nil //nolint:nilerr // no keys folder: off
	}
	const nothing = "nothing was changed"
	raw, err := keys.state(info.Origin)
	if err != nil { // nothing signed yet, or not ours to read: off
		lines, err := keys.Verifiers()
		if err == nil && len(linesOf(info.Origin, lines)) == 0 {
			return notContinued(ledger.ErrWrongOrigin, nothing)
		}
		return nil
	}
	origin, signed, err := ledger.ParseCheckpoint(raw)
	if err != nil {
		return notContinued(err, nothing)
	}
	if origin != info.Origin {
		return notContinued(ledger.ErrWrongOrigin, nothing)
	}
	size, root, err := t.Head()
	if err != nil || signed == (ledger.Head{Size: size, Root: root}) {
		return err
	}
	if err := ledger.CheckBeginning(signed, size, hashReader{t.Tx}); err != nil {
		return notContinued(err, nothing)
	}
	return nil
}

// notContinued is the error of a log that is not the one that was signed.
func notContinued(err error, nothing string) error {
	if ledger.ProblemOf(err) == ledger.OK {
		return err
	}
	return logiqc.Errorf(logiqc.Integrity,
		"this is not the log that checkpoints were signed of; %s (was an older copy of the store put back?): %w", nothing, err).
		WithHint("logiqc audit verify tells more; put the newest copy of the store back, or start a new origin from this one: " +
			"logiqc store restore FILE --new-origin --reason T, where FILE may be the store itself")
}

// ownKeys are the keys of this store.
func (t *txn) ownKeys() (info store.Info, keys Keys, err error) {
	if info, err = t.Info(); err != nil {
		return info, keys, err
	}
	if keys, err = t.desk.keys(info.ID); err != nil {
		err = noKeys(err)
	}
	return info, keys, err
}

// noKeys is the error of keys that cannot be used.
func noKeys(err error) error {
	return logiqc.Errorf(logiqc.Unavailable, "the keys of the log cannot be used: %w", err).
		WithHint("say where they are with --keys DIR")
}

// unreadable says that a file of keys is not there or not ours.
func unreadable(err error) bool {
	return errors.Is(err, seal.ErrMissing) || errors.Is(err, fs.ErrPermission)
}

// KeyName is what everybody may know of a verifier line: NAME+HASH.
func KeyName(v note.Verifier) string {
	return v.Name() + "+" + hex32(v.KeyHash())
}

func hex32(n uint32) string { return fmt.Sprintf("%08x", n) }
