package service

import (
	"cmp"
	"maps"
	"slices"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// settle brings the store to what the log tells.
func (c *carrier) settle() error {
	s, err := c.tx.State()
	if err != nil {
		return err
	}
	c.reason = cmp.Or(c.reason, s.Reason)
	if err := c.tx.SetFrozen(false, ""); err != nil {
		return err
	}
	if err := c.tx.EndUnfinished(); err != nil {
		return err
	}
	for _, step := range []func() error{c.store, c.witnesses, c.accounts, c.tokens, c.admins} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// store settles the policy and the log's name. That it is frozen comes last,
// see [carrier.freeze].
func (c *carrier) store() error {
	if err := c.tx.SetPolicy(c.replay.Policy); err != nil {
		return err
	}
	info, err := c.tx.Info()
	if err != nil || info.Origin == c.replay.Origin {
		return err
	}
	info.Origin = c.replay.Origin
	if err := c.tx.SetInfo(info); err != nil {
		return err
	}
	return c.tx.ForgetCheckpoint()
}

// freeze makes the store frozen, or not, as the log tells. What a restore has
// to take away is recorded before, frozen or not.
func (c *carrier) freeze() error {
	if !c.replay.Frozen {
		return nil
	}
	return c.tx.SetFrozen(true, c.reason)
}

func (c *carrier) witnesses() error {
	stored, err := c.tx.Witnesses()
	if err != nil {
		return err
	}
	left := maps.Clone(c.replay.Witnesses)
	for _, w := range stored {
		if left[w.Name] == [2]string{w.URL, w.Key} {
			delete(left, w.Name)
		} else if err := c.tx.DeleteWitness(w.Name); err != nil {
			return err
		}
	}
	for name, w := range left {
		if err := c.tx.SetWitness(logiqc.Witness{Name: name, URL: w[0], Key: w[1], AddedAt: c.tx.Now()}); err != nil {
			return err
		}
	}
	return nil
}

// settled is an account on its way to what the log tells.
type settled struct {
	user         logiqc.User // as it is to be
	was          logiqc.User
	lost         logiqc.LostAccount
	clear        bool              // its enrolments go, and its enrolment code
	noCode       bool              // its enrolment code goes
	noCodes      bool              // its recovery codes go
	enrolled     *logiqc.Enrolment // where it is used otherwise
	keptPassword string            // digest of a hash that was only made anew after the backup
	loggedCodes  int               // recovery codes, as the log has it
}

func (c *carrier) accounts() (err error) {
	if c.otherCodes, err = otherRecoveryCodes(c.tx, c.replay); err != nil {
		return err
	}
	var changed []settled
	left := maps.Clone(c.replay.Accounts)
	err = eachUser(c.tx, c.replay.Policy, func(u logiqc.User) error {
		a, ok := left[u.ID]
		if !ok || a.Username != u.Username {
			return logiqc.Errorf(logiqc.Integrity, "the backup has an account that no event made: %s; nothing was restored", u.Username).
				WithHint("take another backup: this one was changed behind the log's back")
		}
		delete(left, u.ID)
		if s, differs := c.compare(u, a); differs {
			changed = append(changed, s)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := c.update(changed); err != nil {
		return err
	}
	err = c.insert(left)
	slices.SortFunc(c.Lost, func(a, b logiqc.LostAccount) int { return cmp.Compare(a.User, b.User) })
	return err
}

// update writes accounts that are to be otherwise. Emails may have gone round,
// so those that change are out of the way first.
func (c *carrier) update(changed []settled) error {
	for i := range changed {
		if s := &changed[i]; s.user.Email != s.was.Email {
			aside := s.was
			aside.Email = s.was.ID + "@restored.invalid"
			if err := c.tx.UpdateUser(&aside); err != nil {
				return err
			}
			s.user.Version = aside.Version
		}
	}
	for _, s := range changed {
		if err := c.tx.UpdateUser(&s.user); err != nil {
			return err
		}
		if err := c.factors(s); err != nil {
			return err
		}
		c.note(s)
	}
	return nil
}

// factors writes what an account signs in with beside its password.
func (c *carrier) factors(s settled) error {
	switch {
	case s.clear:
		return c.tx.ClearEnrolments(s.user.ID)
	case s.noCode:
		if err := c.tx.ClearEnrolmentCode(s.user.ID); err != nil {
			return err
		}
	}
	if s.noCodes {
		if err := c.tx.PutRecoveryCodes(s.was.Enrolled.ID, nil); err != nil {
			return err
		}
	}
	if s.enrolled != nil {
		return c.tx.MoveEnrolled(*s.enrolled)
	}
	return nil
}

// insert makes the accounts that the log has and the backup has not, in the
// order in which they were made.
func (c *carrier) insert(missing map[string]*logiqc.Replayable) error {
	batch := make([]*logiqc.User, 0, importBatch)
	for id := range slices.Values(slices.Sorted(maps.Keys(missing))) {
		a := missing[id]
		s, _ := c.compare(logiqc.User{ID: id, Username: a.Username, UpdatedAt: c.tx.Now()}, a)
		batch = append(batch, &s.user)
		c.note(s)
		if len(batch) == importBatch {
			if err := c.tx.InsertUsers(batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return c.tx.InsertUsers(batch)
}

func (c *carrier) note(s settled) {
	if s.keptPassword != "" || s.lost != (logiqc.LostAccount{User: s.user.Username}) {
		c.lost = append(c.lost, s)
	}
	if s.lost != (logiqc.LostAccount{User: s.user.Username}) {
		c.Lost = append(c.Lost, s.lost)
	}
}

// compare gives an account as the log tells it, and what the log cannot give.
func (c *carrier) compare(was logiqc.User, a *logiqc.Replayable) (s settled, differs bool) {
	s = settled{user: was, was: was, lost: logiqc.LostAccount{User: was.Username}, loggedCodes: a.RecoveryCodes}
	u, after := &s.user, c.since[was.ID]
	u.Email, u.Name, u.Phone, u.Role, u.Status, u.Auth = a.Email, a.Name, a.Phone, a.Role, a.Status, a.Auth
	u.Protected, u.Toggle = a.Protected, bool(a.Toggle)
	u.CreatedAt, u.LastSuccessAt, u.Told = a.CreatedAt, a.SucceededAt, a.Told
	u.ContactChangedAt, u.ContactChangedBy, u.HeldAt, u.WindowAt = a.ContactChangedAt, a.ContactChangedBy, a.HeldAt, a.WindowAt
	u.ResetAt, u.ResetBy, u.ResetSeen = a.ResetAt, a.ResetBy, a.ResetSeen
	after.onto(u)
	if after == nil {
		after = &since{}
	}
	s.password(a, after)
	c.factor(&s, a, after)
	if s.lost.Enrolment {
		u.ResetAt, u.WindowAt, u.ResetBy, u.ResetSeen = c.tx.Now(), c.tx.Now(), logiqc.RestoredBy, false
		u.CodeThrottle = logiqc.Throttle{}
		if u.PasswordHash != "" { // whoever has it must not be the first to enrol
			u.HeldAt = c.tx.Now()
		}
	}
	return s, s.user != s.was || s.clear || s.noCode || s.noCodes || s.enrolled != nil || s.keptPassword != ""
}

// password keeps the hash that the log tells of, or the one it was made anew
// from; any other is lost.
func (s *settled) password(a *logiqc.Replayable, after *since) {
	switch stored := snapshotOf(s.was).Password; {
	case stored == a.Password:
	case stored != "" && stored == after.password && !after.newPassword:
		s.keptPassword = stored
	default:
		s.user.PasswordHash = ""
		s.lost.Password = a.Password != ""
	}
}

// factor keeps the enrolment that the log tells of, with the steps spent since.
// A recovery code that was used is not told from the others, so all of them go.
func (c *carrier) factor(s *settled, a *logiqc.Replayable, after *since) {
	u, stored := s.was, snapshotOf(s.was).Enrolment
	if code, until := enrolmentCodeOf(u); code != a.EnrolmentCode || until != a.CodeExpiresAt {
		s.noCode = code != ""
		s.lost.Enrolment = a.EnrolmentCode != ""
	}
	if stored != a.Enrolment {
		s.lost.Enrolment = s.lost.Enrolment || a.Enrolment != ""
		s.clear = true
	}
	s.clear = s.clear || s.lost.Enrolment
	if s.clear || stored == "" {
		return
	}
	if e := *u.Enrolled; e.Step != a.Step || e.LastUsedAt != a.UsedAt || e.EnrolledAt != a.EnrolledAt {
		e.Step, e.LastUsedAt, e.EnrolledAt = a.Step, a.UsedAt, a.EnrolledAt
		s.enrolled = &e
	}
	if u.RecoveryLeft != a.RecoveryCodes || after.newCodes || c.otherCodes[u.ID] {
		s.noCodes = true
		s.lost.RecoveryCodes = a.RecoveryCodes > 0
	}
}

// tokens ends those that are not what the log tells, and finds those it knows
// and the store has not.
func (c *carrier) tokens() error {
	stored, err := c.tx.Tokens()
	if err != nil {
		return err
	}
	left := maps.Clone(c.replay.Tokens)
	for _, t := range stored {
		if t.RevokedAt != 0 {
			continue
		}
		k, ok := left[t.ID]
		if ok && len(tokenDiffers(k, t)) == 0 {
			delete(left, t.ID)
		} else if _, err := c.tx.RevokeToken(t.ID); err != nil {
			return err
		}
	}
	c.gone = left
	for _, k := range c.goneTokens() {
		if k.ExpiresAt == 0 || k.ExpiresAt > c.tx.Now() {
			c.LostTokens = append(c.LostTokens, logiqc.LostToken{ID: k.id, Name: k.Name, User: c.replay.Accounts[k.Owner].Username})
		}
	}
	return nil
}

// goneToken is a token that the log knows and nobody can use.
type goneToken struct {
	id string
	logiqc.Tokenable
}

func (c *carrier) goneTokens() (all []goneToken) {
	for _, id := range slices.Sorted(maps.Keys(c.gone)) {
		all = append(all, goneToken{id, c.gone[id]})
	}
	return all
}

// admins refuses a store in which no administrator has a password left.
func (c *carrier) admins() error {
	admins, _, err := c.tx.Find(logiqc.UserQuery{Role: logiqc.RoleAdmin, Status: logiqc.Active, Limit: logiqc.PageMax}, c.replay.Policy)
	if err != nil {
		return err
	}
	left := slices.ContainsFunc(admins, func(u logiqc.User) bool { return u.PasswordHash != "" })
	if len(admins) == 0 || left {
		return nil
	}
	return logiqc.Errorf(logiqc.LastAdmin, "the passwords of all administrators were set after the backup, and no log has them: nobody could administer the store; nothing was restored").
		WithHint("take a newer backup; or go on from this one without what came after it: --new-origin --reason T")
}

// eachUser hands every account to fn, which may change the one it has.
func eachUser(tx *store.Tx, p logiqc.Policy, fn func(logiqc.User) error) error {
	for q := (logiqc.UserQuery{}); ; {
		users, next, err := tx.Find(q, p)
		if err != nil {
			return err
		}
		for _, u := range users {
			if err := fn(u); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		q.Cursor = next
	}
}
