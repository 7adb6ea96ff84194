package logiqc

import (
	"context"
	"iter"
	"time"
)

// Service is everything an actor can do. It is got for one actor, checks that
// actor's rights anew in each transaction, and works alike on every kind of
// store. Errors are [*Error] values with the codes of the contract; a refused
// change is recorded before it is answered.
type Service interface {
	// Actor tells who acts.
	Actor() Actor

	// FindUsers lists accounts, best match first.
	FindUsers(ctx context.Context, q UserQuery) (UserPage, error)
	// GetUser returns the one account that ref means exactly: a username, an
	// email or an id, letter case ignored. NotFound carries the nearest names.
	GetUser(ctx context.Context, ref string) (Account, error)
	AddUser(ctx context.Context, r NewUser) (Changed, error)
	EditUser(ctx context.Context, r UserEdit) (Changed, error)
	SetPassword(ctx context.Context, r PasswordChange) (Changed, error)
	// ImportUsers adds every row or none; a bad row is named by its number.
	ImportUsers(ctx context.Context, r Import) (ImportResult, error)
	// ChangeUsers activates, deactivates, unlocks, enables or disables accounts
	// in one transaction; each has its own outcome.
	ChangeUsers(ctx context.Context, r UserChange) ([]ChangeResult, error)

	// ResetMFA resets accounts in one transaction; each has its own outcome and
	// an error is returned only when the batch as a whole did not run.
	ResetMFA(ctx context.Context, r Reset) ([]ResetResult, error)
	// RequestReset asks that a second operator approves resets: a request for each
	// account, bound to its enrolment as it is now. The enrolment codes in the
	// results work once their request is approved.
	RequestReset(ctx context.Context, r Reset) ([]ResetResult, error)
	// Approvals lists requests, the one that runs out first at the front; Approval
	// returns the one that ref means: an id, or an ending of one.
	Approvals(ctx context.Context, q ApprovalQuery) ([]Approval, error)
	Approval(ctx context.Context, ref string) (Approval, error)
	// DecideApproval approves a request, which resets in the same transaction, or
	// rejects it.
	DecideApproval(ctx context.Context, d Decision) (Decided, error)
	Enforce(ctx context.Context, r Enforcement) (EnforcementResult, error)
	Figures(ctx context.Context) (Figures, error)
	Policy(ctx context.Context) (Policy, error)
	// ChangePolicy changes settings, all or none; Invalid names the one that is
	// not fit.
	ChangePolicy(ctx context.Context, r PolicyEdit) (PolicyEdited, error)
	// VerifyCode proves a caller's app code, which spends it, and nothing else.
	VerifyCode(ctx context.Context, r CodeCheck) (CodeChecked, error)
	// SecondFactor checks the second factor for an application that has checked
	// the password itself: SigninDenied for whoever cannot sign in here,
	// CodeRequired or EnrolmentRequired for what comes next, else as
	// [SignIn.Code].
	SecondFactor(ctx context.Context, r FactorCheck) (FactorChecked, error)
	// IssueEnrolmentCode gives an account that has yet to enrol a fresh enrolment
	// code; the old one dies. It returns the code once, here.
	IssueEnrolmentCode(ctx context.Context, r CodeIssue) (CodeIssued, error)
	// Run tells how far the accounts are that a run reset; NotFound if no reset
	// had that request id.
	Run(ctx context.Context, requestID string) (RunFigures, error)

	// CreateToken returns the token itself once, here.
	CreateToken(ctx context.Context, r NewToken) (TokenInfo, Secret, error)
	Tokens(ctx context.Context) ([]TokenInfo, error)
	RevokeTokens(ctx context.Context, r Revocation) (Revoked, error)
	// Sessions lists the live sessions of one account, or all with ref "".
	Sessions(ctx context.Context, ref string) ([]SessionInfo, error)
	RevokeSessions(ctx context.Context, r Revocation) (Revoked, error)

	// Events lists events, newest first; EventAt returns one.
	Events(ctx context.Context, q EventQuery) (EventPage, error)
	EventAt(ctx context.Context, seq int64) (Event, error)
}

// Request is what every change carries beside its own matter.
type Request struct {
	// RequestID makes a retry return the first outcome. Remember says that the
	// caller may retry, so that the outcome must be kept.
	RequestID string `json:"request_id"`
	Remember  bool   `json:"remember"`
	Batch     int    `json:"batch"` // of a run with one RequestID, from 0
	Reason    string `json:"reason"`
	Ticket    string `json:"ticket"`
	// VerifiedBy is how the caller was verified.
	VerifiedBy string `json:"verified_by"`
	Consent
}

// Replayed marks an outcome that a retry found already there.
type Replayed struct {
	Replayed bool `json:"replayed,omitempty"`
}

// UserQuery selects accounts. Zero fields select everything.
type UserQuery struct {
	Text      string         `json:"text,omitempty"` // words of a name, username or email, in any order
	Status    Status         `json:"status,omitempty"`
	Auth      Method         `json:"auth,omitempty"`
	Role      Role           `json:"role,omitempty"`
	MFA       EnrolmentState `json:"mfa,omitempty"`
	Required  *bool          `json:"required,omitempty"`
	Protected *bool          `json:"protected,omitempty"`
	// AwaitingEnrolment selects those reset and not enrolled since, before the
	// time ResetBefore where that is given.
	AwaitingEnrolment bool   `json:"awaiting_enrolment,omitempty"`
	ResetBefore       Time   `json:"reset_before,omitempty"`
	Limit             int    `json:"limit,omitempty"` // 1 to PageMax; 0 means PageMax
	Cursor            string `json:"cursor,omitempty"`
}

// PageMax is the most a page of accounts or events holds.
const PageMax = 1000

// UserPage is one page of accounts; Next is "" on the last.
type UserPage struct {
	Accounts []Account `json:"accounts"`
	Next     string    `json:"next"`
}

// NewUser is an account to add. Empty Role, Auth mean user, password.
type NewUser struct {
	Request
	Username  string `json:"username"`
	Email     string `json:"email"`
	Name      string `json:"name"`
	Phone     string `json:"phone"`
	Role      Role   `json:"role"`
	Auth      Method `json:"auth"`
	Status    Status `json:"status"`
	Toggle    bool   `json:"toggle"`
	Protected bool   `json:"protected"`
	Password  Secret `json:"password"`
}

// UserEdit changes the fields that are not nil.
type UserEdit struct {
	Request
	User      string  `json:"user"`
	Email     *string `json:"email"`
	Name      *string `json:"name"`
	Phone     *string `json:"phone"`
	Role      *Role   `json:"role"`
	Protected *bool   `json:"protected"`
}

// PasswordChange sets a password: one's own, which takes the current one, or
// an admin's choice for somebody else. User "" means the actor's own.
type PasswordChange struct {
	Request
	User    string `json:"user"`
	Current Secret `json:"current"`
	New     Secret `json:"new"`
}

// Changed is the outcome of a change of one account.
type Changed struct {
	Replayed
	Changed bool    `json:"changed"`
	Account Account `json:"account"`
}

// Existing says what an import does with an account that exists.
type Existing string

// What an import does with accounts that exist.
const (
	ExistingFail   Existing = "fail"
	ExistingSkip   Existing = "skip"
	ExistingUpdate Existing = "update"
)

// Import is a list of accounts to add or update, all or none.
type Import struct {
	Request
	// Rows yields each row or the error of reading it. It is read once.
	Rows       iter.Seq2[ImportRow, error] `json:"-"`
	OnExisting Existing                    `json:"on_existing"`
	// Progress is told, now and then, how many rows are done.
	Progress func(done int64) `json:"-"`
}

// ImportRow is one account of an import. Fields names what the row gives, so
// that an update leaves the rest alone.
type ImportRow struct {
	Row          int // as an editor counts lines or rows of the file, from 1
	Fields       []string
	Username     string
	Email        string
	Name         string
	Phone        string
	Role         Role
	Auth         Method
	Status       Status
	Toggle       bool
	Protected    bool
	PasswordHash Secret // PHC argon2id or bcrypt
	TOTP         Secret // otpauth URI
}

// ImportResult counts what an import did or would do.
type ImportResult struct {
	Replayed
	Added           int      `json:"added"`
	Updated         int      `json:"updated"`
	Skipped         int      `json:"skipped"`
	WithoutPassword int      `json:"without_password"`
	Admins          []string `json:"admins"`
}

// Verb is a change that is made to accounts one by one.
type Verb string

// The verbs of ChangeUsers.
const (
	Activate   Verb = "activate"
	Deactivate Verb = "deactivate"
	Unlock     Verb = "unlock"
	EnableMFA  Verb = "enable"
	DisableMFA Verb = "disable"
)

// UserChange applies one verb to accounts.
type UserChange struct {
	Request
	Verb  Verb     `json:"verb"`
	Users []string `json:"users"`
}

// ChangeResult is the outcome for one account of a UserChange.
type ChangeResult struct {
	Replayed
	Input   string  `json:"input"`
	User    string  `json:"user"`
	Changed bool    `json:"changed"`
	Would   bool    `json:"would"` // a dry run, or a preview, of what would change
	Account Account `json:"account"`
	Err     *Error  `json:"error,omitempty"`
}

// Enforcement turns MFA for the whole organisation on or off.
type Enforcement struct {
	Request
	On bool `json:"on"`
}

// EnforcementResult is the outcome, with how many accounts still have to
// enrol.
type EnforcementResult struct {
	Replayed
	Changed  bool    `json:"changed"`
	Enforced bool    `json:"enforced"`
	Figures  Figures `json:"figures"`
}

// Figures counts accounts.
type Figures struct {
	Accounts          int `json:"accounts"`
	Password          int `json:"password"`
	SSO               int `json:"sso"`
	Required          int `json:"required"`
	Enrolled          int `json:"enrolled"`
	Pending           int `json:"pending"`
	None              int `json:"none"`
	AwaitingEnrolment int `json:"awaiting_enrolment"`
}

// NewToken is a token to make: with a role, or with single rights.
type NewToken struct {
	Request
	Name      string  `json:"name"`
	Role      Role    `json:"role"`
	Allow     []Right `json:"allow"`
	ExpiresAt Time    `json:"expires_at"` // never if zero
	// Lifetime, where it is not 0, says instead how long it lives from now on.
	Lifetime time.Duration `json:"lifetime"`
}

// TokenInfo is a token without its secret.
type TokenInfo struct {
	ID         string  `json:"id"`
	Name       string  `json:"name"`
	Role       Role    `json:"role"`
	Allow      []Right `json:"allow"`
	User       string  `json:"user"` // whom it acts for
	CreatedAt  Time    `json:"created_at"`
	LastUsedAt Time    `json:"last_used_at"`
	ExpiresAt  Time    `json:"expires_at"`
	RevokedAt  Time    `json:"revoked_at"`
}

// SessionInfo is a session without its secret.
type SessionInfo struct {
	ID         string `json:"id"`
	User       string `json:"user"`
	Host       string `json:"host"`
	CreatedAt  Time   `json:"created_at"`
	LastUsedAt Time   `json:"last_used_at"`
	ExpiresAt  Time   `json:"expires_at"`
}

// Revocation ends one token or session by ID, all of one User, or All.
type Revocation struct {
	Request
	ID   string `json:"id"`
	User string `json:"user"`
	All  bool   `json:"all"`
}

// Revoked counts what a Revocation ended, or would.
type Revoked struct {
	Replayed
	Count int `json:"count"`
}

// EventQuery selects events. Zero fields select everything.
type EventQuery struct {
	User      string   `json:"user,omitempty"` // about or by
	Target    string   `json:"target,omitempty"`
	Actor     string   `json:"actor,omitempty"`
	Actions   []Action `json:"actions,omitempty"`
	Outcome   Outcome  `json:"outcome,omitempty"`
	Since     Time     `json:"since,omitempty"`
	Until     Time     `json:"until,omitempty"`
	RequestID string   `json:"request_id,omitempty"`
	// After selects events with a greater Seq, oldest first, for following.
	After  *int64 `json:"after,omitempty"`
	Limit  int    `json:"limit,omitempty"`
	Cursor string `json:"cursor,omitempty"`
}

// EventPage is one page of events; Next is "" on the last.
type EventPage struct {
	Events []Event `json:"events"`
	Next   string  `json:"next"`
}
