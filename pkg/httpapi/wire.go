package httpapi

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// In the structs here a field hides the one of the same name in the struct of
// package logiqc that is embedded: there a secret, or a length of time, that
// JSON would not carry or not readably.

// duration is a length of time as people write it: "15m", "72h".
type duration time.Duration

// MarshalText implements [encoding.TextMarshaler].
func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *duration) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = 0
		return nil
	}
	length, err := logiqc.ParseAge(string(b))
	*d = duration(length)
	return err
}

// newUser is [logiqc.NewUser].
type newUser struct {
	logiqc.NewUser
	Password string `json:"password"`
}

func toNewUser(r logiqc.NewUser) newUser { return newUser{r, r.Password.Reveal()} }

func (w newUser) domain() logiqc.NewUser {
	w.NewUser.Password = logiqc.Secret(w.Password)
	return w.NewUser
}

// passwordChange is [logiqc.PasswordChange].
type passwordChange struct {
	logiqc.PasswordChange
	Current string `json:"current"`
	New     string `json:"new"`
}

func toPasswordChange(r logiqc.PasswordChange) passwordChange {
	return passwordChange{r, r.Current.Reveal(), r.New.Reveal()}
}

func (w passwordChange) domain() logiqc.PasswordChange {
	w.PasswordChange.Current, w.PasswordChange.New = logiqc.Secret(w.Current), logiqc.Secret(w.New)
	return w.PasswordChange
}

// reset is [logiqc.Reset].
type reset struct {
	logiqc.Reset
	CodeTTL duration      `json:"code_ttl"`
	Users   []resetTarget `json:"users"`
}

func toReset(r logiqc.Reset) reset {
	return reset{r, duration(r.CodeTTL), each(r.Users, toResetTarget)}
}

func (w reset) domain() logiqc.Reset {
	w.Reset.CodeTTL, w.Reset.Users = time.Duration(w.CodeTTL), each(w.Users, resetTarget.domain)
	return w.Reset
}

// resetTarget is [logiqc.ResetTarget].
type resetTarget struct {
	logiqc.ResetTarget
	IfEnrolledAt *timeOrNone `json:"if_enrolled_at,omitempty"`
}

func toResetTarget(r logiqc.ResetTarget) resetTarget {
	return resetTarget{r, (*timeOrNone)(r.IfEnrolledAt)}
}

func (w resetTarget) domain() logiqc.ResetTarget {
	w.ResetTarget.IfEnrolledAt = (*logiqc.Time)(w.IfEnrolledAt)
	return w.ResetTarget
}

// timeOrNone is a time that may be none, which is not the same as its absence.
type timeOrNone logiqc.Time

const noTime = "none"

// MarshalText implements [encoding.TextMarshaler].
func (t timeOrNone) MarshalText() ([]byte, error) {
	return []byte(cmp.Or(logiqc.Time(t).String(), noTime)), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (t *timeOrNone) UnmarshalText(b []byte) error {
	if string(b) == noTime {
		*t = 0
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, string(b))
	*t = timeOrNone(logiqc.At(at))
	return err
}

// issuedCode is [logiqc.IssuedCode].
type issuedCode struct {
	Code      *string     `json:"code"` // null in the answer to a retry
	ExpiresAt logiqc.Time `json:"expires_at"`
}

func toIssuedCode(c *logiqc.IssuedCode) *issuedCode {
	if c == nil {
		return nil
	}
	w := &issuedCode{ExpiresAt: c.ExpiresAt}
	if c.Code != "" {
		text := c.Code.Reveal()
		w.Code = &text
	}
	return w
}

func (w *issuedCode) domain() *logiqc.IssuedCode {
	if w == nil {
		return nil
	}
	c := &logiqc.IssuedCode{ExpiresAt: w.ExpiresAt}
	if w.Code != nil {
		c.Code = logiqc.Secret(*w.Code)
	}
	return c
}

// resetResult is [logiqc.ResetResult].
type resetResult struct {
	logiqc.ResetResult
	EnrolmentCode *issuedCode `json:"enrolment_code"`
}

func toResetResult(r logiqc.ResetResult) resetResult {
	return resetResult{r, toIssuedCode(r.EnrolmentCode)}
}

func (w resetResult) domain() logiqc.ResetResult {
	w.ResetResult.EnrolmentCode = w.EnrolmentCode.domain()
	return w.ResetResult
}

// decided is [logiqc.Decided].
type decided struct {
	logiqc.Decided
	Reset *resetResult `json:"reset"`
}

func toDecided(r logiqc.Decided) decided {
	w := decided{Decided: r}
	if r.Reset != nil {
		result := toResetResult(*r.Reset)
		w.Reset = &result
	}
	return w
}

func (w decided) domain() logiqc.Decided {
	w.Decided.Reset = nil
	if w.Reset != nil {
		result := w.Reset.domain()
		w.Decided.Reset = &result
	}
	return w.Decided
}

// codeIssue is [logiqc.CodeIssue].
type codeIssue struct {
	logiqc.CodeIssue
	TTL duration `json:"ttl"`
}

func toCodeIssue(r logiqc.CodeIssue) codeIssue { return codeIssue{r, duration(r.TTL)} }

func (w codeIssue) domain() logiqc.CodeIssue {
	w.CodeIssue.TTL = time.Duration(w.TTL)
	return w.CodeIssue
}

// codeIssued is [logiqc.CodeIssued].
type codeIssued struct {
	logiqc.CodeIssued
	Code *issuedCode `json:"enrolment_code"`
}

func toCodeIssued(r logiqc.CodeIssued) codeIssued { return codeIssued{r, toIssuedCode(r.Code)} }

func (w codeIssued) domain() logiqc.CodeIssued {
	w.CodeIssued.Code = w.Code.domain()
	return w.CodeIssued
}

// newToken is [logiqc.NewToken].
type newToken struct {
	logiqc.NewToken
	Lifetime duration `json:"lifetime"`
}

func toNewToken(r logiqc.NewToken) newToken { return newToken{r, duration(r.Lifetime)} }

func (w newToken) domain() logiqc.NewToken {
	w.NewToken.Lifetime = time.Duration(w.Lifetime)
	return w.NewToken
}

// createdToken is a token that was made, with the token itself.
type createdToken struct {
	logiqc.TokenInfo
	Token string `json:"token"` // "" in the answer to a retry
}

// policy is [logiqc.Policy] by its keys. Keys that the other side does not know
// are of a newer version, and left alone.
type policy logiqc.Policy

// MarshalJSON implements [json.Marshaler].
func (p policy) MarshalJSON() ([]byte, error) { return json.Marshal(logiqc.Policy(p).Values()) }

// UnmarshalJSON implements [json.Unmarshaler].
func (p *policy) UnmarshalJSON(b []byte) error {
	var values map[string]string
	if err := json.Unmarshal(b, &values); err != nil {
		return err
	}
	*p = policy(logiqc.DefaultPolicy())
	for key, value := range values {
		_ = (*logiqc.Policy)(p).Set(key, value)
	}
	return nil
}

// policyEdited is [logiqc.PolicyEdited].
type policyEdited struct {
	logiqc.PolicyEdited
	Policy policy `json:"policy"`
}

func toPolicyEdited(r logiqc.PolicyEdited) policyEdited { return policyEdited{r, policy(r.Policy)} }

func (w policyEdited) domain() logiqc.PolicyEdited {
	w.PolicyEdited.Policy = logiqc.Policy(w.Policy)
	return w.PolicyEdited
}

// actor is [logiqc.Actor], as it is told to whoever it is.
type actor struct {
	User       string           `json:"user"` // the account acted for
	Role       logiqc.Role      `json:"role"`
	Via        string           `json:"via"` // session or token
	ExpiresAt  logiqc.Time      `json:"expires_at"`
	Kind       logiqc.ActorKind `json:"kind"`
	ID         string           `json:"id"`
	Name       string           `json:"name"`
	AccountID  string           `json:"account_id"`
	Rights     []logiqc.Right   `json:"rights"`
	SessionID  string           `json:"session_id"`
	SignedInAt logiqc.Time      `json:"signed_in_at"`
}

func toActor(a logiqc.Actor) actor {
	w := actor{
		User: a.Username, Role: a.Role, Via: "session", ExpiresAt: a.ExpiresAt, Kind: a.Kind, ID: a.ID, Name: a.Name,
		AccountID: a.AccountID, Rights: a.Rights, SessionID: a.SessionID, SignedInAt: a.SignedInAt,
	}
	if a.Kind == logiqc.Token {
		w.Via = "token"
	}
	if w.Rights == nil {
		w.Rights = []logiqc.Right{}
	}
	return w
}

func (w actor) domain(src logiqc.Source) logiqc.Actor {
	return logiqc.Actor{
		Kind: w.Kind, ID: w.ID, Name: w.Name, AccountID: w.AccountID, Username: w.User, Role: w.Role, Rights: w.Rights,
		SessionID: w.SessionID, SignedInAt: w.SignedInAt, ExpiresAt: w.ExpiresAt, Source: src,
	}
}

// each converts a list; a nil one becomes an empty one, for JSON.
func each[A, B any](list []A, convert func(A) B) []B {
	out := make([]B, len(list))
	for i, a := range list {
		out[i] = convert(a)
	}
	return out
}
