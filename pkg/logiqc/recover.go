package logiqc

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Recovery asks for the break-glass reset of an administrator (product.md
// R17). It is no part of [Service]: only whoever holds the store and its keys
// can ask for it.
type Recovery struct {
	Request
	User string `json:"user"`
	// Shown is the mark of what was shown of the account ([User.Shown]); ""
	// where nothing was.
	Shown string `json:"shown,omitempty"`
	// SudoUser is who ran sudo, by what the environment says; LoginUser is who
	// logged in, by what the kernel says; "" where that is not known.
	SudoUser  string `json:"sudo_user,omitempty"`
	LoginUser string `json:"login_user,omitempty"`
}

// CheckRecover refuses a recovery that the rules do not allow: Forbidden for an
// account whose role is not admin, SSOAccount.
func (u User) CheckRecover() error {
	if u.Role != RoleAdmin {
		return Errorf(Forbidden, "break-glass is for administrators, and %s is none (role %s)", u.Username, u.Role).
			WithHint("an administrator resets it: logiqc mfa reset %s", u.Username)
	}
	return u.CheckHasMFA("recover")
}

// CheckTyped refuses with ConfirmationRequired a recovery for which the
// username was not typed: nothing else agrees to one, --yes least of all.
func (u User) CheckTyped(c Consent) error {
	if c.Given && Key(strings.TrimSpace(c.Typed)) == Key(u.Username) {
		return nil
	}
	return Errorf(ConfirmationRequired, "break-glass takes the username, typed on a terminal; nothing was changed").
		WithHint("run it where it can ask, without --no-input: logiqc recover %s --reason T", u.Username)
}

// Whence names who ran a recovery, and where: whom the operating system says,
// what that person is called by sudo and by the login in brackets, the host.
func (e Event) Whence() string {
	who := cmp.Or(oneLine(e.Actor.OSUser), "somebody")
	var also []string
	if s := oneLine(e.Details.SudoUser); s != "" {
		also = append(also, "sudo by "+s)
	}
	if l := oneLine(e.Details.LoginUser); l != "" && l != e.Actor.OSUser && l != e.Details.SudoUser {
		also = append(also, "logged in as "+l)
	}
	if len(also) > 0 {
		who += " (" + strings.Join(also, ", ") + ")"
	}
	if host := oneLine(e.Source.Host); host != "" {
		who += " on " + host
	}
	return who
}

// RestoredCause is why a restore of the store takes something from an account,
// and RestoredBy who has reset one whose enrolment was lost with the store.
const (
	RestoredCause = "store_restored"
	RestoredBy    = "a restore of the store"
)

// ResetBy is who an account says to have been reset by, from the event.
func (e Event) ResetBy() string {
	switch {
	case e.Action == MFARecovered:
		return "break-glass recovery, run by " + e.Whence()
	case e.Details.Cause == RestoredCause:
		return RestoredBy
	}
	return e.Actor.Responsible()
}

// oneLine is a name in a text of several lines, none of which it may make up.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// RecoveryNotices are how many recoveries a notice tells one by one.
const RecoveryNotices = 5

// RecoveryNotice tells an operator of recoveries, newest first, of which there
// may be more than are given; "" when there are none. The help desk cannot
// read events about administrators, and is told whom to ask.
func RecoveryNotice(recoveries []Event, more bool, to Role) string {
	if len(recoveries) == 0 {
		return ""
	}
	var lines []string
	for _, e := range slices.Backward(recoveries) {
		line := fmt.Sprintf("Break-glass recovery of %s by %s at %s: ", e.Target.Username, e.Whence(), e.Time.Std().Format("2 Jan 2006 15:04 UTC"))
		if to == RoleHelpdesk {
			line += fmt.Sprintf("ask an administrator whether it was one of them (event %d)", e.Seq)
		} else {
			line += fmt.Sprintf("look: logiqc audit show %d", e.Seq)
		}
		lines = append(lines, line)
	}
	if more {
		lines = append([]string{"There were more break-glass recoveries before these"}, lines...)
		if to != RoleHelpdesk {
			lines[0] += ": logiqc audit list --action mfa.recovered"
		}
	}
	return strings.Join(lines, "\n")
}

// Restore ends what keeps the account from signing in but for its status: the
// misses and their waits, and a hold.
func (u *User) Restore() {
	u.PasswordThrottle, u.CodeThrottle, u.HeldAt = Throttle{}, Throttle{}, 0
}
