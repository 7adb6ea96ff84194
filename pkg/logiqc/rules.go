package logiqc

import (
	"fmt"
	"strings"
)

// Consent is how far the person or script behind a change has agreed to it.
// The zero Consent asks for a preview: every check is made, refusals are
// recorded, and what passes all of them answers ConfirmationRequired with what
// would happen.
type Consent struct {
	DryRun bool   `json:"dry_run"` // say what would happen; change and record nothing
	Given  bool   `json:"given"`   // Confirm was pressed or --yes typed
	CanAsk bool   `json:"can_ask"` // a preview that a dialog will follow
	Typed  string `json:"typed"`   // the username as the operator typed it
}

// WillAsk reports whether the call is a preview after which a person is asked
// for what is missing still. A token is not asked.
func (c Consent) WillAsk(by Actor) bool { return c.CanAsk && !c.Given && by.Kind == Person }

// Asks reports whether the call is such a preview for more than to look.
func (c Consent) Asks(by Actor) bool { return c.WillAsk(by) && !c.DryRun }

// CheckTouch refuses an actor of the help desk a privileged account.
func (u User) CheckTouch(by Actor) error {
	if by.Limited() && u.Privileged() {
		return Errorf(Forbidden, "%s is a privileged account; the help desk may not change it", u.Username).
			WithHint("ask an administrator")
	}
	return nil
}

// CheckUnlock refuses with Forbidden to unlock a privileged account to the help
// desk, and their own to everybody: whoever was held, and still has a session or
// a token, does not end that.
func (u User) CheckUnlock(by Actor) error {
	if err := u.CheckTouch(by); err != nil {
		return err
	}
	if by.IsSelf(u.ID) {
		return Errorf(Forbidden, "nobody unlocks their own account").WithHint("ask another operator")
	}
	return nil
}

// CheckReset refuses a reset that the rules do not allow (product.md R1, R5,
// R7), in the order of the contract: Forbidden, SelfReset, SSOAccount,
// Privileged.
func (u User) CheckReset(by Actor, c Consent) error {
	if err := u.CheckTouch(by); err != nil {
		if u.CheckRequest(by) == nil {
			return AsError(err).WithHint("have an administrator approve it: logiqc mfa request %s", u.Username)
		}
		return err
	}
	if err := u.CheckRequest(by); err != nil {
		return err
	}
	if u.Privileged() && !c.WillAsk(by) && !u.typed(by, c) {
		return u.privilegedError()
	}
	return nil
}

// typed reports whether a person typed the account's username; a token has no
// hands.
func (u User) typed(by Actor, c Consent) bool {
	return by.Kind == Person && Key(strings.TrimSpace(c.Typed)) == Key(u.Username)
}

func (u User) privilegedError() error {
	what := "marked protected"
	if u.Role != RoleUser {
		what = "of role " + string(u.Role)
	}
	return Errorf(Privileged, "%s is %s: a reset takes the username typed on a terminal, or a second operator", u.Username, what).
		WithHint("run it on a terminal and type the username: logiqc mfa reset %s; or have a second operator approve it: logiqc mfa request %s",
			u.Username, u.Username)
}

// CheckHasMFA refuses with SSOAccount to do something to the MFA of an account
// that has none here (product.md R7).
func (u User) CheckHasMFA(verb string) error {
	if u.Auth != BySSO {
		return nil
	}
	return Errorf(SSOAccount, "%s signs in by SSO: there is no MFA to %s here, their identity provider manages it",
		u.Username, verb)
}

// CheckDisable refuses to turn a toggle off that the organisation's
// enforcement locks on (product.md R8).
func (u User) CheckDisable(p Policy) error {
	if err := u.CheckHasMFA("disable"); err != nil {
		return err
	}
	if p.Enforced {
		return Errorf(Enforced, "MFA is required by the organisation, so it cannot be disabled for %s", u.Username).
			WithHint("a lost phone needs a reset, not this: logiqc mfa reset %s", u.Username)
	}
	return nil
}

// CheckKeepsAdmin refuses to take away the last active admin (product.md
// R15). admins is how many active admins there are.
func (u User) CheckKeepsAdmin(admins int) error {
	if u.Role == RoleAdmin && u.Status == Active && admins <= 1 {
		return Errorf(LastAdmin, "%s is the last active admin", u.Username).
			WithHint("make another one first: logiqc users edit <user> --role admin")
	}
	return nil
}

// Shown is an opaque mark of what a reset dialog shows of the account. A reset
// that carries it fails with Conflict when it no longer fits (product.md R6;
// ASVS 15.4.2).
func (u User) Shown() string {
	id := func(e *Enrolment) string {
		if e == nil {
			return "-"
		}
		return e.ID
	}
	return fmt.Sprintf("%s/%s/%s/%s/%s/%t", u.ID, id(u.Enrolled), id(u.Pending), u.Auth, u.Role, u.Protected)
}

// CheckTarget refuses with Conflict when the account is not the one that was
// meant, or not as it was shown.
func (u User) CheckTarget(r ResetTarget) error {
	if r.IfUsername != "" && Key(r.IfUsername) != Key(u.Username) {
		return Errorf(Conflict, "%s is not %s, who was meant; nothing was reset", r.User, r.IfUsername)
	}
	return u.CheckShown(r.Shown, r.IfEnrolledAt)
}

// CheckShown refuses with Conflict when the account is not as it was shown.
// An empty mark or a nil time asks for nothing.
func (u User) CheckShown(mark string, enrolledAt *Time) error {
	var at Time
	if u.Enrolled != nil {
		at = u.Enrolled.EnrolledAt
	}
	if (mark != "" && mark != u.Shown()) || (enrolledAt != nil && *enrolledAt != at) {
		return Errorf(Conflict, "the enrolment of %s has changed since it was shown; nothing was reset", u.Username).
			WithHint("look again: logiqc users show %s", u.Username)
	}
	return nil
}

// Clears tells what a reset of the account at now would clear, sessions
// aside; any is false when there is nothing.
func (u User) Clears(now Time) (c Cleared, any bool) {
	c.Authenticator = u.Enrolled != nil
	c.Pending = u.PendingAt(now) != nil
	c.RecoveryCodes = u.RecoveryLeft
	return c, c.Authenticator || c.Pending || u.CodeThrottle.Misses > 0
}
