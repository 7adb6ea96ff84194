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
	for _, look := range []func() error{r.policy, r.accounts, r.sessions, r.witnesses, r.tokens} {
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
	r.differ("", "origin", r.replay.Origin, info.Origin, -1)
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
	var step int64
	if u.Enrolled != nil {
		step = u.Enrolled.Step
	}
	code, codeUntil := enrolmentCodeOf(u)
	for _, f := range []struct{ field, log, store string }{
		{"username", a.Username, s.Username}, {"email", a.Email, s.Email}, {"name", a.Name, s.Name},
		{"phone", a.Phone, s.Phone}, {"role", string(a.Role), string(s.Role)}, {"status", string(a.Status), string(s.Status)},
		{"auth", string(a.Auth), string(s.Auth)}, {"toggle", a.Toggle.String(), s.Toggle.String()},
		{"protected", strconv.FormatBool(a.Protected), strconv.FormatBool(s.Protected)}, {"password", a.Password, s.Password},
		{"enrolment", a.Enrolment, s.Enrolment}, {"step", strconv.FormatInt(a.Step, 10), strconv.FormatInt(step, 10)},
		{"recovery_codes", strconv.Itoa(a.RecoveryCodes), strconv.Itoa(u.RecoveryLeft)},
		{"contact_changed_at", a.ContactChangedAt.String(), u.ContactChangedAt.String()},
		{"reset_at", a.ResetAt.String(), u.ResetAt.String()},
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

// sessions looks for sessions that no event made. One that the log knows and
// the store has not may have expired, which is no event.
func (r *reconciler) sessions() error {
	live, err := r.tx.Sessions("")
	if err != nil {
		return err
	}
	for _, s := range live {
		if r.replay.Sessions[s.ID] != s.UserID {
			r.differ(r.seen[s.UserID], "session", "", s.ID, -1)
		}
	}
	return nil
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

// tokens compares what is in force: a token that was revoked by an event must
// not be alive.
func (r *reconciler) tokens() error {
	tokens, err := r.tx.Tokens()
	if err != nil {
		return err
	}
	live := map[string]bool{}
	for _, t := range tokens {
		if t.RevokedAt != 0 {
			continue
		}
		live[t.ID] = true
		logged, ok := r.replay.Tokens[t.ID]
		if !ok {
			r.differ(t.User, "token", "", t.ID, -1)
			continue
		}
		r.differ(t.User, "token "+t.ID+" owner", logged.Owner, t.UserID, -1)
		r.differ(t.User, "token "+t.ID+" role", string(logged.Role), string(t.Role), -1)
		r.differ(t.User, "token "+t.ID+" allow", joinRights(logged.Allow), joinRights(t.Allow), -1)
		r.differ(t.User, "token "+t.ID+" expires_at", logged.ExpiresAt.String(), t.ExpiresAt.String(), -1)
	}
	for id, t := range r.replay.Tokens {
		if !live[id] {
			r.differ(r.seen[t.Owner], "token", id, "", -1)
		}
	}
	return nil
}
