package service

import (
	"context"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// VerifyCode implements [logiqc.Service]. A code that was wrong, or not looked
// at, is committed like one that was right, and then answered as an error.
func (s *service) VerifyCode(ctx context.Context, r logiqc.CodeCheck) (out logiqc.CodeChecked, err error) {
	r.Given = true
	err = s.desk.update(ctx, s.actor, r.Request, func(t *txn) error {
		if err := t.need(logiqc.MFAVerify, logiqc.MFACodeVerified, r.User); err != nil {
			return err
		}
		matter := r
		matter.Request, matter.Code = logiqc.Request{Reason: r.Reason, Ticket: r.Ticket}, ""
		var again bool
		out, again, err = once(t, "mfa verify", matter, func() (logiqc.CodeChecked, error) { return t.verifyCode(r) })
		out.Replayed.Replayed = again
		return err
	})
	if err == nil && out.Err != nil {
		err = out.Err
	}
	return out, err
}

func (t *txn) verifyCode(r logiqc.CodeCheck) (out logiqc.CodeChecked, err error) {
	u, err := t.UserByRef(r.User)
	if err != nil {
		return out, err
	}
	if err := t.check(logiqc.MFACodeVerified, r.User, u.CheckVerify(t.actor)); err != nil {
		return out, err
	}
	spent, answer, err := t.verifySecondFactor(&u, r.Code, logiqc.MFACodeVerified)
	if answer != nil || err != nil {
		out.Err = logiqc.AsError(answer)
		return out, err
	}
	u.CodeThrottle = logiqc.Throttle{}
	if err := t.UpdateUser(&u); err != nil {
		return out, err
	}
	out.Audit, err = t.record(logiqc.MFACodeVerified, u.Target(), logiqc.Details{Step: spent, Method: "code"})
	out.Account = u.Account(t.policy, t.Now())
	return out, err
}

// Run implements [logiqc.Service].
func (s *service) Run(ctx context.Context, requestID string) (f logiqc.RunFigures, err error) {
	err = s.desk.view(ctx, s.actor, func(t *txn) error {
		if err := t.need(logiqc.UsersRead, logiqc.UserViewed, ""); err != nil {
			return err
		}
		var ok bool
		if f, ok, err = t.Tx.Run(requestID); err == nil && !ok {
			return logiqc.Errorf(logiqc.NotFound, "no reset had the run %q", requestID).
				WithHint("the run is the request id of its resets: logiqc audit list --action mfa.reset -o json")
		}
		return err
	})
	return f, err
}
