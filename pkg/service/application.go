package service

import (
	"context"
	"errors"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// mayPassOn refuses an application that may not pass sign-ins on.
func (s *signIn) mayPassOn(ctx context.Context) error {
	if s.app == nil {
		return nil
	}
	return s.desk.view(ctx, *s.app, func(t *txn) error {
		return refuse(logiqc.SigninStarted, "", t.actor.CheckApplication(logiqc.SignIns))
	})
}

// whence is where a sign-in comes from: for one that an application passes on
// where it says that the user is, now or when the sign-in began, and by which
// application.
func (s *signIn) whence(src logiqc.Source, sess *store.Session) logiqc.Source {
	if s.app == nil {
		return src
	}
	if src == (logiqc.Source{}) {
		src = s.app.Source
		if sess != nil && sess.App == s.app.Name {
			src = logiqc.Source{Host: sess.Host, IP: sess.IP}
		}
	}
	src.App = s.app.Name
	return src
}

// SecondFactor implements [logiqc.Service]. Like a sign-in it is the user's own
// doing in the log, by way of the application.
func (s *service) SecondFactor(ctx context.Context, r logiqc.FactorCheck) (out logiqc.FactorChecked, err error) {
	var answer error
	err = s.desk.update(ctx, s.actor, logiqc.Request{}, func(t *txn) error {
		if err := t.actor.CheckApplication(logiqc.SecondFactor); err != nil {
			return refuse(logiqc.SigninStarted, r.User, err)
		}
		u, err := t.UserExact(r.User)
		known := err == nil
		if !known && !errors.Is(err, logiqc.NotFound) && !errors.Is(err, logiqc.Ambiguous) {
			return err
		}
		app := &signIn{app: &t.actor}
		t.actor = asTarget(u, known, app.whence(r.From, nil))
		out, answer, err = t.secondFactor(u, known, r)
		return err
	})
	if err == nil {
		err = answer
	}
	return out, err
}

// secondFactor decides on a factor inside the transaction, as judge and the
// steps after it do on a sign-in.
func (t *txn) secondFactor(u logiqc.User, known bool, r logiqc.FactorCheck) (out logiqc.FactorChecked, answer, err error) {
	switch {
	case !known:
		return out, denied(), t.signinFailed(logiqc.User{}, causeUnknown)
	case u.Status != logiqc.Active:
		return out, denied(), t.signinFailed(u, causeInactive)
	case u.Auth == logiqc.BySSO:
		return out, denied(), t.signinFailed(u, causeSSO)
	}
	if held := u.CheckHeld(t.policy, t.Now()); held != nil {
		return out, held, t.heldBack(&u, logiqc.Details{})
	}
	switch {
	case !u.MFARequired(t.policy):
		return t.factorPassed(&u, logiqc.FactorNotRequired, logiqc.Details{Method: "password"})
	case u.Enrolled == nil:
		_, err = t.record(logiqc.SigninStarted, u.Target(), logiqc.Details{Next: logiqc.NextEnrol})
		return out, logiqc.Errorf(logiqc.EnrolmentRequired, "%s has to set up an authenticator app first", u.Username).
			WithHint("logiqc enrol %s", u.Username), err
	case r.Code == "" && r.RecoveryCode == "":
		_, err = t.record(logiqc.SigninStarted, u.Target(), logiqc.Details{Next: logiqc.NextCode})
		return out, logiqc.Errorf(logiqc.CodeRequired, "a code of the authenticator app is needed, or a recovery code"), err
	}
	d := logiqc.Details{Method: "code"}
	if r.Code != "" {
		d.Step, answer, err = t.verifySecondFactor(&u, r.Code, logiqc.SigninFailed)
	} else {
		d.Method = byRecoveryCode
		answer, err = t.spendRecoveryCode(&u, r.RecoveryCode)
	}
	if answer != nil || err != nil {
		return out, answer, err
	}
	u.CodeThrottle = logiqc.Throttle{}
	return t.factorPassed(&u, logiqc.FactorPassed, d)
}

// factorPassed records that the application may let the user in.
func (t *txn) factorPassed(u *logiqc.User, o logiqc.FactorOutcome, d logiqc.Details) (out logiqc.FactorChecked, answer, err error) {
	out = logiqc.FactorChecked{User: u.Username, Outcome: o, Notice: resetNotice(*u), RecoveryCodesLeft: u.RecoveryLeft}
	u.LastSuccessAt, u.ResetSeen = t.Now(), true
	if err := t.UpdateUser(u); err != nil {
		return out, nil, err
	}
	_, err = t.record(logiqc.SigninSucceeded, u.Target(), d)
	return out, nil, err
}
