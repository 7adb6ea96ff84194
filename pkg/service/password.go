package service

import (
	"context"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/password"
)

// SetPassword implements [logiqc.Service]. It ends every session of the
// account, the caller's own among them.
func (s *service) SetPassword(ctx context.Context, r logiqc.PasswordChange) (out logiqc.Changed, err error) {
	own, err := s.isOwn(ctx, r.User)
	if err != nil {
		return out, err
	}
	if !own {
		if err := s.allowed(ctx, logiqc.UsersWrite, logiqc.UserPasswordSet, r.User); err != nil {
			return out, err
		}
	}
	if r.New == "" || own && r.Current == "" {
		return out, logiqc.Errorf(logiqc.Usage, "a new password is needed, and for one's own account the current one")
	}
	r.Given = true
	if out, again, err := s.passwordSet(ctx, r); again || err != nil {
		return out, err
	}
	hash, err := hashPassword(s.desk, r.New)
	if err != nil {
		return out, err
	}
	if own {
		// The current password passes the same way as at a sign-in, with its
		// throttle; the attempt is of no further use.
		in := &signIn{desk: s.desk}
		at, err := in.start(ctx, logiqc.SigninRequest{User: s.actor.AccountID, Password: r.Current,
			Purpose: passwordPurpose, Source: s.actor.Source})
		if err != nil {
			return out, err
		}
		defer func() { _ = in.End(ctx, at.Token, s.actor.Source) }()
	}
	err = s.desk.update(ctx, s.actor, r.Request, func(t *txn) error {
		ref := r.User
		if own {
			ref = s.actor.AccountID
		} else if err := t.need(logiqc.UsersWrite, logiqc.UserPasswordSet, r.User); err != nil {
			return err
		}
		set, again, err := once(t, passwdCommand, passwdMatter(r), func() (withPassword, error) {
			out, err := t.setPassword(ref, hash, r.DryRun)
			return withPassword{out, hash.Reveal()}, err
		})
		out, out.Replayed.Replayed = set.Changed, again
		return err
	})
	return out, err
}

// passwdCommand is the name under which the outcome of a password change is
// remembered.
const passwdCommand = "users passwd"

// passwdMatter is what a password change asks for, the passwords aside.
func passwdMatter(r logiqc.PasswordChange) logiqc.PasswordChange {
	return logiqc.PasswordChange{Request: logiqc.Request{Reason: r.Reason}, User: r.User}
}

// withPassword is what is remembered of a change with a password: by the hash,
// which is slow on purpose, a retry is told from the same request with another one.
type withPassword struct {
	logiqc.Changed
	Hash string `json:"hash"` // "" without a password
}

// was tells whether the change was made with that password.
func (c withPassword) was(given logiqc.Secret) bool {
	return c.Hash == "" && given == "" || c.Hash != "" && password.Verify(c.Hash, given.Reveal()).OK
}

// passwordSet returns what an earlier call with the same request id did, before
// the current password, which may be another by now, is looked at.
func (s *service) passwordSet(ctx context.Context, r logiqc.PasswordChange) (out logiqc.Changed, again bool, err error) {
	if !r.Remember || r.DryRun {
		return out, false, nil
	}
	var set withPassword
	err = s.desk.view(ctx, s.actor, func(t *txn) error {
		t.request = r.Request
		t.request.Given = false // to look only
		set, again, err = once(t, passwdCommand, passwdMatter(r), func() (set withPassword, err error) { return set, nil })
		return err
	})
	if err == nil && again && !set.was(r.New) {
		err = usedForElse(r.RequestID)
	}
	out, out.Replayed.Replayed = set.Changed, again
	return out, again, err
}

// passwordPurpose is a sign-in that only checks the password.
const passwordPurpose logiqc.Purpose = "password"

// isOwn tells whether a password change is of the actor's own account. Tokens
// have no password to change.
func (s *service) isOwn(ctx context.Context, ref string) (own bool, err error) {
	if s.actor.Kind != logiqc.Person {
		return false, nil
	}
	if ref == "" {
		return true, nil
	}
	err = s.desk.view(ctx, s.actor, func(t *txn) error {
		u, err := t.UserByID(t.actor.AccountID)
		key := logiqc.Key(ref)
		own = key == logiqc.Key(u.Username) || key == logiqc.Key(u.Email) || key == u.ID
		return err
	})
	return own, err
}

// setPassword writes the new hash and ends the account's sessions.
func (t *txn) setPassword(ref string, hash logiqc.Secret, dryRun bool) (out logiqc.Changed, err error) {
	u, err := t.UserByRef(ref)
	if err != nil {
		return out, err
	}
	if u.Auth == logiqc.BySSO {
		return out, refuse(logiqc.UserPasswordSet, ref, logiqc.Errorf(logiqc.SSOAccount,
			"%s signs in by SSO: the password is not here, their identity provider manages it", u.Username))
	}
	if err := t.check(logiqc.UserPasswordSet, ref, nil); err != nil {
		return out, err
	}
	u.PasswordHash, u.PasswordThrottle = hash, logiqc.Throttle{}
	if err := t.UpdateUser(&u); err != nil {
		return out, err
	}
	n, err := t.EndSessions(u.ID)
	if err != nil {
		return out, err
	}
	_, err = t.record(logiqc.UserPasswordSet, u.Target(), logiqc.Details{Password: password.Digest(hash.Reveal()), Sessions: &n})
	return logiqc.Changed{Changed: !dryRun, Account: u.Account(t.policy, t.Now())}, err
}
