package service

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/password"
	"github.com/logiqc/logiqc/pkg/store"
)

// freshCode is an enrolment code that was made and not given to anybody yet.
type freshCode struct {
	shown logiqc.Secret
	hash  string      // PHC
	until logiqc.Time // where that was said when it was made
}

// newCode makes an enrolment code. Hashing is slow on purpose, so it is done
// outside of transactions.
func (d *Desk) newCode() (c freshCode, err error) {
	if c.shown, err = logiqc.NewEnrolmentCode(d.rand); err != nil {
		return c, err
	}
	digits, _ := logiqc.ParseEnrolmentCode(c.shown.Reveal())
	c.hash, err = password.Hash(d.rand, digits.Reveal())
	return c, err
}

// newCodes makes n enrolment codes, as many at a time as there are cores.
func (d *Desk) newCodes(n int) ([]freshCode, error) {
	codes, errs := make([]freshCode, n), make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { codes[i], errs[i] = d.newCode() })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return codes, nil
}

// codesFor makes the enrolment codes that a batch will hand out, which a dry run
// of it counts.
func (s *service) codesFor(ctx context.Context, k batchKind, r logiqc.Reset) ([]freshCode, error) {
	if !r.Given || r.DryRun || !s.actor.May(logiqc.MFAReset) {
		return nil, nil
	}
	wanted, n := r.EnrolmentCode, 0
	err := s.desk.view(ctx, s.actor, func(t *txn) error {
		wanted = wanted || t.policy.EnrolmentCode != logiqc.CodeOff
		return nil
	})
	if err != nil || !wanted {
		return nil, err
	}
	dry := r
	dry.DryRun, dry.Remember = true, false
	results, err := s.batch(ctx, k, dry)
	if err != nil {
		return nil, nil //nolint:nilerr // the run itself meets it again, and records it
	}
	for _, res := range results {
		if res.Outcome == k.would {
			n++
		}
	}
	return s.desk.newCodes(n)
}

// issueCode gives the account an enrolment code, and writes that down; the one
// before dies.
func (t *txn) issueCode(u *logiqc.User, ttl time.Duration) (issued logiqc.IssuedCode, digest string, err error) {
	if issued, digest, err = t.giveCode(u, ttl); err != nil {
		return issued, "", err
	}
	return issued, digest, t.PutEnrolmentCode(*u.Code)
}

// giveCode gives the account an enrolment code, good for ttl or as long as the
// policy says. digest is what the event keeps of it.
func (t *txn) giveCode(u *logiqc.User, ttl time.Duration) (issued logiqc.IssuedCode, digest string, err error) {
	fresh, err := t.nextCode()
	if err != nil {
		return issued, "", err
	}
	if fresh.until == 0 {
		fresh.until = t.Now().Add(cmp.Or(ttl, t.policy.CodeTTL))
	}
	id, err := t.desk.newID()
	if err != nil {
		return issued, "", err
	}
	u.Code = &logiqc.EnrolmentCode{ID: id, UserID: u.ID, Hash: logiqc.Secret(fresh.hash), CreatedAt: t.Now(), ExpiresAt: fresh.until}
	issued = logiqc.IssuedCode{Code: fresh.shown, ExpiresAt: u.Code.ExpiresAt}
	return issued, password.Digest(fresh.hash), nil
}

// nextCode takes one of the codes that were made beforehand.
func (t *txn) nextCode() (fresh freshCode, err error) {
	if len(t.codes) == 0 { // one more than was foreseen
		return t.desk.newCode()
	}
	fresh, t.codes = t.codes[0], t.codes[1:]
	return fresh, nil
}

// IssueEnrolmentCode implements [logiqc.Service].
func (s *service) IssueEnrolmentCode(ctx context.Context, r logiqc.CodeIssue) (out logiqc.CodeIssued, err error) {
	r.Given = r.Given || !r.WillAsk(s.actor)
	if r.TTL != 0 {
		if err := logiqc.CheckCodeTTL(r.TTL); err != nil {
			return out, err
		}
	}
	var codes []freshCode
	if s.actor.May(logiqc.MFAReset) && r.Given && !r.DryRun {
		if codes, err = s.desk.newCodes(1); err != nil {
			return out, err
		}
	}
	err = s.desk.update(ctx, s.actor, r.Request, func(t *txn) error {
		t.codes = codes
		if err := t.need(logiqc.MFAReset, logiqc.EnrolmentCodeIssued, r.User); err != nil {
			return err
		}
		matter := r
		matter.Request = logiqc.Request{Reason: r.Reason, Ticket: r.Ticket, VerifiedBy: r.VerifiedBy}
		var again bool
		out, again, err = once(t, "mfa enrolment-code", matter, func() (logiqc.CodeIssued, error) { return t.issueEnrolmentCode(r) })
		out.Replayed.Replayed = again
		return err
	})
	return out, err
}

func (t *txn) issueEnrolmentCode(r logiqc.CodeIssue) (out logiqc.CodeIssued, err error) {
	u, err := t.UserByRef(r.User)
	if err != nil {
		return out, err
	}
	if err = u.CheckIssue(t.actor); err == nil {
		err = t.policy.CheckGrounds(r.Request, r.WillAsk(t.actor))
	}
	if err := t.check(logiqc.EnrolmentCodeIssued, r.User, err); err != nil {
		return out, err
	}
	if r.DryRun || !r.Given {
		out.Account = u.Account(t.policy, t.Now())
		return out, nil
	}
	issued, digest, err := t.issueCode(&u, r.TTL)
	if err != nil {
		return out, err
	}
	if err := t.UpdateUser(&u); err != nil {
		return out, err
	}
	ref, err := t.record(logiqc.EnrolmentCodeIssued, u.Target(), logiqc.Details{EnrolmentCode: digest, ExpiresAt: issued.ExpiresAt})
	return logiqc.CodeIssued{Changed: true, Code: &issued, Account: u.Account(t.policy, t.Now()), Audit: &ref}, err
}

// EnrolmentCode implements [logiqc.SignIn]. As in Start the hash is compared
// outside the transaction and judged inside it, by the code that is in force
// then; a miss is committed before anybody is answered.
func (s *signIn) EnrolmentCode(ctx context.Context, bearer, given logiqc.Secret, src logiqc.Source) (at logiqc.Attempt, err error) {
	digits, formed := logiqc.ParseEnrolmentCode(given.Reveal())
	for {
		stored, err := s.codeInForce(ctx, bearer)
		if err != nil {
			return at, err
		}
		right := formed && stored.ID != "" && password.Verify(stored.Hash.Reveal(), digits.Reveal()).OK
		again := false
		err = s.proceed(ctx, bearer, src, func(t *txn, sess *store.Session, u *logiqc.User) (answer, err error) {
			if again = u.Code != nil && u.Code.Alive(t.Now()) && u.Code.ID != stored.ID; again {
				return nil, nil // a fresh one was issued meanwhile
			}
			answer, err = t.judgeCode(sess, u, right)
			at = t.attempt(*sess, *u, bearer)
			return answer, err
		})
		if err != nil || !again {
			return at, err
		}
	}
}

// codeInForce is the enrolment code of the account that is signing in, with an
// empty ID where there is none or it is dead: then nothing is compared.
func (s *signIn) codeInForce(ctx context.Context, bearer logiqc.Secret) (c logiqc.EnrolmentCode, err error) {
	_, hash, ok := parseBearer(bearer)
	if !ok {
		return c, unauthenticated("that is no sign-in of logiqc")
	}
	err = s.desk.store.View(ctx, func(tx *store.Tx) error {
		sess, err := tx.SessionByHash(hash)
		if err != nil {
			return signinOver(err)
		}
		u, err := tx.UserByID(sess.UserID)
		if err == nil && u.Code != nil && u.Code.Alive(tx.Now()) {
			c = *u.Code
		}
		return err
	})
	return c, err
}

// judgeCode decides on an enrolment code that was given. Five wrong ones and it
// is dead.
func (t *txn) judgeCode(sess *store.Session, u *logiqc.User, right bool) (answer, err error) {
	if err := mayEnrol(sess, u, t.Now()); err != nil {
		return t.refused(logiqc.EnrolmentStarted, *u, err)
	}
	ask := "ask the help desk for a fresh one; for the operator: logiqc mfa enrolment-code " + u.Username
	switch {
	case !u.NeedsEnrolmentCode(t.policy):
		return nil, nil
	case u.Code == nil || !u.Code.Alive(t.Now()):
		return t.refused(logiqc.EnrolmentStarted, *u, logiqc.Errorf(logiqc.Expired,
			"no enrolment code is good for this account any more").WithHint("%s", ask))
	case right:
		sess.CodeID = u.Code.ID
		return nil, t.UpdateSession(*sess)
	}
	if err := t.MissEnrolmentCode(u.Code.ID); err != nil {
		return nil, err
	}
	u.Code.Tries++
	var e *logiqc.Error
	switch left := logiqc.EnrolmentTries - u.Code.Tries; left {
	default:
		e = logiqc.Errorf(logiqc.WrongCode, "wrong enrolment code: %d tries left", left)
	case 1:
		e = logiqc.Errorf(logiqc.WrongCode, "wrong enrolment code: 1 try left")
	case 0:
		e = logiqc.Errorf(logiqc.WrongCode, "wrong enrolment code; after %d tries it is not good any more", logiqc.EnrolmentTries).WithHint("%s", ask)
	}
	return e, t.missed(u, logiqc.EnrolmentStarted, causeDeskCode, u.Code.Tries, 0)
}

// mayStart reports whether the attempt may start an enrolment: no enrolment
// code is needed, or the one in force was given on it.
func (t *txn) mayStart(sess store.Session, u logiqc.User) bool {
	return !u.NeedsEnrolmentCode(t.policy) || u.Code != nil && sess.CodeID == u.Code.ID
}

// mayProve reports whether the pending enrolment may be proved: with an
// enrolment code needed only one that was started with it, or with it given
// again.
func (t *txn) mayProve(sess store.Session, u logiqc.User) bool {
	return t.mayStart(sess, u) || u.Code != nil && u.Pending != nil && u.Pending.CodeID == u.Code.ID
}

func codeRequired(u logiqc.User) error {
	return logiqc.Errorf(logiqc.EnrolmentCodeRequired, "the password is right; an enrolment code of the help desk is needed to set up MFA").
		WithHint("add --enrolment-code - and the code as the next line of standard input; for the operator: logiqc mfa enrolment-code %s", u.Username)
}

// heldBack records that a sign-in is held though its password was right, and
// writes the account back. d says whether the password was given just now.
func (t *txn) heldBack(u *logiqc.User, d logiqc.Details) error {
	u.LastFailure = logiqc.Failure{At: t.Now(), Reason: causeHeld, Host: t.actor.Source.Host}
	if err := t.UpdateUser(u); err != nil {
		return err
	}
	d.Cause = causeHeld
	_, err := t.append(logiqc.Body{Action: logiqc.SigninFailed, Outcome: logiqc.Failed, Target: u.Target(), Code: logiqc.Held, Details: d})
	return err
}
