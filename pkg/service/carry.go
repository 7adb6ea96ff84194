package service

import (
	"bytes"
	"context"
	"errors"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// Carried is what a newer copy of the log gave back of what came after a
// backup, and what it could not: secrets are not in it.
type Carried struct {
	Events     int64                // of after the backup
	Lost       []logiqc.LostAccount // something of theirs is gone
	LostTokens []logiqc.LostToken   // they were in force, and nobody knows their hash any more
}

// carrier brings a backup to what a newer copy of its log tells. Nothing is
// guessed: what the log cannot give back is taken away from the account.
type carrier struct {
	Carried
	tx     *store.Tx
	replay *logiqc.Replay
	since  map[string]*since // what happened after the backup, by account
	// Accounts whose recovery codes are not those that the log tells of.
	otherCodes map[string]bool
	reason     string    // why the store was frozen then
	lost       []settled // accounts that lost something, to be recorded
	gone       map[string]logiqc.Tokenable
}

// carryPortion is how many events are appended at a time.
const carryPortion = 1000

// carry appends to the log of a backup what an exported folder has after it,
// byte for byte, and brings everything else to what the log tells. What could
// not be given back is recorded by [carrier.record].
//
// Integrity: the folder is not whole, not signed by a key of this store, or no
// continuation of the backup's log; or the backup has an account that is in no
// log. Unavailable without the keys. LastAdmin: nobody could administer it.
func (d *Desk) carry(ctx context.Context, tx *store.Tx, folder string) (*carrier, error) {
	c := &carrier{tx: tx, since: map[string]*since{}, gone: map[string]logiqc.Tokenable{}}
	dir, origin, err := d.openLog(ctx, tx, folder)
	if err != nil {
		return nil, err
	}
	if c.replay, err = replayOf(tx); err != nil {
		return nil, err
	}
	if err := c.follow(ctx, dir); err != nil {
		return nil, err
	}
	if c.replay.Origin != origin {
		return nil, notCarried(folder, ledger.ErrWrongOrigin)
	}
	return c, c.settle()
}

// openLog opens an exported folder and checks all of it: that a key of the
// store signed it, that it is whole, and that the store's log is its beginning.
func (d *Desk) openLog(ctx context.Context, tx *store.Tx, folder string) (dir *ledger.Dir, origin string, err error) {
	info, err := tx.Info()
	if err != nil {
		return nil, "", err
	}
	keys, err := d.keys(info.ID)
	if err != nil {
		return nil, "", noKeys(err)
	}
	verifiers, err := keys.verifiers()
	if err != nil {
		return nil, "", noKeys(err)
	}
	for _, v := range verifiers { // the log may have taken another name after the backup
		origin = v.Name()
		if dir, err = ledger.OpenDir(folder, origin, verifiers...); !errors.Is(err, ledger.ErrWrongOrigin) {
			break
		}
	}
	if err != nil {
		return nil, "", notCarried(folder, err)
	}
	size, root, err := tx.Head()
	if err != nil {
		return nil, "", err
	}
	report, err := ledger.Verify(ctx, dir, ledger.VerifyOptions{Known: []ledger.Head{{Size: size, Root: root}}})
	switch {
	case err != nil:
		return nil, "", err
	case report.Problem == ledger.Truncated:
		return nil, "", logiqc.Errorf(logiqc.Integrity, "the log in %s ends before the backup: %s; nothing was restored", folder, report.Detail).
			WithHint("the backup is the newer one: restore it without --log")
	case !report.OK:
		return nil, "", logiqc.Errorf(logiqc.Integrity, "the log in %s does not go on from the backup's (%s): %s; nothing was restored",
			folder, report.Problem, report.Detail).WithHint(hintOtherLog)
	}
	return dir, origin, nil
}

const hintOtherLog = "take another export of this store's log; logiqc audit verify --dir DIR --key VKEY tells more"

// notCarried is the error of a folder that cannot be read as this store's log.
func notCarried(folder string, err error) error {
	code := logiqc.Integrity
	if ledger.ProblemOf(err) == ledger.OK {
		code = logiqc.Unavailable
	}
	return logiqc.Errorf(code, "the log in %s cannot be carried on; nothing was restored: %w", folder, err).WithHint(hintOtherLog)
}

// follow appends the events that the folder has after the store's, and folds
// them.
func (c *carrier) follow(ctx context.Context, dir *ledger.Dir) error {
	want, err := dir.Head(ctx)
	if err != nil {
		return err
	}
	size, _, err := c.tx.Head()
	if err != nil {
		return err
	}
	c.Events = want.Size - size
	rows := make([]store.LogRow, 0, carryPortion)
	write := func() error {
		err := appendLog(c.tx, rows)
		rows = rows[:0]
		return err
	}
	err = dir.Leaves(ctx, size, want.Size, func(seq int64, leaf []byte) error {
		e, err := logiqc.ParseLeaf(seq, leaf)
		if err == nil {
			err = c.apply(e)
		}
		if err != nil {
			return err
		}
		if rows = append(rows, store.LogRow{Event: e, Bytes: bytes.Clone(leaf)}); len(rows) < carryPortion {
			return nil
		}
		return write()
	})
	if err != nil {
		return err
	}
	if err := write(); err != nil {
		return err
	}
	// Read again since it was checked: it may be another one by now.
	if size, root, err := c.tx.Head(); err != nil || (ledger.Head{Size: size, Root: root}) != want {
		return errors.Join(err, notCarried(dir.Path(), ledger.ErrAltered))
	}
	return nil
}

// apply folds the next event.
func (c *carrier) apply(e logiqc.Event) error {
	var was string
	known, existed := c.replay.Accounts[e.Target.ID]
	if existed {
		was = known.Password
	}
	if err := c.replay.Apply(e); err != nil {
		return err
	}
	if e.Action == logiqc.StoreFrozen && e.Outcome == logiqc.Success {
		c.reason = e.Reason
	}
	a, ok := c.replay.Accounts[e.Target.ID]
	if !ok {
		return nil
	}
	s, ok := c.since[e.Target.ID]
	if !ok {
		s = &since{password: was}
		c.since[e.Target.ID] = s
	}
	s.follow(e, a, was)
	return nil
}

// record writes the events that take away what was lost, after the one that
// says how much that is. Each says why.
func (c *carrier) record(t *txn) error {
	const why = logiqc.RestoredCause
	for _, s := range c.lost {
		target := s.user.Target()
		if s.keptPassword != "" {
			if _, err := t.record(logiqc.UserPasswordSet, target, logiqc.Details{Password: s.keptPassword, Cause: why}); err != nil {
				return err
			}
		}
		none, yes := 0, true
		if s.lost.Password {
			if _, err := t.record(logiqc.UserPasswordSet, target, logiqc.Details{Sessions: &none, Cause: why}); err != nil {
				return err
			}
		}
		if s.lost.RecoveryCodes {
			if _, err := t.record(logiqc.RecoveryCodesIssued, target, logiqc.Details{RecoveryCodes: &none, Cause: why}); err != nil {
				return err
			}
		}
		if s.lost.Enrolment {
			d := logiqc.Details{Authenticator: &yes, RecoveryCodes: &s.loggedCodes, Sessions: &none, NotifyUser: "operator",
				Held: s.user.HeldAt != 0, Cause: why}
			if _, err := t.record(logiqc.MFAResetDone, target, d); err != nil {
				return err
			}
		}
	}
	for _, k := range c.goneTokens() {
		owner := logiqc.Target{ID: k.Owner, Username: c.replay.Accounts[k.Owner].Username}
		if _, err := t.record(logiqc.TokenRevoked, owner, logiqc.Details{Token: k.id, Name: k.Name, Cause: why}); err != nil {
			return err
		}
	}
	return nil
}

// settled makes sure that nothing is left to settle, and counts the accounts.
func (c *carrier) settled(tx *store.Tx) (accounts int64, err error) {
	if err := c.freeze(); err != nil {
		return 0, err
	}
	r, err := reconcile(tx)
	if err != nil {
		return 0, err
	}
	for _, d := range r.Differences {
		return 0, logiqc.Errorf(logiqc.Integrity, "the backup cannot be brought to what the log tells: %s of %q is %q and should be %q; nothing was restored",
			d.Field, d.User, d.Store, d.Log)
	}
	now, err := tx.Counts()
	return now.Accounts, err
}

// counts is what the event of the restore says of it.
func (c *carrier) counts(d *logiqc.Details) {
	d.Carried, d.Lost = &c.Events, &logiqc.Lost{Tokens: len(c.LostTokens)}
	for _, a := range c.Lost {
		for lost, n := range map[*bool]*int{&a.Enrolment: &d.Lost.Enrolments, &a.Password: &d.Lost.Passwords, &a.RecoveryCodes: &d.Lost.RecoveryCodes} {
			if *lost {
				*n++
			}
		}
	}
}
