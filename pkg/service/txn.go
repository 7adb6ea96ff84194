package service

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
	"github.com/logiqc/logiqc/pkg/store"
)

// txn is one transaction of one actor: the store's, with the policy, the
// request it serves and the events it has recorded so far.
type txn struct {
	*store.Tx
	desk    *Desk
	actor   logiqc.Actor
	policy  logiqc.Policy
	request logiqc.Request
	pending []logiqc.Event
	size    int64              // of the log, with what is pending
	state   *logiqc.StoreState // as [txn.check] found it
	codes   []freshCode
	made    *int // resets of the actor in the last hour, once that is asked for

	approving *store.Approval             // the request that is being approved
	asked     map[string][]store.Approval // by account, those open when that was first asked for
	notice    string                      // to whoever has just signed in
}

// flushAt bounds how many events are held back before they are written.
const flushAt = 10_000

// errDryRun rolls back what a dry run did to find out what would happen.
var errDryRun = errors.New("dry run")

// update runs fn in a writing transaction for the actor, whose rights are
// loaded inside it. A dry run is rolled back at its end, whatever it did. When
// fn fails with a refusal that the audit log keeps, everything else is rolled
// back and the refusal is recorded as action against the account that target
// means, if it means one. A request with texts that cannot be recorded does
// nothing.
func (d *Desk) update(ctx context.Context, by logiqc.Actor, req logiqc.Request, fn func(*txn) error) error {
	if err := req.Check(); err != nil {
		return err
	}
	err := d.store.Update(ctx, func(tx *store.Tx) error {
		t, err := d.begin(tx, by, req)
		if err != nil {
			return err
		}
		if err := t.guard(); err != nil {
			return err
		}
		if err := fn(t); err != nil {
			return t.afterState(err)
		}
		if req.DryRun {
			return errDryRun
		}
		return t.flush()
	})
	if errors.Is(err, errDryRun) {
		return nil
	}
	if errors.Is(err, logiqc.UnknownOutcome) && req.RequestID != "" {
		return logiqc.AsError(err).WithHint("see whether it was done: logiqc audit list --request %s", req.RequestID)
	}
	return d.refused(ctx, by, req, err)
}

// refused records err if it is a refusal that the audit log keeps, and returns
// it.
func (d *Desk) refused(ctx context.Context, by logiqc.Actor, req logiqc.Request, err error) error {
	var refused *refusal
	if !errors.As(err, &refused) {
		return err
	}
	if req.DryRun && !errors.Is(refused.err, logiqc.Forbidden) {
		return refused.err
	}
	return d.recordRefusal(ctx, by, req, refused)
}

// refusal is an error that the audit log keeps, with what was refused.
type refusal struct {
	action logiqc.Action
	target string // as the caller wrote it; resolved when it is recorded
	err    *logiqc.Error
	about  logiqc.Details
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// refuse wraps err so that it is recorded as a refused action, if it is of the
// kind that is; otherwise it returns err as it is.
func refuse(action logiqc.Action, target string, err error) error {
	e := logiqc.AsError(err)
	if e == nil || !e.Recorded() {
		return err
	}
	return &refusal{action: action, target: target, err: e}
}

// recordRefusal writes the event of a refusal, in a transaction of its own
// since nothing else happened, and returns the refusal. What cannot be
// recorded is answered as unavailable instead.
func (d *Desk) recordRefusal(ctx context.Context, by logiqc.Actor, req logiqc.Request, r *refusal) error {
	err := d.store.Update(ctx, func(tx *store.Tx) error {
		t, err := d.begin(tx, by, req)
		if err != nil {
			return err
		}
		var target logiqc.Target
		if r.target != "" {
			if u, err := tx.UserExact(r.target); err == nil {
				target = u.Target()
			}
		}
		_, err = t.append(logiqc.Body{Action: r.action, Outcome: logiqc.Denied, Target: target, Code: r.err.Code, Details: r.about})
		if err != nil {
			return err
		}
		return t.flush()
	})
	if err != nil {
		why := logiqc.AsError(err)
		return logiqc.Errorf(why.Code, "%s (and that could not be recorded: %w)", r.err.Message, err).WithHint("%s", why.Hint)
	}
	return r.err
}

// view runs fn in a reading transaction for the actor.
func (d *Desk) view(ctx context.Context, by logiqc.Actor, fn func(*txn) error) error {
	err := d.store.View(ctx, func(tx *store.Tx) error {
		t, err := d.begin(tx, by, logiqc.Request{})
		if err != nil {
			return err
		}
		return fn(t)
	})
	return d.refused(ctx, by, logiqc.Request{}, err)
}

// begin loads what every transaction needs: the actor as it is now, and the
// policy.
func (d *Desk) begin(tx *store.Tx, by logiqc.Actor, req logiqc.Request) (*txn, error) {
	t := &txn{Tx: tx, desk: d, request: req, actor: by}
	var err error
	switch by.Kind {
	case logiqc.Person:
		var s store.Session
		if s, err = tx.SessionByID(by.SessionID); err == nil {
			t.actor, err = sessionActor(s, by.Source)
		}
	case logiqc.Token:
		var k store.Token
		if k, err = tx.TokenByID(by.ID); err == nil {
			t.actor, err = tokenActor(tx.Now(), k, by.Source)
		}
	}
	if err != nil {
		return nil, unknownBearer(err)
	}
	t.policy, err = tx.Policy()
	return t, err
}

// need refuses the action when the actor lacks the right.
func (t *txn) need(right logiqc.Right, action logiqc.Action, target string) error {
	return refuse(action, target, t.actor.Need(right))
}

// newID makes an id: a UUIDv7 (RFC 9562).
func (d *Desk) newID() (string, error) {
	id, err := uuid.NewV7FromReader(d.rand)
	if err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	return id.String(), nil
}

// record adds an event of something that was done by the actor.
func (t *txn) record(action logiqc.Action, target logiqc.Target, d logiqc.Details) (logiqc.AuditRef, error) {
	return t.append(logiqc.Body{Action: action, Outcome: logiqc.Success, Target: target, Details: d})
}

// deny adds an event of something that was refused.
func (t *txn) deny(action logiqc.Action, target logiqc.Target, e *logiqc.Error) (logiqc.AuditRef, error) {
	return t.append(logiqc.Body{Action: action, Outcome: logiqc.Denied, Target: target, Code: e.Code})
}

// append completes the event with who, when, whence and why, and gives it its
// place in the log.
func (t *txn) append(b logiqc.Body) (logiqc.AuditRef, error) {
	var err error
	switch b.Outcome {
	case logiqc.Success: // whatever has not asked before is refused here, at the latest
		err = t.check(b.Action, b.Target.Username, nil)
	case logiqc.Denied:
		var s logiqc.StoreState
		if s, err = t.stateOf(); s.To != "" {
			return logiqc.AuditRef{}, nil // the log goes on elsewhere, and nothing happened here
		}
	}
	if err != nil {
		return logiqc.AuditRef{}, err
	}
	if b.ID, err = t.desk.newID(); err != nil {
		return logiqc.AuditRef{}, err
	}
	b.Time = t.Now()
	b.Actor, b.Source = t.actor.EventActor(), t.actor.Source.EventSource()
	b.Reason, b.Ticket, b.RequestID = t.request.Reason, t.request.Ticket, t.request.RequestID
	b.VerifiedBy = t.request.VerifiedBy
	if len(t.pending) == 0 {
		if t.size, _, err = t.Head(); err != nil {
			return logiqc.AuditRef{}, err
		}
	}
	e := logiqc.Event{Seq: t.size, Body: b}
	t.pending = append(t.pending, e)
	t.size++
	if len(t.pending) >= flushAt {
		err = t.flush()
	}
	return logiqc.AuditRef{Seq: e.Seq, ID: e.ID}, err
}

// flush writes the pending events with their leaves and the tree's hashes.
func (t *txn) flush() error {
	if len(t.pending) == 0 {
		return nil
	}
	if err := t.guard(); err != nil {
		return err
	}
	rows := make([]store.LogRow, len(t.pending))
	for i, e := range t.pending {
		leaf, err := e.Leaf()
		if err != nil {
			return err
		}
		rows[i] = store.LogRow{Event: e, Bytes: leaf}
	}
	t.pending = t.pending[:0]
	return appendLog(t.Tx, rows)
}

// appendLog writes events, with the hashes that they add to the tree.
func appendLog(tx *store.Tx, rows []store.LogRow) error {
	size, root, err := tx.Head()
	if err != nil {
		return err
	}
	leaves := make([][]byte, len(rows))
	for i, r := range rows {
		leaves[i] = r.Bytes
	}
	head, hashes, err := ledger.Append(ledger.Head{Size: size, Root: root}, leaves, hashReader{tx})
	if err != nil {
		return logError(err)
	}
	stored := make([]store.StoredHash, len(hashes))
	for i, h := range hashes {
		stored[i] = store.StoredHash{Index: h.Index, Hash: h.Hash}
	}
	err = tx.AppendLog(rows, stored, head.Root)
	var known *logiqc.Error
	if err != nil && !errors.As(err, &known) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return logiqc.Errorf(logiqc.Unavailable, "the audit log cannot be written, so nothing was changed: %w", err).WithHint("logiqc store check")
	}
	return err
}

// logError gives an error of the ledger its code.
func logError(err error) error {
	switch {
	case errors.Is(err, ledger.ErrAltered):
		return logiqc.Errorf(logiqc.Integrity, "the audit log has been altered; nothing was changed: %w", err).
			WithHint("logiqc audit verify")
	case errors.Is(err, ledger.ErrLeafTooLong):
		return logiqc.Errorf(logiqc.Invalid, "too much text for one record of the audit log; nothing was changed")
	}
	return err
}

// hashReader reads the tree's stored hashes from the transaction.
type hashReader struct{ tx *store.Tx }

func (r hashReader) ReadHashes(indexes []int64) ([]ledger.Hash, error) {
	raw, err := r.tx.ReadHashes(indexes)
	if err != nil {
		return nil, err
	}
	hashes := make([]ledger.Hash, len(raw))
	for i, h := range raw {
		hashes[i] = h
	}
	return hashes, nil
}

// box opens the sealing keys of this store.
func (t *txn) box() (box *seal.Box, storeID string, err error) {
	info, err := t.Info()
	if err != nil {
		return nil, "", err
	}
	box, err = store.Once(t.Tx, "box", func() (*seal.Box, error) {
		keys, err := t.desk.keys(info.ID)
		if err != nil {
			return nil, err
		}
		return keys.box()
	})
	if err != nil {
		return nil, "", logiqc.Errorf(logiqc.Unavailable, "the keys of this store cannot be opened: %w", err).
			WithHint("say where they are with --keys DIR; resets work without them")
	}
	return box, info.ID, nil
}
