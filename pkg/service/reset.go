package service

import (
	"context"
	"errors"
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

var resetting = batchKind{
	command: "mfa reset", action: logiqc.MFAResetDone, would: logiqc.ResetWould, nothing: "nothing was reset",
	may: (*txn).mayReset, do: (*batchRun).clear,
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

// withCode tells whether an enrolment code goes with a reset. What is approved
// has the one that its requester was given, or none.
func (t *txn) withCode(r logiqc.Reset) bool {
	if t.approving != nil {
		return t.approving.CodeHash != ""
	}
	return r.EnrolmentCode || t.policy.EnrolmentCode != logiqc.CodeOff
}

// clear resets an account, which is written at the end of the batch.
func (b *batchRun) clear(u *logiqc.User, res *logiqc.ResetResult) error {
	r, c := b.reset, res.Cleared
	d := logiqc.Details{
		Authenticator: &c.Authenticator, Pending: &c.Pending, RecoveryCodes: &c.RecoveryCodes, Sessions: &c.Sessions,
		KeptSessions: r.KeepSessions, NotifyUser: "operator", Held: r.Hold,
	}
	if a := b.approving; a != nil {
		d.Approval, d.RequestedBy = a.ID, a.RequestedBy
	}
	u.Reset(b.actor.Username, b.Now(), r.Hold)
	if res.WithCode {
		issued, digest, err := b.giveCode(u, r.CodeTTL)
		if err != nil {
			return err
		}
		res.EnrolmentCode, d.EnrolmentCode, d.ExpiresAt = &issued, digest, issued.ExpiresAt
	}
	ref, err := b.record(logiqc.MFAResetDone, u.Target(), d)
	if err != nil {
		return err
	}
	b.cleared = append(b.cleared, u)
	res.Outcome, res.Changed, res.Audit = logiqc.ResetDone, true, &ref
	return nil
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
	res.Message = t.messageFor(res)
}

// messageFor is what to tell the user of a reset, "" when there is nothing.
func (t *txn) messageFor(res *logiqc.ResetResult) string {
	if res.Outcome != logiqc.ResetDone || res.NextSignin == logiqc.NextBlocked {
		return ""
	}
	return t.policy.ResetMessage(*res.Account, res.WithCode)
}

func confirmationRequired(nothing string) *logiqc.Error {
	return logiqc.Errorf(logiqc.ConfirmationRequired, "this needs a confirmation; %s", nothing).
		WithHint("run it on a terminal, or add --yes")
}
