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

// Checkpoint is a signed statement of the log's size and root.
type Checkpoint struct {
	Note string // C2SP tlog-checkpoint
	Head ledger.Head
}

// Checkpoint signs the log as it is now with every key of the store, once it
// is proved that the log continues the checkpoint signed before: the one in
// the store, and the one beside the keys, which no backup of the store brings
// back. Integrity when it does not, and nothing is signed; Unavailable without
// the keys.
func (d *Desk) Checkpoint(ctx context.Context, by logiqc.Actor) (c Checkpoint, err error) {
	if err := d.MayVerify(ctx, by); err != nil {
		return c, err
	}
	return d.checkpoint(ctx, by)
}

// checkpoint signs one, whoever asks.
func (d *Desk) checkpoint(ctx context.Context, by logiqc.Actor) (c Checkpoint, err error) {
	err = d.update(ctx, by, logiqc.Request{}, func(t *txn) error {
		c, err = t.sign()
		return err
	})
	return c, err
}

// Prove signs a checkpoint and proves that the event seq is in its log: a C2SP
// tlog-proof. NotFound when there is no such event, else as Checkpoint.
func (d *Desk) Prove(ctx context.Context, by logiqc.Actor, seq int64) (proof []byte, err error) {
	err = d.update(ctx, by, logiqc.Request{}, func(t *txn) error {
		if err := t.need(logiqc.AuditVerify, logiqc.AuditViewed, ""); err != nil {
			return err
		}
		proof, err = t.prove(seq)
		return err
	})
	return proof, err
}

// Receipt proves, as Prove does, a reset that the actor made; whoever may
// reset may have that.
func (d *Desk) Receipt(ctx context.Context, by logiqc.Actor, ref logiqc.AuditRef) (proof []byte, err error) {
	err = d.update(ctx, by, logiqc.Request{}, func(t *txn) error {
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
		if e.ID != ref.ID || e.Action != logiqc.MFAResetDone || e.Actor.ID != t.actor.ID {
			return logiqc.Errorf(logiqc.NotFound, "event %d is no reset of yours", ref.Seq)
		}
		proof, err = t.prove(ref.Seq)
		return err
	})
	return proof, err
}

func (t *txn) prove(seq int64) ([]byte, error) {
	leaf, err := t.Event(seq)
	if err != nil {
		return nil, err
	}
	c, err := t.sign()
	if err != nil {
		return nil, err
	}
	proof, err := ledger.Prove(seq, leaf, []byte(c.Note), hashReader{t.Tx})
	return proof, logError(err)
}

// sign signs the head of the log. Only what is committed is signed: log.state
// cannot be rolled back, so a transaction with events of its own never signs.
func (t *txn) sign() (c Checkpoint, err error) {
	info, keys, err := t.ownKeys()
	if err != nil {
		return c, err
	}
	signers, err := keys.signers()
	if err != nil {
		return c, noKeys(err)
	}
	if signers[0].Name() != info.Origin {
		return c, logiqc.Errorf(logiqc.Integrity, "these keys sign for %s, and this is the log of %s", signers[0].Name(), info.Origin)
	}
	if c.Head.Size, c.Head.Root, err = t.Head(); err != nil {
		return c, err
	}
	kept, err := t.kept(keys)
	if err != nil {
		return c, err
	}
	if err := t.continues(info.Origin, keys, c.Head, kept); err != nil {
		return c, err
	}
	raw, err := ledger.SignCheckpoint(c.Head, signers...)
	if err != nil {
		return c, err
	}
	c.Note = string(raw)
	if kept.state != c.Note {
		if err := keys.saveState(raw); err != nil {
			return c, noKeys(err)
		}
	}
	if kept.row != c.Note {
		err = t.SetCheckpoint(store.Checkpoint{Size: c.Head.Size, At: t.Now(), Note: c.Note})
	}
	return c, err
}

// kept are the checkpoints signed last, "" for none: the store's and the one
// beside the keys.
type kept struct{ row, state string }

func (t *txn) kept(keys Keys) (k kept, err error) {
	last, _, err := t.LastCheckpoint()
	if err != nil {
		return k, err
	}
	state, err := keys.state()
	if err != nil && !errors.Is(err, seal.ErrMissing) {
		return k, noKeys(err)
	}
	return kept{last.Note, string(state)}, nil
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
	if t.guarded {
		return nil
	}
	t.guarded = true
	info, err := t.Info()
	if err != nil {
		return err
	}
	keys, err := t.desk.keys(info.ID)
	if err != nil {
		return nil //nolint:nilerr // no keys folder: off
	}
	raw, err := keys.state()
	if err != nil {
		return nil //nolint:nilerr // nothing signed yet, or not ours to read: off
	}
	const nothing = "nothing was changed"
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
		WithHint("logiqc audit verify tells more; put the newest copy of the store back. " +
			"There is no command yet to go on from an older one: docs/audit.md, \"A store from a backup\"")
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

// Evidence is what is kept beside the log itself and says what it was.
type Evidence struct {
	StoreID string
	Origin  string           // of the log's checkpoints, as the store says
	Keys    []string         // verifier lines of the folder of keys; nil without it
	Last    store.Checkpoint // in the store; Note is "" when none was signed
	State   string           // the one beside the keys, or ""
}

// Evidence returns what this store and its folder of keys say of the log. A
// folder that is not there, or not ours to read, is no error.
func (d *Desk) Evidence(ctx context.Context, by logiqc.Actor) (e Evidence, err error) {
	err = d.view(ctx, by, func(t *txn) error {
		if err := t.need(logiqc.AuditVerify, logiqc.AuditViewed, ""); err != nil {
			return err
		}
		info, err := t.Info()
		if err != nil {
			return err
		}
		e.StoreID, e.Origin = info.ID, info.Origin
		if e.Last, _, err = t.LastCheckpoint(); err != nil {
			return err
		}
		keys, err := t.desk.keys(info.ID)
		if err != nil {
			return nil //nolint:nilerr // no keys folder
		}
		e.Keys, err = keys.Verifiers()
		if err != nil && !unreadable(err) {
			return noKeys(err)
		}
		state, err := keys.state()
		if err != nil && !unreadable(err) {
			return noKeys(err)
		}
		e.State = string(state)
		return nil
	})
	return e, err
}

// unreadable says that a file of keys is not there or not ours.
func unreadable(err error) bool {
	return errors.Is(err, seal.ErrMissing) || errors.Is(err, fs.ErrPermission)
}

// Source hands over the bytes of the log for [ledger.Verify].
func (d *Desk) Source() ledger.Source { return logSource{d.store} }

// KeyName is what everybody may know of a verifier line: NAME+HASH.
func KeyName(v note.Verifier) string {
	return v.Name() + "+" + hex32(v.KeyHash())
}

func hex32(n uint32) string { return fmt.Sprintf("%08x", n) }
