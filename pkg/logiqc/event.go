package logiqc

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
)

// Action names what an event records.
type Action string

// The actions (cli.md, "event").
const (
	StoreInitialised    Action = "store.initialised"
	StoreUpgraded       Action = "store.upgraded" // none so far: there has been one schema
	StoreCopied         Action = "store.copied"
	StoreBackedUp       Action = "store.backed_up"
	StoreRestored       Action = "store.restored"
	StoreFrozen         Action = "store.frozen"
	StoreThawed         Action = "store.thawed"
	UserCreated         Action = "user.created"
	UserUpdated         Action = "user.updated"
	UserImported        Action = "user.imported"
	UserActivated       Action = "user.activated"
	UserDeactivated     Action = "user.deactivated"
	UserUnlocked        Action = "user.unlocked"
	UserPasswordSet     Action = "user.password_set"
	UserProtected       Action = "user.protected"
	UserUnprotected     Action = "user.unprotected"
	UserViewed          Action = "user.viewed" // refused reads only
	AuditViewed         Action = "audit.viewed"
	MFAResetDone        Action = "mfa.reset"
	MFAEnabled          Action = "mfa.enabled"
	MFADisabled         Action = "mfa.disabled"
	MFAEnforced         Action = "mfa.enforced"
	MFAUnenforced       Action = "mfa.unenforced"
	EnrolmentStarted    Action = "mfa.enrolment_started"
	MFAEnrolled         Action = "mfa.enrolled"
	MFAReplaced         Action = "mfa.replaced"
	MFACodeVerified     Action = "mfa.code_verified"
	MFARecovered        Action = "mfa.recovered" // break-glass
	RecoveryCodesIssued Action = "mfa.recovery_codes_issued"
	RecoveryCodeUsed    Action = "mfa.recovery_code_used"
	EnrolmentCodeIssued Action = "mfa.enrolment_code_issued"
	MFARequested        Action = "mfa.requested"
	MFAApproved         Action = "mfa.approved"
	MFARejected         Action = "mfa.rejected"
	SigninStarted       Action = "signin.started" // password right, a step is left
	SigninSucceeded     Action = "signin.succeeded"
	SigninFailed        Action = "signin.failed"
	SigninThrottled     Action = "signin.throttled"
	SessionCreated      Action = "session.created"
	SessionRevoked      Action = "session.revoked"
	TokenCreated        Action = "token.created"
	TokenRevoked        Action = "token.revoked"
	PolicyChanged       Action = "policy.changed"
	KeyRotated          Action = "key.rotated"
	KeyRetired          Action = "key.retired"
	AuditExported       Action = "audit.exported"
	OriginStarted       Action = "audit.origin_started"
	WitnessAdded        Action = "audit.witness_added"
	WitnessRemoved      Action = "audit.witness_removed"
	currentEventVersion        = 1
)

// Actions lists every action, in the order of the contract.
var Actions = []Action{
	StoreInitialised, StoreUpgraded, StoreCopied, StoreBackedUp, StoreRestored, StoreFrozen, StoreThawed, UserCreated, UserUpdated, UserImported, UserActivated, UserDeactivated, UserUnlocked,
	UserPasswordSet, UserProtected, UserUnprotected, UserViewed, AuditViewed, MFAResetDone, MFAEnabled,
	MFADisabled, MFAEnforced, MFAUnenforced, EnrolmentStarted, MFAEnrolled, MFAReplaced, MFACodeVerified, MFARecovered,
	RecoveryCodesIssued, RecoveryCodeUsed, EnrolmentCodeIssued, MFARequested, MFAApproved, MFARejected, SigninStarted, SigninSucceeded,
	SigninFailed, SigninThrottled, SessionCreated, SessionRevoked, TokenCreated, TokenRevoked, PolicyChanged, KeyRotated, KeyRetired, AuditExported,
	OriginStarted, WitnessAdded, WitnessRemoved,
}

// Outcome says how what an event records ended.
type Outcome string

// The outcomes. A denied event carries the action that was refused and the
// error code.
const (
	Success Outcome = "success"
	Denied  Outcome = "denied"
	Failed  Outcome = "failed"
)

// Event is one record of the audit log. Its leaf in the tree is [Event.Leaf].
type Event struct {
	// Seq is the event's place in the log, from 0 and without gaps. It is not
	// part of the leaf.
	Seq int64 `json:"seq"`
	Body
}

// Body is what an event records. The order of its fields is part of the
// format of a leaf and never changes; nothing in it is ever a secret.
type Body struct {
	ID         string      `json:"id"` // UUIDv7
	Time       Time        `json:"time"`
	Action     Action      `json:"action"`
	Outcome    Outcome     `json:"outcome"`
	Actor      EventActor  `json:"actor"`
	Source     EventSource `json:"source"`
	Target     Target      `json:"target"`
	Reason     string      `json:"reason"`
	Ticket     string      `json:"ticket"`
	VerifiedBy string      `json:"verified_by"`
	Code       Code        `json:"code"`
	Details    Details     `json:"details"`
	RequestID  string      `json:"request_id"`
}

// EventActor is who acted.
type EventActor struct {
	Kind     ActorKind `json:"kind"`
	ID       string    `json:"id"`
	Username string    `json:"username"`
	Name     string    `json:"name,omitempty"` // of a token
	For      string    `json:"for,omitempty"`  // whom a token acts for
	OSUser   string    `json:"os_user"`
}

// Who names the actor for people: a token by its own name and whom it acts for.
func (a EventActor) Who() string {
	switch a.Kind {
	case Token:
		return a.Name + " for " + a.For
	case System:
		return "system (" + a.OSUser + ")"
	}
	return a.Username
}

// Responsible is the username of the person who acted, a token's maker for a
// token.
func (a EventActor) Responsible() string { return cmp.Or(a.For, a.Username) }

// EventSource is where the request came from.
type EventSource struct {
	Host string `json:"host"`
	IP   string `json:"ip"`
	App  string `json:"app"`
}

// Target is the account that an event is about; empty when it is about none.
type Target struct {
	ID       string `json:"id"`
	Username string `json:"username"`
}

// leaf is the stored form: the version first, then the body's fields.
type leaf struct {
	V int `json:"v"`
	Body
}

// Leaf returns the bytes that are stored and hashed: cli.md's event JSON
// without seq, first "v":1, no HTML escaping, no trailing newline. They are
// encoded once and never re-encoded.
func (b Body) Leaf() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(leaf{V: currentEventVersion, Body: b}); err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// ParseLeaf reads a leaf back as the event at seq. An unknown field or
// version is an error of code Integrity: nothing of ours wrote it.
func ParseLeaf(seq int64, b []byte) (Event, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var l leaf
	if err := dec.Decode(&l); err != nil {
		return Event{}, Errorf(Integrity, "event %d cannot be read: %w", seq, err)
	}
	if l.V != currentEventVersion {
		return Event{}, Errorf(Integrity, "event %d has version %d, this program reads %d", seq, l.V, currentEventVersion)
	}
	return Event{Seq: seq, Body: l.Body}, nil
}

// EventActor returns the actor as an event records it.
func (a Actor) EventActor() EventActor {
	e := EventActor{Kind: a.Kind, ID: a.ID, Username: a.Name, OSUser: a.Source.OSUser}
	switch a.Kind {
	case Token:
		e.Name, e.For = a.Name, a.Username
	case "":
		e.Kind = Person
	}
	return e
}

// EventSource returns where the actor acted from as an event records it.
func (s Source) EventSource() EventSource { return EventSource{Host: s.Host, IP: s.IP, App: s.App} }

// Target returns the account as the target of an event.
func (u User) Target() Target { return Target{ID: u.ID, Username: u.Username} }
