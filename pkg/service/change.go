package service

import (
	"context"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// verb is what ChangeUsers needs to know of a change.
type verb struct {
	right  logiqc.Right
	action logiqc.Action
	check  func(t *txn, u logiqc.User) error // refuses by a rule; nil asks nothing
	// needed is false when it is so already.
	needed func(t *txn, u logiqc.User) bool
	// apply changes the account, and may add to what the event says.
	apply func(t *txn, u *logiqc.User, d *logiqc.Details) error
}

var verbs = map[logiqc.Verb]verb{
	logiqc.Activate: {
		right: logiqc.UsersWrite, action: logiqc.UserActivated,
		needed: func(_ *txn, u logiqc.User) bool { return u.Status != logiqc.Active },
		apply:  activate,
	},
	logiqc.Deactivate: {
		right: logiqc.UsersWrite, action: logiqc.UserDeactivated,
		check: func(t *txn, u logiqc.User) error {
			admins, err := t.ActiveAdmins()
			if err != nil {
				return err
			}
			return u.CheckKeepsAdmin(admins)
		},
		needed: func(_ *txn, u logiqc.User) bool { return u.Status == logiqc.Active },
		apply:  deactivate,
	},
	logiqc.Unlock: {
		right: logiqc.MFAReset, action: logiqc.UserUnlocked,
		check: func(t *txn, u logiqc.User) error { return u.CheckUnlock(t.actor) },
		needed: func(t *txn, u logiqc.User) bool {
			return u.PasswordThrottle.Misses+u.CodeThrottle.Misses > 0 || u.Held(t.policy, t.Now())
		},
		apply: unlock,
	},
	logiqc.EnableMFA: {
		right: logiqc.UsersWrite, action: logiqc.MFAEnabled,
		check:  func(_ *txn, u logiqc.User) error { return u.CheckHasMFA("enable") },
		needed: func(_ *txn, u logiqc.User) bool { return !u.Toggle },
		apply:  toggle,
	},
	logiqc.DisableMFA: {
		right: logiqc.UsersWrite, action: logiqc.MFADisabled,
		check:  func(t *txn, u logiqc.User) error { return u.CheckDisable(t.policy) },
		needed: func(_ *txn, u logiqc.User) bool { return u.Toggle },
		apply:  toggle,
	},
}

func activate(_ *txn, u *logiqc.User, _ *logiqc.Details) error {
	u.Status = logiqc.Active
	return nil
}

func deactivate(t *txn, u *logiqc.User, d *logiqc.Details) error {
	u.Status = logiqc.Inactive
	n, err := t.EndSessions(u.ID)
	d.Sessions = &n
	return err
}

// unlock ends waits and a hold, and opens the window to enrol in anew where it
// is over.
func unlock(t *txn, u *logiqc.User, d *logiqc.Details) error {
	u.HeldAt = 0
	if u.Held(t.policy, t.Now()) {
		u.WindowAt, d.Reopened = t.Now(), true
	}
	d.Misses = u.PasswordThrottle.Misses + u.CodeThrottle.Misses
	u.PasswordThrottle, u.CodeThrottle = logiqc.Throttle{}, logiqc.Throttle{}
	return nil
}

func toggle(_ *txn, u *logiqc.User, _ *logiqc.Details) error {
	u.Toggle = !u.Toggle
	return nil
}

// ChangeUsers implements [logiqc.Service].
func (s *service) ChangeUsers(ctx context.Context, r logiqc.UserChange) (results []logiqc.ChangeResult, err error) {
	v, ok := verbs[r.Verb]
	if !ok {
		return nil, logiqc.Errorf(logiqc.Usage, "%q is nothing that can be done to accounts", r.Verb)
	}
	err = s.desk.update(ctx, s.actor, r.Request, func(t *txn) error {
		target := ""
		if len(r.Users) == 1 {
			target = r.Users[0]
		}
		if err := t.need(v.right, v.action, target); err != nil {
			return err
		}
		matter := r
		matter.Request = logiqc.Request{Reason: r.Reason}
		var replayed bool
		results, replayed, err = once(t, "users "+string(r.Verb), matter, func() ([]logiqc.ChangeResult, error) {
			out := make([]logiqc.ChangeResult, 0, len(r.Users))
			for _, ref := range r.Users {
				res := logiqc.ChangeResult{Input: ref}
				if err := t.changeOne(v, r, ref, &res); err != nil {
					return nil, err
				}
				out = append(out, res)
			}
			return out, nil
		})
		for i := range results {
			results[i].Replayed.Replayed = replayed
		}
		return err
	})
	return results, err
}

// changeOne applies the verb to one account. A refusal is part of the result.
func (t *txn) changeOne(v verb, r logiqc.UserChange, ref string, res *logiqc.ChangeResult) error {
	u, err := t.UserByRef(ref)
	if err != nil {
		res.Err = logiqc.AsError(err)
		if res.Err.Code == logiqc.NotFound || res.Err.Code == logiqc.Ambiguous {
			return nil
		}
		return err
	}
	res.User, res.Account = u.Username, u.Account(t.policy, t.Now())
	if v.check != nil {
		err = v.check(t, u)
	}
	if err := t.closed(v.action, err); err != nil {
		if res.Err = logiqc.AsError(err); !res.Err.Recorded() {
			return err
		}
		_, err := t.deny(v.action, u.Target(), res.Err)
		return err
	}
	if !v.needed(t, u) {
		return nil
	}
	res.Would = r.DryRun || !r.Given
	if !r.Given && !r.DryRun {
		res.Err = confirmationRequired("nothing was changed")
		return nil
	}
	var d logiqc.Details
	if err := v.apply(t, &u, &d); err != nil {
		return err
	}
	if err := t.UpdateUser(&u); err != nil {
		return err
	}
	_, err = t.record(v.action, u.Target(), d)
	res.Changed, res.Account = !r.DryRun, u.Account(t.policy, t.Now())
	return err
}
