package service

import (
	"context"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/password"
)

// FindUsers implements [logiqc.Service].
func (s *service) FindUsers(ctx context.Context, q logiqc.UserQuery) (page logiqc.UserPage, err error) {
	err = s.desk.view(ctx, s.actor, func(t *txn) error {
		if err := t.need(logiqc.UsersRead, logiqc.UserViewed, ""); err != nil {
			return err
		}
		users, next, err := t.Find(q, t.policy)
		if err != nil {
			return err
		}
		page = logiqc.UserPage{Accounts: make([]logiqc.Account, 0, len(users)), Next: next}
		for _, u := range users {
			page.Accounts = append(page.Accounts, u.Account(t.policy, t.Now()))
		}
		return nil
	})
	return page, err
}

// GetUser implements [logiqc.Service].
func (s *service) GetUser(ctx context.Context, ref string) (a logiqc.Account, err error) {
	err = s.desk.view(ctx, s.actor, func(t *txn) error {
		if err := t.need(logiqc.UsersRead, logiqc.UserViewed, ref); err != nil {
			return err
		}
		u, err := t.UserByRef(ref)
		a = u.Account(t.policy, t.Now())
		return err
	})
	return a, err
}

// Figures implements [logiqc.Service].
func (s *service) Figures(ctx context.Context) (f logiqc.Figures, err error) {
	err = s.desk.view(ctx, s.actor, func(t *txn) error {
		if err := t.need(logiqc.UsersRead, logiqc.UserViewed, ""); err != nil {
			return err
		}
		f, err = t.Figures(t.policy)
		return err
	})
	return f, err
}

// AddUser implements [logiqc.Service].
func (s *service) AddUser(ctx context.Context, r logiqc.NewUser) (out logiqc.Changed, err error) {
	if err := s.allowed(ctx, logiqc.UsersWrite, logiqc.UserCreated, ""); err != nil {
		return out, err
	}
	u, err := newUser(r)
	if err != nil {
		return out, err
	}
	if r.Password != "" {
		hash, err := hashPassword(s.desk, r.Password)
		if err != nil {
			return out, err
		}
		u.PasswordHash = hash
	}
	r.Given = true
	var made withPassword
	again := false
	err = s.desk.update(ctx, s.actor, r.Request, func(t *txn) error {
		if err := t.needs(logiqc.UsersWrite, logiqc.UserCreated, ""); err != nil {
			return err
		}
		matter := r
		matter.Request = logiqc.Request{Reason: r.Reason}
		made, again, err = once(t, "users add", matter, func() (withPassword, error) {
			u := u
			if err := t.mayGive(u.Role); err != nil {
				return withPassword{}, refuse(logiqc.UserCreated, "", err)
			}
			if err := t.addUser(&u, logiqc.UserCreated); err != nil {
				return withPassword{}, refuse(logiqc.UserCreated, "", err)
			}
			return withPassword{logiqc.Changed{Changed: !r.DryRun, Account: u.Account(t.policy, t.Now())}, u.PasswordHash.Reveal()}, nil
		})
		return err
	})
	if err == nil && again && !made.was(r.Password) {
		return out, usedForElse(r.RequestID)
	}
	out, out.Replayed.Replayed = made.Changed, again
	return out, err
}

// allowed refuses, and records it, before anything else is looked at: what is
// wrong with a request is told only to those who may make it. The transaction
// of the change asks again.
func (s *service) allowed(ctx context.Context, right logiqc.Right, action logiqc.Action, target string) error {
	if s.actor.May(right) {
		return nil
	}
	return s.desk.view(ctx, s.actor, func(t *txn) error { return t.need(right, action, target) })
}

// mayGive refuses a new account a role that takes a sign-in which is not old.
func (t *txn) mayGive(r logiqc.Role) error {
	if r == logiqc.RoleUser {
		return nil
	}
	return t.policy.CheckStepUp(t.actor, t.Now())
}

// newUser makes an account of what was asked for, or says what is not fit.
func newUser(r logiqc.NewUser) (logiqc.User, error) {
	u := logiqc.User{
		Username: r.Username, Email: r.Email, Name: r.Name, Phone: r.Phone, Role: r.Role, Status: r.Status, Auth: r.Auth,
		Toggle: r.Toggle, Protected: r.Protected,
	}
	if u.Role == "" {
		u.Role = logiqc.RoleUser
	}
	if u.Status == "" {
		u.Status = logiqc.Active
	}
	if u.Auth == "" {
		u.Auth = logiqc.ByPassword
	}
	if u.Auth == logiqc.BySSO && r.Password != "" {
		return u, logiqc.Errorf(logiqc.Invalid, "%s is to sign in by SSO: it has no password here", r.Username)
	}
	return u, u.Check()
}

// addUser gives a new account its id, writes it and records it.
func (t *txn) addUser(u *logiqc.User, action logiqc.Action) error {
	var err error
	if u.ID, err = t.desk.newID(); err != nil {
		return err
	}
	u.Version, u.CreatedAt, u.UpdatedAt = 1, t.Now(), t.Now()
	if err := t.InsertUser(u); err != nil {
		return err
	}
	snapshot := snapshotOf(*u)
	_, err = t.record(action, u.Target(), logiqc.Details{Account: &snapshot})
	return err
}

// snapshotOf is the account as the event that made it tells it.
func snapshotOf(u logiqc.User) logiqc.Snapshot {
	s := logiqc.Snapshot{
		Username: u.Username, Email: u.Email, Name: u.Name, Phone: u.Phone, Role: u.Role, Status: u.Status, Auth: u.Auth,
		Toggle: logiqc.OnOff(u.Toggle), Protected: u.Protected,
	}
	if u.PasswordHash != "" {
		s.Password = password.Digest(u.PasswordHash.Reveal())
	}
	if u.Enrolled != nil {
		s.Enrolment = u.Enrolled.ID
	}
	return s
}

func hashPassword(d *Desk, p logiqc.Secret) (logiqc.Secret, error) {
	if err := password.CheckNew(p.Reveal()); err != nil {
		return "", logiqc.Errorf(logiqc.Invalid, "that cannot be a password: %w", err)
	}
	hash, err := password.Hash(d.rand, p.Reveal())
	return logiqc.Secret(hash), err
}

// EditUser implements [logiqc.Service].
func (s *service) EditUser(ctx context.Context, r logiqc.UserEdit) (out logiqc.Changed, err error) {
	r.Given = true
	err = s.desk.update(ctx, s.actor, r.Request, func(t *txn) error {
		if err := t.need(logiqc.UsersWrite, logiqc.UserUpdated, r.User); err != nil {
			return err
		}
		matter := r
		matter.Request = logiqc.Request{Reason: r.Reason}
		var again bool
		out, again, err = once(t, "users edit", matter, func() (logiqc.Changed, error) { return t.editUser(r) })
		out.Replayed.Replayed = again
		return err
	})
	return out, err
}

// editUser changes the fields that are given and differ. A mark of protection
// is an event of its own.
func (t *txn) editUser(r logiqc.UserEdit) (out logiqc.Changed, err error) {
	before, err := t.UserByRef(r.User)
	if err != nil {
		return out, err
	}
	if err := t.check(logiqc.UserUpdated, r.User, nil); err != nil {
		return out, err
	}
	u := before
	changes := applyEdit(&u, r)
	if err := u.Check(); err != nil {
		return out, err
	}
	if u.Role != before.Role {
		if err := t.policy.CheckStepUp(t.actor, t.Now()); err != nil {
			return out, refuse(logiqc.UserUpdated, r.User, err)
		}
		admins, err := t.ActiveAdmins()
		if err != nil {
			return out, err
		}
		if err := before.CheckKeepsAdmin(admins); err != nil {
			return out, refuse(logiqc.UserUpdated, r.User, err)
		}
	}
	out.Account = before.Account(t.policy, t.Now())
	if len(changes) == 0 && u.Protected == before.Protected {
		return out, nil
	}
	if u.Email != before.Email || u.Phone != before.Phone {
		u.ContactChangedAt, u.ContactChangedBy = t.Now(), t.actor.Username
	}
	if err := t.UpdateUser(&u); err != nil {
		return out, refuse(logiqc.UserUpdated, r.User, err)
	}
	if err := t.recordEdit(before, u, changes); err != nil {
		return out, err
	}
	return logiqc.Changed{Changed: !r.DryRun, Account: u.Account(t.policy, t.Now())}, nil
}

// applyEdit puts the given fields into the account and lists what differs.
func applyEdit(u *logiqc.User, r logiqc.UserEdit) (changes []logiqc.Change) {
	set := func(field string, to *string, at *string) {
		if to != nil && *to != *at {
			changes = append(changes, logiqc.Change{Field: field, From: *at, To: *to})
			*at = *to
		}
	}
	set("email", r.Email, &u.Email)
	set("name", r.Name, &u.Name)
	set("phone", r.Phone, &u.Phone)
	if r.Role != nil && *r.Role != u.Role {
		changes = append(changes, logiqc.Change{Field: "role", From: string(u.Role), To: string(*r.Role)})
		u.Role = *r.Role
	}
	if r.Protected != nil {
		u.Protected = *r.Protected
	}
	return changes
}

// recordEdit writes the events of an edit and ends the sessions of an account
// whose role changed.
func (t *txn) recordEdit(before, u logiqc.User, changes []logiqc.Change) error {
	if len(changes) > 0 {
		d := logiqc.Details{Changes: changes}
		if before.Role != u.Role {
			n, err := t.EndSessions(u.ID)
			if err != nil {
				return err
			}
			d.Sessions = &n
		}
		if _, err := t.record(logiqc.UserUpdated, u.Target(), d); err != nil {
			return err
		}
	}
	if u.Protected == before.Protected {
		return nil
	}
	action := logiqc.UserProtected
	if !u.Protected {
		action = logiqc.UserUnprotected
	}
	_, err := t.record(action, u.Target(), logiqc.Details{})
	return err
}
