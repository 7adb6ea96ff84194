package logiqc

import "slices"

// Role says what an account may do.
type Role string

// The roles of accounts. App is for tokens only.
const (
	RoleUser     Role = "user"
	RoleHelpdesk Role = "helpdesk"
	RoleAuditor  Role = "auditor"
	RoleAdmin    Role = "admin"
	RoleApp      Role = "app"
)

// AccountRoles are the roles an account can have, least first.
var AccountRoles = []Role{RoleUser, RoleHelpdesk, RoleAuditor, RoleAdmin}

// TokenRoles are the roles a token can be given.
var TokenRoles = []Role{RoleApp, RoleHelpdesk, RoleAuditor, RoleAdmin}

// ParseRole reads the name of an account's role.
func ParseRole(s string) (Role, error) {
	if slices.Contains(AccountRoles, Role(s)) {
		return Role(s), nil
	}
	return "", Errorf(Usage, "%q is no role: one of user, helpdesk, auditor, admin", s)
}

// Right is one thing a token can be allowed to do.
type Right string

// The rights a token can carry (cli.md, "Token rights").
const (
	UsersRead    Right = "users.read"
	UsersWrite   Right = "users.write"
	MFAReset     Right = "mfa.reset"
	MFAVerify    Right = "mfa.verify"
	AuditRead    Right = "audit.read"
	SignIns      Right = "signin"
	SecondFactor Right = "second_factor"
	// The rest come with a role only; no token can be allowed them singly.
	Administer  Right = "administer"   // policy, enforcement, tokens, sessions of others
	AuditVerify Right = "audit.verify" // audit key, verify and all that proves the log
)

// TokenRights are the rights that --allow takes.
var TokenRights = []Right{UsersRead, UsersWrite, MFAReset, MFAVerify, AuditRead, SignIns, SecondFactor}

// granted is who may what (product.md, R1): the table of rights a role carries.
var granted = map[Role][]Right{
	RoleUser:     nil,
	RoleApp:      {SignIns},
	RoleHelpdesk: {UsersRead, MFAReset, MFAVerify, AuditRead},
	RoleAuditor:  {UsersRead, AuditRead, AuditVerify},
	RoleAdmin: {UsersRead, UsersWrite, MFAReset, MFAVerify, AuditRead, AuditVerify, Administer,
		SignIns, SecondFactor},
}

// Grants reports whether the role carries the right.
func (r Role) Grants(right Right) bool { return slices.Contains(granted[r], right) }

// Rights lists what the role carries.
func (r Role) Rights() []Right { return slices.Clone(granted[r]) }

// Covers reports whether an account of role r may own a token of role t.
func (r Role) Covers(t Role) bool { return r == RoleAdmin || r == t }

// ActorKind says what acts.
type ActorKind string

// The kinds of actor.
const (
	Person ActorKind = "person"
	Token  ActorKind = "token"
	System ActorKind = "system" // somebody who holds the store itself
)

// Actor is who acts, from where, and with which rights. It is made by
// authenticating a session or a token, never from what a caller says. Without
// a Kind it is somebody who is signing in, with no right to anything.
type Actor struct {
	Kind ActorKind
	// ID and Name are the account's id and username, or the token's id and name.
	ID, Name string
	// AccountID and Username are the account acted for: a person's own, or that
	// of the token's maker.
	AccountID, Username string
	// Role is the account's role, or for a token the role it was given; a token
	// made with --allow has its maker's role and only the rights allowed.
	Role Role
	// Rights are in force now: what was given and the account still has.
	Rights []Right
	// SessionID is the session of a person, "" otherwise.
	SessionID string
	// SignedInAt is when the person proved who they are; never for a token.
	SignedInAt Time
	// ExpiresAt is when the session or token ends; never if it does not.
	ExpiresAt Time
	Source    Source
}

// Source is where a request came from. Host and OSUser are the client's claim
// when the store is reached over a network; IP is what the server saw.
type Source struct {
	Host, IP, App, OSUser string
}

// May reports whether the actor carries the right.
func (a Actor) May(right Right) bool {
	return a.Kind == System || slices.Contains(a.Rights, right)
}

// Limited reports whether the actor may not touch privileged accounts: every
// actor with the rights of the help desk but not of an admin.
func (a Actor) Limited() bool { return a.Kind != System && a.Role == RoleHelpdesk }

// IsSelf reports whether the account is the actor's own or, for a token, its
// maker's.
func (a Actor) IsSelf(accountID string) bool {
	return a.Kind != System && a.AccountID == accountID
}

// Need refuses with Forbidden when the actor lacks the right.
func (a Actor) Need(right Right) error {
	if a.May(right) {
		return nil
	}
	if a.Kind == Token {
		return Errorf(Forbidden, "the token %s does not carry the right %s", a.Name, right)
	}
	return Errorf(Forbidden, "%s (%s) has no access to this: it takes the right %s", a.Username, a.Role, right).
		WithHint("ask an administrator, or sign in as one: logiqc signin")
}
