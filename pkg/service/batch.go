package service

import (
	"context"
	"slices"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// batchKind is what a batch does with each account: reset it, or ask that a
// second operator approves that.
type batchKind struct {
	command string
	action  logiqc.Action
	would   logiqc.ResetOutcome
	nothing string // what was not done without consent
	// may refuses by a rule, in the order of the contract.
	may func(t *txn, r logiqc.Reset, u logiqc.User) error
	do  func(b *batchRun, u *logiqc.User, res *logiqc.ResetResult) error
}

// batch carries out a batch of one kind in one transaction.
func (s *service) batch(ctx context.Context, k batchKind, r logiqc.Reset) (results []logiqc.ResetResult, err error) {
	if r.CodeTTL != 0 {
		if err := logiqc.CheckCodeTTL(r.CodeTTL); err != nil {
			return nil, err
		}
	}
	codes, err := s.codesFor(ctx, k, r)
	if err != nil {
		return nil, err
	}
	err = s.desk.update(ctx, s.actor, r.Request, func(t *txn) error {
		t.codes = codes
		target := ""
		if len(r.Users) == 1 {
			target = r.Users[0].User
		}
		if err := t.need(logiqc.MFAReset, k.action, target); err != nil {
			return err
		}
		if err := t.checkRun(k, r); err != nil {
			return refuse(k.action, target, err)
		}
		remembered, replayed, err := once(t, k.command, matterOf(r), func() ([]logiqc.ResetResult, error) {
			results, err = t.goThrough(k, r)
			return lean(results), err
		})
		if err == nil && replayed {
			results = remembered
			err = t.replay(results)
		}
		return err
	})
	return results, err
}

// lean is what is remembered of a batch: without what can be told again of the
// accounts. Of one account it is all as it was.
func lean(results []logiqc.ResetResult) []logiqc.ResetResult {
	if len(results) == 1 {
		return results
	}
	results = slices.Clone(results)
	for i := range results {
		results[i].Account, results[i].Shown, results[i].Message = nil, "", ""
	}
	return results
}

// replay makes results that were remembered whole again.
func (t *txn) replay(results []logiqc.ResetResult) error {
	var refs []string
	for i := range results {
		results[i].Replayed.Replayed = true
		if results[i].Account == nil && results[i].User != "" {
			refs = append(refs, results[i].User)
		}
	}
	users, err := t.UsersExact(refs)
	for i := range results {
		res := &results[i]
		if u := users[logiqc.Key(res.User)]; u != nil && res.Account == nil {
			next := res.NextSignin
			t.describe(res, *u)
			res.NextSignin, res.Message = next, t.messageFor(res)
		}
	}
	return err
}

// checkRun refuses a run that names too many accounts, or several without what
// the policy wants of a reset and of who makes it.
func (t *txn) checkRun(k batchKind, r logiqc.Reset) error {
	total, limit, where := max(r.Total, len(r.Users)), t.policy.BulkMax, logiqc.KeyBulkMax
	if r.Max > 0 && r.Max < limit {
		limit, where = r.Max, "--max"
	}
	if total <= limit {
		if total == 1 {
			return nil // each account first: what is wrong with it is told before
		}
		if k.action == logiqc.MFAResetDone {
			if err := t.policy.CheckStepUp(t.actor, t.Now()); err != nil {
				return err
			}
		}
		return t.policy.CheckGrounds(r.Request, false)
	}
	return logiqc.Errorf(logiqc.PolicyRefused, "%d accounts are more than this reset may name (%s is %d); nothing was reset",
		total, where, limit).WithHint("split the list")
}

// matterOf is what a reset asks for: not how it was agreed to, and not what
// had been seen of the accounts by then, which a retry would see otherwise.
func matterOf(r logiqc.Reset) logiqc.Reset {
	r.Request = logiqc.Request{Reason: r.Reason, Ticket: r.Ticket, VerifiedBy: r.VerifiedBy}
	r.Users, r.Seen = slices.Clone(r.Users), nil
	for i := range r.Users {
		r.Users[i].Shown = ""
	}
	return r
}

// batchRun is a batch under way: its accounts are loaded together, each is
// decided about by itself, and what was decided is written together.
type batchRun struct {
	*txn
	batchKind
	reset   logiqc.Reset
	named   map[string]*logiqc.User // who is meant, by the key of the ref
	live    map[string]int          // sessions, by account
	seen    map[string]bool         // accounts that were dealt with
	cleared []*logiqc.User          // who has been reset, to be written
}

// newBatch begins a batch about accounts that have been loaded.
func (t *txn) newBatch(k batchKind, r logiqc.Reset, named map[string]*logiqc.User) (b *batchRun, err error) {
	b = &batchRun{txn: t, batchKind: k, reset: r, named: named, live: map[string]int{}, seen: map[string]bool{}}
	for _, id := range r.Seen {
		b.seen[id] = true
	}
	if r.KeepSessions {
		return b, nil
	}
	ids := make([]string, 0, len(named))
	for _, u := range named {
		ids = append(ids, u.ID)
	}
	slices.Sort(ids)
	b.live, err = t.LiveSessions(ids)
	return b, err
}

// goThrough goes through a batch; an account named twice is dealt with once.
func (t *txn) goThrough(k batchKind, r logiqc.Reset) ([]logiqc.ResetResult, error) {
	refs := make([]string, len(r.Users))
	for i, target := range r.Users {
		refs[i] = target.User
	}
	named, err := t.UsersExact(refs)
	if err != nil {
		return nil, err
	}
	b, err := t.newBatch(k, r, named)
	if err != nil {
		return nil, err
	}
	results, about := make([]logiqc.ResetResult, len(r.Users)), make([]*logiqc.User, len(r.Users))
	for i, target := range r.Users {
		results[i] = logiqc.ResetResult{Input: target.User, At: t.Now()}
		if about[i], err = b.goTo(target, &results[i]); err != nil {
			return nil, err
		}
	}
	if err := b.write(); err != nil {
		return nil, err
	}
	for i, u := range about {
		if u != nil {
			t.describe(&results[i], *u)
		}
	}
	return results, t.shorten(results)
}

// write writes what was decided.
func (b *batchRun) write() error {
	return b.ResetUsers(b.cleared, b.reset.Hold, b.reset.KeepSessions)
}

// goTo decides about one account and, if it may be, deals with it; it returns the
// account as it is then, or nil. A refusal is part of the result; err is for what
// makes the whole batch fail.
func (b *batchRun) goTo(target logiqc.ResetTarget, res *logiqc.ResetResult) (*logiqc.User, error) {
	u := b.named[logiqc.Key(target.User)]
	if u == nil { // look further, or say why not
		other, err := b.UserByRef(target.User)
		if err != nil {
			return nil, refusedBy(res, err)
		}
		if b.live[other.ID], err = b.CountSessions(other.ID); err != nil {
			return nil, err
		}
		u = &other
	}
	res.User, res.Outcome = u.Username, logiqc.ResetUnchanged
	if b.seen[u.ID] {
		res.Err = logiqc.Errorf(logiqc.Duplicate, "%s is named more than once", u.Username)
		return u, nil
	}
	b.seen[u.ID] = true
	if err := b.closed(b.action, b.may(b.txn, b.reset, *u)); err != nil {
		res.Outcome, res.Err = logiqc.ResetRefused, logiqc.AsError(err)
		res.MayRequest = b.action == logiqc.MFAResetDone && mayRequestInstead(res.Err.Code) && u.CheckRequest(b.actor) == nil
		// Where a person is asked next whether to ask for approval, the last word
		// is not spoken yet; leaving that question leaves nothing behind.
		if leadsOn := res.MayRequest && b.reset.Asks(b.actor); res.Err.Recorded() && !leadsOn {
			_, err = b.deny(b.action, u.Target(), res.Err)
			return u, err
		}
		return u, nil
	}
	return b.allowed(target, u, res)
}

// allowed deals with an account that may be, or says what that would do; it
// returns the account as goTo does.
func (b *batchRun) allowed(target logiqc.ResetTarget, u *logiqc.User, res *logiqc.ResetResult) (*logiqc.User, error) {
	r := b.reset
	if err := u.CheckTarget(target); err != nil {
		res.Outcome, res.Err = logiqc.ResetRefused, logiqc.AsError(err)
		return u, nil
	}
	cleared, any := u.Clears(b.Now())
	if !any && (!r.Hold || u.HeldAt != 0) {
		return u, nil
	}
	if !r.KeepSessions {
		cleared.Sessions = b.live[u.ID]
	}
	if b.action == logiqc.MFARequested {
		var err error
		if res.Open, err = b.open(*u); err != nil {
			return nil, err
		}
	}
	res.Cleared, res.WithCode = cleared, b.withCode(r)
	if b.made != nil {
		*b.made++
	}
	if !r.DryRun && r.Given {
		return u, b.do(b, u, res)
	}
	res.Outcome, res.MayRequest = b.would, b.action == logiqc.MFAResetDone && u.Privileged() && r.Asks(b.actor)
	if !r.DryRun {
		res.Err = confirmationRequired(b.nothing)
	}
	after := *u // as it would be
	if r.Hold {
		after.HeldAt = b.Now()
	}
	return &after, nil
}

// refusedBy makes the outcome of an account that could not be found, or that
// two accounts answer to; any other error is the whole batch's.
func refusedBy(res *logiqc.ResetResult, err error) error {
	e := logiqc.AsError(err)
	if e.Code != logiqc.NotFound && e.Code != logiqc.Ambiguous {
		return err
	}
	res.Outcome, res.Err = logiqc.ResetRefused, e
	return nil
}
