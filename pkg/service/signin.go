package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/password"
	"github.com/logiqc/logiqc/pkg/store"
)

// signIn is the way in: the password here, the second factor in factor.go,
// enrolment in enrol.go.
type signIn struct {
	desk *Desk
	app  *logiqc.Actor // whose token passes the sign-ins on, or nil
}

// The true reasons of a failed sign-in, for the log and the operator's card.
const (
	causeUnknown    = "unknown_user"
	causeInactive   = "inactive"
	causeSSO        = "sso"
	causeNoPassword = "no_password"
	causePassword   = "wrong_password"
	causeCode       = "wrong_code"
	causeReplayed   = "code_used_before"
	causeRecovery   = "wrong_recovery_code"
	causeDeskCode   = "wrong_enrolment_code"
	causeHeld       = "held"
	causeSealed     = "secret_not_opened"
)

// denied is what every failure before the password is right looks like
// (ASVS 6.3.8).
func denied() error {
	return logiqc.Errorf(logiqc.SigninDenied, "sign-in denied: the user or the password is not right").
		WithHint("if you cannot sign in, the help desk can see why: logiqc users show <user>")
}

// Start implements [logiqc.SignIn]. The password is checked outside the
// transaction, which is slow on purpose, and judged inside it: the counter of
// misses moves, and is committed, before anybody is answered.
func (s *signIn) Start(ctx context.Context, r logiqc.SigninRequest) (logiqc.Attempt, error) {
	r.Purpose = cmp.Or(r.Purpose, logiqc.SigninPurpose)
	if err := r.Purpose.Check(); err != nil {
		return logiqc.Attempt{}, err
	}
	if err := s.mayPassOn(ctx); err != nil {
		return logiqc.Attempt{}, err
	}
	r.Source = s.whence(r.Source, nil)
	return s.start(ctx, r)
}

func (s *signIn) start(ctx context.Context, r logiqc.SigninRequest) (logiqc.Attempt, error) {
	for {
		u, known, err := s.lookUp(ctx, r.User)
		if err != nil {
			return logiqc.Attempt{}, err
		}
		check, err := s.check(ctx, u, r.Password)
		if err != nil {
			return logiqc.Attempt{}, err
		}
		var at logiqc.Attempt
		var answer error
		again := false
		err = s.desk.update(ctx, asTarget(u, known, r.Source), logiqc.Request{}, func(t *txn) error {
			now := u
			if known {
				if now, err = t.UserByID(u.ID); err != nil {
					return err
				}
				if again = now.PasswordHash != u.PasswordHash; again {
					return nil // it was changed meanwhile: check against the new one
				}
			}
			at, answer, err = s.judge(t, now, known, check, r)
			return err
		})
		if err != nil {
			return logiqc.Attempt{}, err
		}
		if !again {
			return at, answer
		}
	}
}

// lookUp finds the account that a sign-in names; a name that means none, or
// two, is not known.
func (s *signIn) lookUp(ctx context.Context, ref string) (u logiqc.User, known bool, err error) {
	err = s.desk.store.View(ctx, func(tx *store.Tx) error {
		u, err = tx.UserExact(ref)
		return err
	})
	if errors.Is(err, logiqc.NotFound) || errors.Is(err, logiqc.Ambiguous) {
		return logiqc.User{}, false, nil
	}
	return u, err == nil, err
}

// checked is what became of the password.
type checked struct {
	password.Result
	rehashed string // of a right one whose stored form is weaker than today's
}

// check verifies the password, with the same work whether the account can sign
// in with it or not. Whoever leaves while they wait for a core holds up nobody.
func (s *signIn) check(ctx context.Context, u logiqc.User, given logiqc.Secret) (c checked, err error) {
	select {
	case s.desk.cores <- struct{}{}:
		defer func() { <-s.desk.cores }()
	case <-ctx.Done():
		return c, ctx.Err()
	}
	if u.PasswordHash == "" || u.Auth == logiqc.BySSO || u.Status != logiqc.Active {
		password.VerifyNone(given.Reveal())
		return c, nil
	}
	c.Result = password.Verify(u.PasswordHash.Reveal(), given.Reveal())
	if c.OK && c.Weak {
		c.rehashed, err = password.Hash(s.desk.rand, given.Reveal())
	}
	return c, err
}

// asTarget is the actor of a sign-in: the account that is signing in, or
// nobody.
func asTarget(u logiqc.User, known bool, src logiqc.Source) logiqc.Actor {
	a := logiqc.Actor{Source: src}
	if known {
		a.ID, a.Name, a.AccountID, a.Username = u.ID, u.Username, u.ID, u.Username
	}
	return a
}

// judge decides on a sign-in inside the transaction. answer is what the caller
// is told, err what keeps the transaction from committing.
func (s *signIn) judge(t *txn, u logiqc.User, known bool, c checked, r logiqc.SigninRequest) (at logiqc.Attempt, answer, err error) {
	switch {
	case !known:
		return at, denied(), t.signinFailed(logiqc.User{}, causeUnknown)
	case u.Status != logiqc.Active:
		return at, denied(), t.signinFailed(u, causeInactive)
	case u.Auth == logiqc.BySSO:
		return at, denied(), t.signinFailed(u, causeSSO)
	case u.PasswordHash == "":
		return at, denied(), t.signinFailed(u, causeNoPassword)
	case u.PasswordThrottle.Waiting(t.Now()):
		return at, denied(), t.throttled(&u, &u.PasswordThrottle)
	case !c.OK:
		u.PasswordThrottle = u.PasswordThrottle.Miss(t.Now())
		return at, denied(), t.missed(&u, logiqc.SigninFailed, causePassword, u.PasswordThrottle.Misses, 0)
	}
	u.PasswordThrottle = logiqc.Throttle{}
	if c.rehashed != "" && t.closed(logiqc.UserPasswordSet, nil) == nil {
		u.PasswordHash = logiqc.Secret(c.rehashed)
		if _, err := t.record(logiqc.UserPasswordSet, u.Target(), logiqc.Details{Password: password.Digest(c.rehashed)}); err != nil {
			return at, nil, err
		}
	}
	at, answer, err = t.admit(&u, r)
	return at, answer, err
}

// admit makes the session of a sign-in whose password was right, at the stage
// that comes next, and writes the account back.
func (t *txn) admit(u *logiqc.User, r logiqc.SigninRequest) (at logiqc.Attempt, answer, err error) {
	given := logiqc.Details{Method: "password"}
	if held := u.CheckHeld(t.policy, t.Now()); held != nil {
		return at, held, t.heldBack(u, given)
	}
	stage, answer := stageAfterPassword(*u, t.policy, r.Purpose, t.Now())
	if answer != nil {
		if err := t.UpdateUser(u); err != nil {
			return at, nil, err
		}
		action := logiqc.EnrolmentStarted
		if r.Purpose == logiqc.RecoveryPurpose {
			action = logiqc.RecoveryCodesIssued
		}
		answer, err = t.refusedAfter(action, *u, given, answer)
		return at, answer, err
	}
	bearer, hash, err := newBearer(t.desk.rand, sessionPrefix)
	if err != nil {
		return at, nil, err
	}
	id, err := t.desk.newID()
	if err != nil {
		return at, nil, err
	}
	sess := store.Session{
		ID: id, Hash: hash, UserID: u.ID, Purpose: r.Purpose, Stage: stage, Host: r.Source.Host, IP: r.Source.IP,
		App: r.Source.App, CreatedAt: t.Now(), LastUsedAt: t.Now(), ExpiresAt: t.Now().Add(logiqc.AttemptFor),
	}
	if err := t.InsertSession(sess); err != nil {
		return at, nil, err
	}
	if stage == logiqc.StageSignedIn {
		bearer, err = t.finish(&sess, u, given)
	} else if err = t.UpdateUser(u); err == nil {
		_, err = t.record(logiqc.SigninStarted, u.Target(), logiqc.Details{Session: id, Next: nextOf(stage, r.Purpose)})
	}
	return t.attempt(sess, *u, bearer), nil, err
}

// stageAfterPassword tells where a right password leads, or refuses a purpose
// that the account cannot have.
func stageAfterPassword(u logiqc.User, p logiqc.Policy, purpose logiqc.Purpose, now logiqc.Time) (logiqc.Stage, error) {
	enrolled := u.Enrolled != nil
	switch purpose {
	case passwordPurpose:
		return logiqc.StageEnrol, nil
	case logiqc.EnrolPurpose:
		if enrolled {
			return "", logiqc.Errorf(logiqc.AlreadyEnrolled, "%s is enrolled already", u.Username).
				WithHint("to move to a new phone: logiqc enrol %s --replace", u.Username)
		}
		return logiqc.StageEnrol, nil
	case logiqc.ReplacePurpose, logiqc.RecoveryPurpose:
		if !enrolled {
			return "", logiqc.Errorf(logiqc.EnrolmentRequired, "%s has no authenticator app set up", u.Username).
				WithHint("logiqc enrol %s", u.Username)
		}
		return logiqc.StageCode, nil
	}
	switch {
	case !u.MFARequired(p):
		return logiqc.StageSignedIn, nil
	case enrolled:
		return logiqc.StageCode, nil
	default:
		return logiqc.StageEnrol, nil
	}
}

// nextOf names what a sign-in at the stage waits for.
func nextOf(stage logiqc.Stage, purpose logiqc.Purpose) string {
	switch {
	case stage == logiqc.StageCode:
		return logiqc.NextCode
	case purpose == logiqc.SigninPurpose:
		return logiqc.NextEnrol
	}
	return string(purpose)
}

// finish turns the attempt into a session. Its token is a fresh one: that of
// the attempt, which may stand in the addresses of requests, opens nothing any
// more (ASVS 7.2.4).
func (t *txn) finish(sess *store.Session, u *logiqc.User, d logiqc.Details) (bearer logiqc.Secret, err error) {
	if bearer, sess.Hash, err = newBearer(t.desk.rand, sessionPrefix); err != nil {
		return "", err
	}
	sess.Stage, sess.SignedInAt = logiqc.StageSignedIn, t.Now()
	sess.ExpiresAt = t.Now().Add(t.policy.SessionTTL)
	if err := t.UpdateSession(*sess); err != nil {
		return "", err
	}
	t.notice = resetNotice(*u)
	u.LastSuccessAt, u.ResetSeen = t.Now(), true
	d.Session, d.Bearer = sess.ID, logiqc.Digest(sess.Hash)
	ref, err := t.record(logiqc.SigninSucceeded, u.Target(), d)
	if err != nil {
		return "", err
	}
	if t.actor.Source.App == "" { // what an application shows its users is not for operators
		news, err := t.recoveriesUntold(*u)
		if err != nil {
			return "", err
		}
		t.notice, u.Told = strings.TrimSpace(t.notice+"\n"+news), ref.Seq
	}
	return bearer, t.UpdateUser(u)
}

// attempt describes a session to whoever holds it.
func (t *txn) attempt(s store.Session, u logiqc.User, bearer logiqc.Secret) logiqc.Attempt {
	at := logiqc.Attempt{
		Token: bearer, ID: s.ID, Stage: s.Stage, User: u.Username, ExpiresAt: s.ExpiresAt,
		Notice:  cmp.Or(t.notice, resetNotice(u)),
		Pending: u.PendingAt(t.Now()) != nil && t.mayProve(s, u), CodeNeeded: !t.mayStart(s, u),
	}
	if s.Stage == logiqc.StageSignedIn {
		at.RecoveryCodesLeft = u.RecoveryLeft
	}
	return at
}

// resetNotice tells a user, once, that their MFA was reset (product.md R10).
func resetNotice(u logiqc.User) string {
	if u.ResetAt == 0 || u.ResetSeen {
		return ""
	}
	return fmt.Sprintf("Your MFA was reset on %s by %s. If you did not ask for this, call the help desk at once.",
		u.ResetAt.Std().Format("2 January 2006 at 15:04 UTC"), u.ResetBy)
}

// missed writes back an account that gave a wrong factor, and records it as a
// failed action.
func (t *txn) missed(u *logiqc.User, action logiqc.Action, cause string, misses int, drift int64) error {
	u.LastFailure = logiqc.Failure{At: t.Now(), Reason: cause, Host: t.actor.Source.Host}
	if err := t.UpdateUser(u); err != nil {
		return err
	}
	code := logiqc.WrongCode
	if cause == causePassword {
		code = logiqc.SigninDenied
	}
	_, err := t.append(logiqc.Body{Action: action, Outcome: logiqc.Failed, Target: u.Target(), Code: code,
		Details: logiqc.Details{Cause: cause, Misses: misses, Drift: drift}})
	return err
}

// signinFailed records a failure that counts for nobody's throttle.
func (t *txn) signinFailed(u logiqc.User, cause string) error {
	if u.ID != "" {
		u.LastFailure = logiqc.Failure{At: t.Now(), Reason: cause, Host: t.actor.Source.Host}
		if err := t.UpdateUser(&u); err != nil {
			return err
		}
	}
	_, err := t.append(logiqc.Body{Action: logiqc.SigninFailed, Outcome: logiqc.Failed, Target: u.Target(),
		Code: logiqc.SigninDenied, Details: logiqc.Details{Cause: cause}})
	return err
}

// throttled records the first try during a wait, and no other.
func (t *txn) throttled(u *logiqc.User, w *logiqc.Throttle) error {
	if w.Told {
		return nil
	}
	w.Told = true
	if err := t.UpdateUser(u); err != nil {
		return err
	}
	_, err := t.append(logiqc.Body{Action: logiqc.SigninThrottled, Outcome: logiqc.Failed, Target: u.Target(),
		Code: logiqc.Throttled, Details: logiqc.Details{Until: w.Until, Misses: w.Misses}})
	return err
}

// End implements [logiqc.SignIn].
func (s *signIn) End(ctx context.Context, bearer logiqc.Secret, src logiqc.Source) error {
	_, hash, ok := parseBearer(bearer)
	if !ok {
		return unauthenticated("that is no session of logiqc")
	}
	return s.desk.store.Update(ctx, func(tx *store.Tx) error {
		sess, err := tx.SessionByHash(hash)
		if err != nil {
			return unknownBearer(err)
		}
		u, err := tx.UserByID(sess.UserID)
		if err != nil {
			return err
		}
		t, err := s.desk.begin(tx, asTarget(u, true, src), logiqc.Request{})
		if err != nil {
			return err
		}
		return t.endSession(sess, u)
	})
}

// endSession deletes a session or an attempt; only the end of a real session
// is worth an event.
func (t *txn) endSession(sess store.Session, u logiqc.User) error {
	if _, err := t.DeleteSession(sess.ID); err != nil {
		return err
	}
	if sess.Stage == logiqc.StageSignedIn && sess.SignedInAt != 0 {
		if _, err := t.record(logiqc.SessionRevoked, u.Target(), logiqc.Details{Session: sess.ID}); err != nil {
			return err
		}
	}
	return t.flush()
}
