package service

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/password"
	"github.com/logiqc/logiqc/pkg/store"
)

// Reconcile replays the log and compares the outcome with accounts, policy,
// tokens and sessions: a change made behind the log's back is a difference.
func (d *Desk) Reconcile(ctx context.Context) (out logiqc.Reconciled, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		out, err = reconcile(tx)
		return err
	})
	return out, err
}

func reconcile(tx *store.Tx) (out logiqc.Reconciled, err error) {
	replay, err := replayOf(tx)
	if err != nil {
		return out, err
	}
	r := reconciler{tx: tx, replay: replay, diffs: []logiqc.Difference{}, seen: map[string]string{}}
	for _, look := range []func() error{r.policy, r.accounts, r.recoveryCodes, r.sessions, r.witnesses, r.tokens, r.approvals} {
		if err := look(); err != nil {
			return out, err
		}
	}
	return logiqc.Reconciled{Compared: len(r.seen), Differences: r.diffs}, nil
}

// replayOf folds the whole log.
func replayOf(tx *store.Tx) (*logiqc.Replay, error) {
	r := logiqc.NewReplay()
	size, _, err := tx.Head()
	if err != nil {
		return nil, err
	}
	err = tx.Leaves(0, size, func(seq int64, leaf []byte) error {
		e, err := logiqc.ParseLeaf(seq, leaf)
		if err != nil {
			return err
		}
		return r.Apply(e)
	})
	return r, err
}

type reconciler struct {
	tx     *store.Tx
	replay *logiqc.Replay
	diffs  []logiqc.Difference
	seen   map[string]string // id to username of the accounts in the store
}

func (r *reconciler) differ(user, field, log, store string, last int64) {
	if log != store {
		r.diffs = append(r.diffs, logiqc.Difference{User: user, Field: field, Log: log, Store: store, LastEvent: last})
	}
}

func (r *reconciler) policy() error {
	p, err := r.tx.Policy()
	if err != nil {
		return err
	}
	logged, stored := r.replay.Policy.Values(), p.Values()
	for _, key := range logiqc.PolicyKeys {
		r.differ("", key, logged[key], stored[key], -1)
	}
	return r.store()
}

// store compares what is said of the store as a whole.
func (r *reconciler) store() error {
	state, err := r.tx.State()
	if err != nil {
		return err
	}
	info, err := r.tx.Info()
	r.differ("", "frozen", strconv.FormatBool(r.replay.Frozen), strconv.FormatBool(state.Frozen), -1)
	r.differ("", "store", r.replay.Store, info.ID, -1)
	r.differ("", "origin", r.replay.Origin, info.Origin, -1)
	if state.To != "" || state.Moved { // where it was copied to the log says so too
		r.differ("", "moved", strconv.FormatBool(r.replay.CopiedTo != ""), "true", -1)
		r.differ("", "moved_to", r.replay.CopiedTo, state.To, -1)
	}
	return err
}

func (r *reconciler) accounts() error {
	p, err := r.tx.Policy()
	if err != nil {
		return err
	}
	err = eachUser(r.tx, p, func(u logiqc.User) error {
		r.seen[u.ID] = u.Username
		r.account(u)
		return nil
	})
	if err != nil {
		return err
	}
	for id, a := range r.replay.Accounts {
		if _, ok := r.seen[id]; !ok {
			r.differ(a.Username, "account", id, "", a.LastEvent)
		}
	}
	return nil
}

func (r *reconciler) account(u logiqc.User) {
	a, ok := r.replay.Accounts[u.ID]
	if !ok {
		r.differ(u.Username, "account", "", u.ID, -1)
		return
	}
	s := snapshotOf(u)
	var e logiqc.Enrolment
	if u.Enrolled != nil {
		e = *u.Enrolled
	}
	code, codeUntil := enrolmentCodeOf(u)
	for _, f := range []struct{ field, log, store string }{
		{"username", a.Username, s.Username}, {"email", a.Email, s.Email}, {"name", a.Name, s.Name},
		{"phone", a.Phone, s.Phone}, {"role", string(a.Role), string(s.Role)}, {"status", string(a.Status), string(s.Status)},
		{"auth", string(a.Auth), string(s.Auth)}, {"toggle", a.Toggle.String(), s.Toggle.String()},
		{"protected", strconv.FormatBool(a.Protected), strconv.FormatBool(s.Protected)}, {"password", a.Password, s.Password},
		{"enrolment", a.Enrolment, s.Enrolment}, {"step", strconv.FormatInt(a.Step, 10), strconv.FormatInt(e.Step, 10)},
		{"enrolled_at", a.EnrolledAt.String(), e.EnrolledAt.String()}, {"last_used_at", a.UsedAt.String(), e.LastUsedAt.String()},
		{"recovery_codes", strconv.Itoa(a.RecoveryCodes), strconv.Itoa(u.RecoveryLeft)},
		{"created_at", a.CreatedAt.String(), u.CreatedAt.String()}, {"last_success_at", a.SucceededAt.String(), u.LastSuccessAt.String()},
		{"contact_changed_at", a.ContactChangedAt.String(), u.ContactChangedAt.String()}, {"contact_changed_by", a.ContactChangedBy, u.ContactChangedBy},
		{"reset_at", a.ResetAt.String(), u.ResetAt.String()}, {"reset_by", a.ResetBy, u.ResetBy},
		{"reset_seen", strconv.FormatBool(a.ResetSeen), strconv.FormatBool(u.ResetSeen)}, {"told", strconv.FormatInt(a.Told, 10), strconv.FormatInt(u.Told, 10)},
		{"held_at", a.HeldAt.String(), u.HeldAt.String()}, {"window_at", a.WindowAt.String(), u.WindowAt.String()},
		{"enrolment_code", a.EnrolmentCode, code}, {"enrolment_code_until", a.CodeExpiresAt.String(), codeUntil.String()},
	} {
		r.differ(u.Username, f.field, f.log, f.store, a.LastEvent)
	}
}

// enrolmentCodeOf is the account's enrolment code as the log tells of it; "" for
// none.
func enrolmentCodeOf(u logiqc.User) (digest string, expiresAt logiqc.Time) {
	if u.Code == nil {
		return "", 0
	}
	return password.Digest(u.Code.Hash.Reveal()), u.Code.ExpiresAt
}

// witnesses compares whom checkpoints are sent to.
func (r *reconciler) witnesses() error {
	stored, err := r.tx.Witnesses()
	if err != nil {
		return err
	}
	left := maps.Clone(r.replay.Witnesses)
	for _, w := range stored {
		logged := left[w.Name]
		delete(left, w.Name)
		r.differ("", "witness "+w.Name+" url", logged[0], w.URL, -1)
		r.differ("", "witness "+w.Name+" key", logged[1], w.Key, -1)
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		r.differ("", "witness "+name+" url", left[name][0], "", -1)
	}
	return nil
}
