package logiqc

// Status says whether an account may be used.
type Status string

// The statuses of an account.
const (
	Active   Status = "active"
	Inactive Status = "inactive"
)

// Method is how an account signs in.
type Method string

// The sign-in methods.
const (
	ByPassword Method = "password"
	BySSO      Method = "sso"
)

// User is one account with everything the rules decide on, as it is stored.
// What callers get to see of it is an [Account].
type User struct {
	N                int64 // the row's number, for the search index only
	ID               string
	Username         string
	Email            string
	Name             string
	Phone            string
	Role             Role
	Status           Status
	Auth             Method
	Protected        bool
	Toggle           bool // the account's own MFA toggle
	ContactChangedAt Time // when email or phone last changed; never if they have not
	ContactChangedBy string
	PasswordHash     Secret // PHC string, "" when the account has none
	PasswordThrottle Throttle
	CodeThrottle     Throttle
	ResetAt          Time
	ResetBy          string
	ResetSeen        bool  // the user has been told of the last reset
	HeldAt           Time  // when an operator held the sign-in; never if it is not
	Told             int64 // the operator has been told of all recoveries before this event
	WindowAt         Time  // when the window to enrol in began: the reset, or its being opened again
	LastSuccessAt    Time
	LastFailure      Failure
	Version          int64 // grows with every change of the row
	CreatedAt        Time
	UpdatedAt        Time

	Enrolled     *Enrolment     // the proved link to an authenticator app, or nil
	Pending      *Enrolment     // a started one, expired or not, or nil
	RecoveryLeft int            // unused recovery codes of Enrolled
	Code         *EnrolmentCode // the enrolment code that was issued last, dead or alive, or nil
}

// Failure is the last failed sign-in; a zero At means there never was one.
type Failure struct {
	At     Time   `json:"at"`
	Reason string `json:"reason"`
	Host   string `json:"host"`
}

// Privileged reports whether the account needs more than --yes (product.md,
// R5): a role other than user, or marked protected.
func (u User) Privileged() bool { return u.Role != RoleUser || u.Protected }

// MFARequired reports whether MFA is required for the account (product.md,
// "The words").
func (u User) MFARequired(p Policy) bool {
	return u.Auth == ByPassword && (p.Enforced || u.Toggle)
}

// PendingAt returns the enrolment that awaits its first code at now, or nil.
func (u User) PendingAt(now Time) *Enrolment {
	if u.Pending == nil || u.Pending.ExpiresAt <= now {
		return nil
	}
	return u.Pending
}

// State is the state of the enrolment at now.
func (u User) State(now Time) EnrolmentState {
	switch {
	case u.Enrolled != nil:
		return EnrolmentEnrolled
	case u.PendingAt(now) != nil:
		return EnrolmentPending
	default:
		return EnrolmentNone
	}
}

// What a sign-in would meet next, and why it is blocked.
const (
	NextCode     = "code"
	NextEnrol    = "enrol"
	NextPassword = "password"
	NextSSO      = "sso"
	NextBlocked  = "blocked"

	WhyInactive   = "inactive"
	WhyThrottled  = "throttled"
	WhyLocked     = "locked"
	WhyHeld       = "held"
	WhyNoPassword = "no_password"
)

// Next answers "can this user sign in?": what comes after the password, or
// why nothing does, and until when.
func (u User) Next(p Policy, now Time) (next, why string, until Time) {
	switch {
	case u.Status == Inactive:
		return NextBlocked, WhyInactive, 0
	case u.Auth == BySSO:
		return NextSSO, "", 0
	case u.PasswordHash == "":
		return NextBlocked, WhyNoPassword, 0
	case u.Held(p, now):
		return NextBlocked, WhyHeld, 0
	case u.PasswordThrottle.Waiting(now):
		return NextBlocked, WhyThrottled, u.PasswordThrottle.Until
	case !u.MFARequired(p):
		return NextPassword, "", 0
	case u.CodeThrottle.Locked():
		return NextBlocked, WhyLocked, 0
	case u.CodeThrottle.Waiting(now):
		return NextBlocked, WhyThrottled, u.CodeThrottle.Until
	case u.Enrolled != nil:
		return NextCode, "", 0
	default:
		return NextEnrol, "", 0
	}
}

// Held reports whether sign-in waits for an operator: because one held it, or
// because the time to enrol after a reset is over.
func (u User) Held(p Policy, now Time) bool { return u.HeldAt != 0 || u.windowOver(p, now) }

func (u User) windowOver(p Policy, now Time) bool {
	return p.Window > 0 && u.WindowAt != 0 && u.Enrolled == nil && u.MFARequired(p) && now >= u.WindowAt.Add(p.Window)
}

// CheckHeld refuses with Held a sign-in that waits for an operator.
func (u User) CheckHeld(p Policy, now Time) error {
	switch {
	case u.HeldAt != 0:
		return Errorf(Held, "the help desk holds the sign-in of this account").
			WithHint("call the help desk; for the operator: logiqc users unlock %s", u.Username)
	case u.windowOver(p, now):
		return Errorf(Held, "the time to set up MFA again after the reset is over").
			WithHint("call the help desk; for the operator: logiqc users unlock %s", u.Username)
	}
	return nil
}

// Account is what callers see of a User: cli.md's account object.
type Account struct {
	ID               string     `json:"id"`
	Username         string     `json:"username"`
	Email            string     `json:"email"`
	Name             string     `json:"name"`
	Phone            string     `json:"phone"`
	Status           Status     `json:"status"`
	Auth             Method     `json:"auth"`
	Role             Role       `json:"role"`
	Protected        bool       `json:"protected"`
	ContactChangedAt Time       `json:"contact_changed_at"`
	ContactChangedBy string     `json:"contact_changed_by"`
	MFA              MFAView    `json:"mfa"`
	Signin           SigninView `json:"signin"`
	Version          int64      `json:"version"`
	CreatedAt        Time       `json:"created_at"`
	UpdatedAt        Time       `json:"updated_at"`
}

// MFAView is the authentication section of an account.
type MFAView struct {
	Required          bool           `json:"required"`
	RequiredBy        string         `json:"required_by"` // organisation, account or ""
	Toggle            OnOff          `json:"toggle"`      // what is in force
	ToggleOwn         OnOff          `json:"toggle_own"`  // the account's own
	ToggleLocked      bool           `json:"toggle_locked"`
	State             EnrolmentState `json:"state"`
	EnrolledAt        Time           `json:"enrolled_at"`
	LastUsedAt        Time           `json:"last_used_at"`
	RecoveryCodesLeft int            `json:"recovery_codes_left"`
	ResetAt           Time           `json:"reset_at"`
	ResetBy           string         `json:"reset_by"`
	// Of an account that enrols with an enrolment code only: that it does, and
	// until when the one that was issued is good, never if there is none.
	CodeNeeded bool `json:"enrolment_code_needed,omitempty"`
	CodeUntil  Time `json:"enrolment_code_until,omitzero"`
}

// SigninView answers "can this user sign in?".
type SigninView struct {
	Next           string   `json:"next"` // code, enrol, password, sso or blocked
	Why            string   `json:"why"`  // of blocked
	Until          Time     `json:"until"`
	HeldAt         Time     `json:"held_at,omitzero"` // of held by an operator
	Misses         int      `json:"misses"`           // in a row, of passwords and of codes
	PasswordMisses int      `json:"password_misses"`
	CodeMisses     int      `json:"code_misses"`
	LastSuccessAt  Time     `json:"last_success_at"`
	LastFailure    *Failure `json:"last_failure"`
}

// OnOff is a toggle in JSON: "on" or "off".
type OnOff bool

// String is "on" or "off".
func (o OnOff) String() string {
	if o {
		return "on"
	}
	return "off"
}

// MarshalText writes "on" or "off".
func (o OnOff) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads "on" or "off".
func (o *OnOff) UnmarshalText(b []byte) error {
	switch string(b) {
	case "on":
		*o = true
	case "off":
		*o = false
	default:
		return Errorf(Usage, "%q is neither on nor off", b)
	}
	return nil
}

// Account shows the user under the policy at now.
func (u User) Account(p Policy, now Time) Account {
	a := Account{
		ID: u.ID, Username: u.Username, Email: u.Email, Name: u.Name, Phone: u.Phone,
		Status: u.Status, Auth: u.Auth, Role: u.Role, Protected: u.Protected,
		ContactChangedAt: u.ContactChangedAt, ContactChangedBy: u.ContactChangedBy,
		Version: u.Version, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
	}
	locked := p.Enforced && u.Auth == ByPassword
	a.MFA = MFAView{
		Required: u.MFARequired(p), Toggle: OnOff(u.Toggle || locked), ToggleOwn: OnOff(u.Toggle),
		ToggleLocked: locked, State: u.State(now), ResetAt: u.ResetAt, ResetBy: u.ResetBy,
	}
	switch {
	case locked:
		a.MFA.RequiredBy = "organisation"
	case a.MFA.Required:
		a.MFA.RequiredBy = "account"
	}
	if e := u.Enrolled; e != nil {
		a.MFA.EnrolledAt, a.MFA.LastUsedAt, a.MFA.RecoveryCodesLeft = e.EnrolledAt, e.LastUsedAt, u.RecoveryLeft
	}
	a.MFA.CodeNeeded = u.NeedsEnrolmentCode(p)
	if u.Code != nil && u.Code.Alive(now) {
		a.MFA.CodeUntil = u.Code.ExpiresAt
	}
	a.Signin = SigninView{
		HeldAt:         u.HeldAt,
		PasswordMisses: u.PasswordThrottle.Misses, CodeMisses: u.CodeThrottle.Misses,
		Misses:        u.PasswordThrottle.Misses + u.CodeThrottle.Misses,
		LastSuccessAt: u.LastSuccessAt,
	}
	a.Signin.Next, a.Signin.Why, a.Signin.Until = u.Next(p, now)
	if u.LastFailure.At != 0 {
		f := u.LastFailure
		a.Signin.LastFailure = &f
	}
	return a
}

// DisplayName is the name people know the account by: its name, or the
// username where there is none.
func (a Account) DisplayName() string {
	if a.Name == "" {
		return a.Username
	}
	return a.Name
}

// Privileged reports whether the account needs more than --yes.
func (a Account) Privileged() bool { return a.Role != RoleUser || a.Protected }
