package service

import (
	"context"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// DecideApproval implements [logiqc.Service].
func (s *service) DecideApproval(ctx context.Context, d logiqc.Decision) (out logiqc.Decided, err error) {
	if err := logiqc.CheckApprovalRef(d.ID); err != nil {
		return out, err
	}
	action, command := logiqc.MFARejected, "mfa reject"
	if d.Approve {
		action, command = logiqc.MFAApproved, "mfa approve"
	}
	err = s.desk.update(ctx, s.actor, d.Request, func(t *txn) error {
		if err := t.need(logiqc.MFAReset, action, ""); err != nil {
			return err
		}
		if err := refuse(action, "", t.policy.CheckApprover(t.actor)); err != nil {
			return err
		}
		matter := d
		matter.Request = logiqc.Request{Reason: d.Reason}
		var again bool
		out, again, err = once(t, command, matter, func() (logiqc.Decided, error) { return t.decide(d, action) })
		out.Replayed.Replayed = again
		return err
	})
	return out, err
}

func (t *txn) decide(d logiqc.Decision, action logiqc.Action) (out logiqc.Decided, err error) {
	a, u, err := t.approvalByRef(d.ID)
	if err != nil {
		return out, err
	}
	if err := t.closed(action, t.mayDecide(d, a, u)); err != nil {
		return out, refuseAbout(action, u, err, logiqc.Details{Approval: a.ID, RequestedBy: a.RequestedBy})
	}
	if d.Approve {
		return t.approve(d, a, u)
	}
	return t.reject(d, a, u)
}

// refuseAbout is refuse with more for the event to say.
func refuseAbout(action logiqc.Action, u logiqc.User, err error, about logiqc.Details) error {
	err = refuse(action, u.ID, err)
	if r, ok := err.(*refusal); ok { //nolint:errorlint // as refuse made it
		r.about = about
	}
	return err
}

// mayDecide applies the rules of a decision, and refuses one about a request
// that is not open any more.
func (t *txn) mayDecide(d logiqc.Decision, a store.Approval, u logiqc.User) error {
	if err := u.CheckDecide(t.actor, a.RequesterID); err != nil {
		return err
	}
	if d.Approve {
		if err := t.policy.CheckStepUp(t.actor, t.Now()); err != nil {
			return err
		}
	}
	again := "ask again: logiqc mfa request " + u.Username
	switch a.StateAt(t.Now()) {
	case logiqc.ApprovalExpired:
		return logiqc.Errorf(logiqc.Expired, "the request of %s for %s has run out", a.RequestedBy, u.Username).WithHint("%s", again)
	case logiqc.ApprovalApproved, logiqc.ApprovalRejected:
		return logiqc.Errorf(logiqc.Conflict, "the request of %s for %s was %s by %s already; nothing was changed",
			a.RequestedBy, u.Username, a.State, a.DecidedBy)
	}
	if d.Approve && u.Shown() != a.Mark {
		return changedSince(u)
	}
	return nil
}

func changedSince(u logiqc.User) error {
	return logiqc.Errorf(logiqc.Conflict, "the enrolment of %s has changed since this was asked for; nothing was reset", u.Username).
		WithHint("look again: logiqc users show %s; then ask again: logiqc mfa request %s", u.Username, u.Username)
}

// approve performs the reset that was asked for. In the log it has the grounds
// of the request, and both names.
func (t *txn) approve(d logiqc.Decision, a store.Approval, u logiqc.User) (out logiqc.Decided, err error) {
	t.approving = &a
	t.request.Reason, t.request.Ticket, t.request.VerifiedBy = a.Reason, a.Ticket, a.VerifiedBy
	if a.CodeHash != "" {
		t.codes = []freshCode{{hash: a.CodeHash.Reveal(), until: a.CodeUntil}}
	}
	res := logiqc.ResetResult{Input: u.Username, User: u.Username, Outcome: logiqc.ResetUnchanged, At: t.Now()}
	r := logiqc.Reset{Request: d.Request, KeepSessions: a.KeepSessions, Hold: a.Hold}
	if d.Given {
		if _, err := t.record(logiqc.MFAApproved, u.Target(), logiqc.Details{Approval: a.ID, RequestedBy: a.RequestedBy}); err != nil {
			return out, err
		}
	}
	b, err := t.newBatch(resetting, r, map[string]*logiqc.User{u.ID: &u})
	if err != nil {
		return out, err
	}
	after, err := b.allowed(logiqc.ResetTarget{User: u.Username, Shown: a.Mark}, &u, &res)
	if err == nil {
		err = b.write()
	}
	if err != nil {
		return out, err
	}
	t.describe(&res, *after)
	switch res.Outcome {
	case logiqc.ResetWould:
		out.Err, res.Err = res.Err, nil
	case logiqc.ResetDone:
		res.EnrolmentCode = nil // the requester's alone
		if err := t.closeApproval(&a, logiqc.ApprovalApproved, res.Audit.Seq); err != nil {
			return out, err
		}
	default: // what there was to clear has gone
		return out, changedSince(u)
	}
	out.Reset = &res
	out.Approval, err = t.oneApproval(a, u)
	return out, err
}

// reject closes a request without a reset.
func (t *txn) reject(d logiqc.Decision, a store.Approval, u logiqc.User) (out logiqc.Decided, err error) {
	switch {
	case d.Given:
		t.request.Ticket, t.request.VerifiedBy = a.Ticket, a.VerifiedBy
		if _, err := t.record(logiqc.MFARejected, u.Target(), logiqc.Details{Approval: a.ID, RequestedBy: a.RequestedBy}); err != nil {
			return out, err
		}
		if err := t.closeApproval(&a, logiqc.ApprovalRejected, -1); err != nil {
			return out, err
		}
	case !d.DryRun:
		out.Err = confirmationRequired("the request is open still")
	}
	out.Approval, err = t.oneApproval(a, u)
	return out, err
}

// closeApproval writes down what became of a request, once.
func (t *txn) closeApproval(a *store.Approval, state logiqc.ApprovalState, resetSeq int64) error {
	ok, err := t.Tx.DecideApproval(a.ID, state, t.actor.AccountID, resetSeq)
	if err == nil && !ok {
		err = logiqc.Errorf(logiqc.Conflict, "the request was decided meanwhile; nothing was changed")
	}
	a.State, a.DeciderID, a.DecidedBy, a.DecidedAt, a.ResetSeq = state, t.actor.AccountID, t.actor.Username, t.Now(), resetSeq
	return err
}
