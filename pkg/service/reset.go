package service

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// service is the Service of one actor.
type service struct {
	desk  *Desk
	actor logiqc.Actor
}

// Actor implements [logiqc.Service].
func (s *service) Actor() logiqc.Actor { return s.actor }

// ResetMFA implements [logiqc.Service]. All that it clears, the sessions it
// ends and the events that say so are one transaction.
func (s *service) ResetMFA(ctx context.Context, r logiqc.Reset) ([]logiqc.ResetResult, error) {
	return s.batch(ctx, resetting, r)
}

// batchKind is what a batch does with each account: reset it, or ask that a
// second operator approves that.
type batchKind struct {
	command string
	action  logiqc.Action
	would   logiqc.ResetOutcome
	nothing string // what was not done without consent
	// may refuses by a rule, in the order of the contract.
	may func(t *txn, r logiqc.Reset, u logiqc.User) error
	do  func(t *txn, r logiqc.Reset, u *logiqc.User, res *logiqc.ResetResult) error
}

var resetting = batchKind{
	command: "mfa reset", action: logiqc.MFAResetDone, would: logiqc.ResetWould, nothing: "nothing was reset",
	may: (*txn).mayReset, do: (*txn).reset,
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
		var replayed bool
		results, replayed, err = once(t, k.command, matterOf(r), func() ([]logiqc.ResetResult, error) { return t.goThrough(k, r) })
		for i := range results {
			results[i].Replayed.Replayed = replayed
		}
		return err
	})
	return results, err
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

// goThrough goes through a batch; an account named twice is dealt with once.
func (t *txn) goThrough(k batchKind, r logiqc.Reset) ([]logiqc.ResetResult, error) {
	results := make([]logiqc.ResetResult, 0, len(r.Users))
	seen := map[string]bool{}
	for _, id := range r.Seen {
		seen[id] = true
	}
	for _, target := range r.Users {
		res := logiqc.ResetResult{Input: target.User, At: t.Now()}
		if err := t.goTo(k, r, target, seen, &res); err != nil {
			return nil, err
		}
		results = append(results, res)
	}
	return results, t.shorten(results)
}

// goTo decides about one account and, if it may be, deals with it. A refusal is
// part of the result; err is for what makes the whole batch fail.
func (t *txn) goTo(k batchKind, r logiqc.Reset, target logiqc.ResetTarget, seen map[string]bool, res *logiqc.ResetResult) error {
	u, err := t.UserByRef(target.User)
	if err != nil {
		return refusedBy(res, err)
	}
	res.User, res.Outcome = u.Username, logiqc.ResetUnchanged
	if seen[u.ID] {
		res.Err = logiqc.Errorf(logiqc.Duplicate, "%s is named more than once", u.Username)
		t.describe(res, u)
		return nil
	}
	seen[u.ID] = true
	if err := t.closed(k.action, k.may(t, r, u)); err != nil {
		res.Outcome, res.Err = logiqc.ResetRefused, logiqc.AsError(err)
		res.MayRequest = k.action == logiqc.MFAResetDone && mayRequestInstead(res.Err.Code) && u.CheckRequest(t.actor) == nil
		// Where a person is asked next whether to ask for approval, the last word
		// is not spoken yet; leaving that question leaves nothing behind.
		if leadsOn := res.MayRequest && r.Asks(t.actor); res.Err.Recorded() && !leadsOn {
			if _, err := t.deny(k.action, u.Target(), res.Err); err != nil {
				return err
			}
		}
		t.describe(res, u)
		return nil
	}
	return t.allowed(k, r, target, u, res)
}

// mayReset applies the rules of a reset, in the order of the contract.
func (t *txn) mayReset(r logiqc.Reset, u logiqc.User) error {
	made, failed := t.resetsMade()
	if failed != nil {
		return failed
	}
	approval := t.policy.CheckApproval(u, t.Now(), made)
	if err := u.CheckReset(t.actor, r.Consent); err != nil {
		if approval != nil && errors.Is(err, logiqc.Privileged) { // to type the name would not help
			err = logiqc.AsError(err).WithHint("%s", logiqc.AsError(approval).Hint)
		}
		return err
	}
	if approval != nil {
		return approval
	}
	if err := t.policy.CheckStepUp(t.actor, t.Now()); err != nil {
		return err
	}
	return t.policy.CheckGrounds(r.Request, r.WillAsk(t.actor))
}

// resetsMade is how many resets the operator made in the last hour without a
// second one; it is looked up where the policy limits it.
func (t *txn) resetsMade() (n int, err error) {
	if t.policy.MaxPerHour > 0 && t.made == nil {
		if n, err = t.ResetsBy(t.actor.AccountID, t.actor.Username, t.Now().Add(-time.Hour)); err != nil {
			return 0, err
		}
		t.made = &n
	}
	if t.made == nil {
		return 0, nil
	}
	return *t.made, nil
}

// allowed deals with an account that may be, or says what that would do.
func (t *txn) allowed(k batchKind, r logiqc.Reset, target logiqc.ResetTarget, u logiqc.User, res *logiqc.ResetResult) (err error) {
	if err := u.CheckShown(target.Shown, target.IfEnrolledAt); err != nil {
		res.Outcome, res.Err = logiqc.ResetRefused, logiqc.AsError(err)
		t.describe(res, u)
		return nil
	}
	cleared, any := u.Clears(t.Now())
	if !any && (!r.Hold || u.HeldAt != 0) {
		t.describe(res, u)
		return nil
	}
	if !r.KeepSessions {
		if cleared.Sessions, err = t.CountSessions(u.ID); err != nil {
			return err
		}
	}
	if k.action == logiqc.MFARequested {
		if res.Open, err = t.open(u); err != nil {
			return err
		}
	}
	res.Cleared, res.WithCode = cleared, t.withCode(r)
	if t.made != nil {
		*t.made++
	}
	if r.DryRun || !r.Given {
		res.Outcome, res.MayRequest = k.would, k.action == logiqc.MFAResetDone && u.Privileged() && r.Asks(t.actor)
		if !r.DryRun {
			res.Err = confirmationRequired(k.nothing)
		}
		if r.Hold {
			u.HeldAt = t.Now() // as it would be
		}
		t.describe(res, u)
		return nil
	}
	return k.do(t, r, &u, res)
}

// withCode tells whether an enrolment code goes with a reset. What is approved
// has the one that its requester was given, or none.
func (t *txn) withCode(r logiqc.Reset) bool {
	if t.approving != nil {
		return t.approving.CodeHash != ""
	}
	return r.EnrolmentCode || t.policy.EnrolmentCode != logiqc.CodeOff
}

// reset clears the enrolment and nothing else (product.md R2): the secret, a
// pending one, the recovery codes, the replay mark, the misses of codes; and
// it ends the sessions.
func (t *txn) reset(r logiqc.Reset, u *logiqc.User, res *logiqc.ResetResult) error {
	if err := t.ClearEnrolments(u.ID); err != nil {
		return err
	}
	if err := t.endSessionsAtReset(u.ID, r.KeepSessions); err != nil {
		return err
	}
	u.Enrolled, u.Pending, u.RecoveryLeft = nil, nil, 0
	u.CodeThrottle = logiqc.Throttle{}
	u.ResetAt, u.ResetBy, u.ResetSeen, u.WindowAt = t.Now(), t.actor.Username, false, t.Now()
	if r.Hold {
		u.HeldAt = t.Now()
	}
	if err := t.UpdateUser(u); err != nil {
		return err
	}
	c := res.Cleared
	d := logiqc.Details{
		Authenticator: &c.Authenticator, Pending: &c.Pending, RecoveryCodes: &c.RecoveryCodes, Sessions: &c.Sessions,
		KeptSessions: r.KeepSessions, NotifyUser: "operator", Held: r.Hold,
	}
	if a := t.approving; a != nil {
		d.Approval, d.RequestedBy = a.ID, a.RequestedBy
	}
	if res.WithCode {
		issued, digest, err := t.issueCode(u, r.CodeTTL)
		if err != nil {
			return err
		}
		res.EnrolmentCode, d.EnrolmentCode, d.ExpiresAt = &issued, digest, issued.ExpiresAt
	}
	ref, err := t.record(logiqc.MFAResetDone, u.Target(), d)
	if err != nil {
		return err
	}
	res.Outcome, res.Changed, res.Audit = logiqc.ResetDone, true, &ref
	t.describe(res, *u)
	return nil
}

// endSessionsAtReset ends the sessions, or only the sign-ins under way, which
// wait for a factor that is gone.
func (t *txn) endSessionsAtReset(userID string, keep bool) error {
	if keep {
		return t.EndAttempts(userID)
	}
	_, err := t.EndSessions(userID)
	return err
}

// describe adds to a result how the account stands now, and what its user
// meets at the next sign-in.
func (t *txn) describe(res *logiqc.ResetResult, u logiqc.User) {
	a := u.Account(t.policy, t.Now())
	res.Account, res.Shown = &a, u.Shown()
	after := u
	if res.Outcome == logiqc.ResetWould || res.Outcome == logiqc.ResetWouldRequest {
		after.Enrolled, after.CodeThrottle = nil, logiqc.Throttle{}
	}
	res.NextSignin, _, _ = after.Next(t.policy, t.Now())
	if res.Outcome == logiqc.ResetDone && res.NextSignin != logiqc.NextBlocked {
		res.Message = t.policy.ResetMessage(a, res.WithCode)
	}
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

func confirmationRequired(nothing string) *logiqc.Error {
	return logiqc.Errorf(logiqc.ConfirmationRequired, "this needs a confirmation; %s", nothing).
		WithHint("run it on a terminal, or add --yes")
}
