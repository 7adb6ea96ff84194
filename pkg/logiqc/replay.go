package logiqc

import (
	"maps"
	"slices"
)

// Replay is the state of accounts, policy, sessions and tokens as the audit
// log tells it: the fold of its events. What the store holds must equal it.
type Replay struct {
	Policy   Policy
	Accounts map[string]*Replayable // by account id
	Sessions map[string]string      // session id to account id
	Tokens   map[string]Tokenable   // by token id
	Frozen   bool
	Origin   string // of the log's checkpoints
	// Witnesses are the address and key of each, by name.
	Witnesses map[string][2]string
}

// Replayable is what the log knows of an account. Its fields are those that a
// change in the store behind the log's back would have to touch.
type Replayable struct {
	Snapshot
	ContactChangedAt Time
	Step             int64 // newest time step spent of the enrolment
	RecoveryCodes    int   // unused
	ResetAt          Time
	HeldAt           Time
	WindowAt         Time
	EnrolmentCode    string // SHA-256 of its PHC string, hex, or ""
	CodeExpiresAt    Time
	LastEvent        int64
}

// Tokenable is what the log knows of a live token.
type Tokenable struct {
	Owner     string // account id
	Name      string
	Role      Role
	Allow     []Right
	ExpiresAt Time
}

// NewReplay is the state before the first event.
func NewReplay() *Replay {
	return &Replay{Policy: DefaultPolicy(), Accounts: map[string]*Replayable{},
		Sessions: map[string]string{}, Tokens: map[string]Tokenable{}, Witnesses: map[string][2]string{}}
}

// Apply folds the next event in. Events that changed nothing leave the state
// alone; an event about an account the log does not know is Integrity.
func (r *Replay) Apply(e Event) error {
	if e.Outcome != Success {
		return nil
	}
	switch e.Action {
	case StoreInitialised, PolicyChanged, MFAEnforced, MFAUnenforced:
		return r.applyPolicy(e)
	case KeyRotated, KeyRetired, AuditExported, StoreUpgraded, StoreCopied, StoreBackedUp:
		return nil // about no account
	case StoreFrozen, StoreThawed, StoreRestored, OriginStarted:
		r.applyStore(e)
		return nil
	case WitnessAdded:
		r.Witnesses[e.Details.Name] = [2]string{e.Details.URL, e.Details.Key}
		return nil
	case WitnessRemoved:
		delete(r.Witnesses, e.Details.Name)
		return nil
	case UserCreated, UserImported:
		return r.applySnapshot(e)
	case TokenCreated:
		d := e.Details
		r.Tokens[d.Token] = Tokenable{Owner: e.Target.ID, Name: d.Name, Role: d.Role, Allow: d.Allow, ExpiresAt: d.ExpiresAt}
		return nil
	case TokenRevoked:
		maps.DeleteFunc(r.Tokens, func(id string, t Tokenable) bool {
			return id == e.Details.Token || (e.Details.All && (e.Target.ID == "" || e.Target.ID == t.Owner))
		})
		return nil
	case SessionRevoked:
		maps.DeleteFunc(r.Sessions, func(id, owner string) bool {
			return id == e.Details.Session || (e.Details.All && (e.Target.ID == "" || e.Target.ID == owner))
		})
		return nil
	}
	return r.applyAccount(e)
}

// applySnapshot folds in an account that was made, or updated by an import.
func (r *Replay) applySnapshot(e Event) error {
	made := e.Details.Account
	if made == nil {
		return Errorf(Integrity, "event %d makes an account and does not say which", e.Seq)
	}
	a, ok := r.Accounts[e.Target.ID]
	if !ok {
		a = &Replayable{Snapshot: *made}
		r.Accounts[e.Target.ID] = a
	}
	if a.Email != made.Email || a.Phone != made.Phone {
		a.ContactChangedAt = e.Time
	}
	if a.Enrolment != made.Enrolment {
		a.Step, a.RecoveryCodes = 0, 0
		a.EnrolmentCode, a.CodeExpiresAt = "", 0
	}
	if a.Role != made.Role || a.Status != made.Status || a.Password != made.Password {
		r.endSessions(e.Target.ID)
	}
	a.Snapshot, a.LastEvent = *made, e.Seq
	return nil
}

// applyAccount folds in an event about one account that exists.
func (r *Replay) applyAccount(e Event) error {
	a, ok := r.Accounts[e.Target.ID]
	if !ok {
		return Errorf(Integrity, "event %d is about an account the log does not know", e.Seq)
	}
	if !a.apply(e) {
		return nil
	}
	a.LastEvent = e.Seq
	if endsSessions(e) {
		r.endSessions(e.Target.ID)
	}
	// Of a sign-in to an application the session is not here.
	if session := e.Details.Session; session != "" && (e.Action == SessionCreated || e.Action == SigninSucceeded) {
		r.Sessions[session] = e.Target.ID
	}
	return nil
}

// endsSessions reports whether an event ends the sessions of whom it is about.
func endsSessions(e Event) bool {
	switch e.Action {
	case UserUpdated:
		return slices.ContainsFunc(e.Details.Changes, func(c Change) bool { return c.Field == "role" })
	case UserDeactivated:
		return true
	case UserPasswordSet:
		return e.Details.Sessions != nil // a rehash at sign-in ends none
	case MFAResetDone, MFARecovered:
		return !e.Details.KeptSessions
	}
	return false
}

// apply brings an account to what it was after an event about it; false means
// that the event leaves no mark on it.
func (a *Replayable) apply(e Event) bool {
	d := e.Details
	switch e.Action {
	case UserUpdated:
		a.applyChanges(d.Changes, e.Time)
	case UserActivated:
		a.Status = Active
	case UserDeactivated:
		a.Status = Inactive
	case UserPasswordSet:
		a.Password = d.Password
	case UserProtected, UserUnprotected:
		a.Protected = e.Action == UserProtected
	case MFAEnabled, MFADisabled:
		a.Toggle = e.Action == MFAEnabled
	case MFAResetDone, MFARecovered:
		a.applyReset(e)
	case UserUnlocked:
		a.applyUnlock(e)
	case EnrolmentCodeIssued:
		a.EnrolmentCode, a.CodeExpiresAt = d.EnrolmentCode, d.ExpiresAt
	case MFAEnrolled, MFAReplaced:
		a.Enrolment, a.Step, a.Toggle, a.RecoveryCodes = d.Enrolment, d.Step, true, RecoveryCodeCount
		a.EnrolmentCode, a.CodeExpiresAt = "", 0
	case MFACodeVerified, SigninSucceeded:
		a.spend(d.Step)
	case RecoveryCodesIssued:
		a.RecoveryCodes = RecoveryCodeCount
		if d.RecoveryCodes != nil { // none, where a restore took away what may have been used
			a.RecoveryCodes = *d.RecoveryCodes
		}
		a.spend(d.Step)
	case RecoveryCodeUsed:
		a.RecoveryCodes--
	case SessionCreated:
	case SigninStarted, EnrolmentStarted:
		a.spend(d.Step)
		return false
	default:
		return false
	}
	return true
}

func (a *Replayable) applyUnlock(e Event) {
	a.HeldAt = 0
	if e.Details.Reopened {
		a.WindowAt = e.Time
	}
}

func (a *Replayable) applyReset(e Event) {
	a.Enrolment, a.Step, a.RecoveryCodes, a.ResetAt, a.WindowAt = "", 0, 0, e.Time, e.Time
	a.EnrolmentCode, a.CodeExpiresAt = e.Details.EnrolmentCode, e.Details.ExpiresAt
	switch {
	case e.Details.Held:
		a.HeldAt = e.Time
	case e.Action == MFARecovered:
		a.HeldAt = 0
	}
}

// spend moves the newest spent step; it only grows.
func (a *Replayable) spend(step int64) { a.Step = max(a.Step, step) }

func (a *Replayable) applyChanges(changes []Change, at Time) {
	for _, c := range changes {
		switch c.Field {
		case "email":
			a.Email, a.ContactChangedAt = c.To, at
		case "phone":
			a.Phone, a.ContactChangedAt = c.To, at
		case "name":
			a.Name = c.To
		case "role":
			a.Role = Role(c.To)
		}
	}
}

func (r *Replay) endSessions(account string) {
	maps.DeleteFunc(r.Sessions, func(_, owner string) bool { return owner == account })
}

// applyStore folds in what happened to the store as a whole. A copy that is
// given up thaws nothing.
func (r *Replay) applyStore(e Event) {
	switch e.Action {
	case StoreFrozen:
		r.Frozen = true
	case StoreThawed:
		r.Frozen = r.Frozen && e.Details.BackFrom != ""
	case StoreRestored:
		clear(r.Sessions)
	case OriginStarted:
		r.Origin = e.Details.Origin
	}
}

func (r *Replay) applyPolicy(e Event) error {
	switch e.Action {
	case StoreInitialised:
		r.Origin = e.Details.Origin
	case MFAEnforced:
		r.Policy.Enforced = true
	case MFAUnenforced:
		r.Policy.Enforced = false
	}
	for _, c := range e.Details.Changes {
		if err := r.Policy.Set(c.Field, c.To); err != nil {
			return Errorf(Integrity, "event %d: %w", e.Seq, err)
		}
	}
	return nil
}
