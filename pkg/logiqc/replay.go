package logiqc

import "slices"

// Replay is the state of accounts, policy, sessions, tokens and requests for
// approval as the audit log tells it: the fold of its events. What the store
// holds must equal it.
type Replay struct {
	Policy    Policy
	Accounts  map[string]*Replayable // by account id
	Sessions  map[string]Sessionable // by session id; they may have expired since
	Tokens    map[string]Tokenable   // by token id
	Approvals map[string]Approvable  // by id, those nobody has decided; they may have expired since
	Frozen    bool
	Store     string // its id
	Origin    string // of the log's checkpoints
	CopiedTo  string // where the store was copied to last
	// Witnesses are the address and key of each, by name.
	Witnesses map[string][2]string

	asked []string // ids of requests for approval, the oldest first
}

// Replayable is what the log knows of an account. Its fields are those that a
// change in the store behind the log's back would have to touch.
type Replayable struct {
	Snapshot
	CreatedAt        Time
	ContactChangedAt Time
	ContactChangedBy string
	EnrolledAt       Time
	UsedAt           Time   // when a code of the app was spent last
	Step             int64  // newest time step spent of the enrolment
	RecoveryCodes    int    // unused
	RecoveryDigest   string // of them, "" where no event says
	ResetAt          Time
	ResetBy          string
	ResetSeen        bool // there was a sign-in since, which tells of it
	HeldAt           Time
	WindowAt         Time
	EnrolmentCode    string // SHA-256 of its PHC string, hex, or ""
	CodeExpiresAt    Time
	SucceededAt      Time  // the last sign-in
	Told             int64 // the sign-in at which an operator was told of recoveries
	LastEvent        int64
}

// NewReplay is the state before the first event.
func NewReplay() *Replay {
	return &Replay{Policy: DefaultPolicy(), Accounts: map[string]*Replayable{},
		Sessions: map[string]Sessionable{}, Tokens: map[string]Tokenable{}, Approvals: map[string]Approvable{},
		Witnesses: map[string][2]string{}}
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
	case KeyRotated, KeyRetired, AuditExported, StoreUpgraded, StoreBackedUp:
		return nil // about no account
	case StoreCopied, StoreFrozen, StoreThawed, StoreRestored, OriginStarted:
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
	case TokenCreated, TokenRevoked, SessionRevoked:
		r.applyBearer(e)
		return nil
	case MFARequested, MFAApproved, MFARejected:
		r.applyApproval(e)
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
		a = &Replayable{CreatedAt: e.Time, Snapshot: Snapshot{Email: made.Email, Phone: made.Phone}}
		r.Accounts[e.Target.ID] = a
	}
	if a.Email != made.Email || a.Phone != made.Phone {
		a.ContactChangedAt, a.ContactChangedBy = e.Time, e.Actor.Responsible()
	}
	if a.Enrolment != made.Enrolment {
		a.enrol(e.Time)
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
	if e.Action == SessionCreated || e.Action == SigninSucceeded {
		r.applySession(e)
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
		a.applyChanges(e)
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
		a.enrol(e.Time)
		a.Enrolment, a.Step, a.Toggle, a.RecoveryCodes, a.RecoveryDigest = d.Enrolment, d.Step, true, RecoveryCodeCount, d.RecoveryDigest
	case MFACodeVerified:
		a.spend(e)
	case SigninSucceeded:
		a.spend(e)
		a.signedIn(e)
	case RecoveryCodesIssued:
		a.RecoveryCodes, a.RecoveryDigest = RecoveryCodeCount, d.RecoveryDigest
		if d.RecoveryCodes != nil { // none, where a restore took away what may have been used
			a.RecoveryCodes = *d.RecoveryCodes
		}
		a.spend(e)
	case RecoveryCodeUsed:
		a.RecoveryCodes, a.RecoveryDigest = a.RecoveryCodes-1, d.RecoveryDigest
	case SessionCreated:
	case SigninStarted, EnrolmentStarted:
		a.spend(e)
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
	a.enrol(0)
	a.Enrolment, a.ResetAt, a.ResetBy, a.ResetSeen, a.WindowAt = "", e.Time, e.ResetBy(), false, e.Time
	a.EnrolmentCode, a.CodeExpiresAt = e.Details.EnrolmentCode, e.Details.ExpiresAt
	switch {
	case e.Details.Held:
		a.HeldAt = e.Time
	case e.Action == MFARecovered:
		a.HeldAt = 0
	}
}

// enrol gives the account another enrolment, or none: nothing of the one before
// stays, nor the enrolment code that it was made with.
func (a *Replayable) enrol(at Time) {
	a.EnrolledAt, a.UsedAt, a.Step, a.RecoveryCodes, a.RecoveryDigest = at, 0, 0, 0, ""
	a.EnrolmentCode, a.CodeExpiresAt = "", 0
}

// spend moves the newest spent step; it only grows.
func (a *Replayable) spend(e Event) {
	if e.Details.Step > 0 {
		a.Step, a.UsedAt = max(a.Step, e.Details.Step), e.Time
	}
}

// signedIn notes a sign-in: whoever signs in is told of a reset, and an operator
// of recoveries, unless it is to an application.
func (a *Replayable) signedIn(e Event) {
	a.SucceededAt, a.ResetSeen = e.Time, true
	if e.Source.App == "" {
		a.Told = e.Seq
	}
}

func (a *Replayable) applyChanges(e Event) {
	for _, c := range e.Details.Changes {
		switch c.Field {
		case "email", "phone":
			if c.Field == "email" {
				a.Email = c.To
			} else {
				a.Phone = c.To
			}
			a.ContactChangedAt, a.ContactChangedBy = e.Time, e.Actor.Responsible()
		case "name":
			a.Name = c.To
		case "role":
			a.Role = Role(c.To)
		}
	}
}

// applyStore folds in what happened to the store as a whole. A copy that is
// given up thaws nothing.
func (r *Replay) applyStore(e Event) {
	switch e.Action {
	case StoreCopied:
		r.CopiedTo = e.Details.To
	case StoreFrozen:
		r.Frozen = true
	case StoreThawed:
		r.Frozen = r.Frozen && e.Details.BackFrom != ""
		r.CopiedTo = ""
	case StoreRestored:
		clear(r.Sessions)
		if e.Details.Carried != nil { // what was under way is ended
			clear(r.Approvals)
		}
	case OriginStarted:
		r.Origin = e.Details.Origin
	}
}

func (r *Replay) applyPolicy(e Event) error {
	switch e.Action {
	case StoreInitialised:
		r.Store, r.Origin = e.Details.Store, e.Details.Origin
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
