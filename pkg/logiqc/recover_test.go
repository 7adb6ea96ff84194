package logiqc

import (
	"strings"
	"testing"
	"time"
)

// Who ran a break-glass is whom the operating system names; what the
// environment says stands beside it, and can make up no line of its own.
func TestWhence(t *testing.T) {
	for _, c := range []struct {
		osUser, sudo, login, host, want string
	}{
		{"logiqc", "", "", "srv1", "logiqc on srv1"},
		{"logiqc", "ben", "ben", "srv1", "logiqc (sudo by ben) on srv1"},
		{"logiqc", "tom", "ben", "srv1", "logiqc (sudo by tom, logged in as ben) on srv1"},
		{"root", "", "root", "", "root"},
		{"", "ben\nBreak-glass recovery of nobody", "", "srv1", "somebody (sudo by ben Break-glass recovery of nobody) on srv1"},
	} {
		e := Event{Body: Body{Actor: EventActor{OSUser: c.osUser}, Source: EventSource{Host: c.host},
			Details: Details{SudoUser: c.sudo, LoginUser: c.login}}}
		if got := e.Whence(); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// The oldest comes first, each with the way to look at it that its reader has.
func TestRecoveryNotice(t *testing.T) {
	event := func(seq int64, minute int) Event {
		return Event{Seq: seq, Body: Body{Time: At(time.Date(2026, 11, 23, 9, minute, 0, 0, time.UTC)), Target: Target{Username: "helen"},
			Actor: EventActor{OSUser: "root"}, Source: EventSource{Host: "srv1"}}}
	}
	two := []Event{event(12, 50), event(7, 40)}
	const first = "Break-glass recovery of helen by root on srv1 at 23 Nov 2026 09:40 UTC: "
	if n := RecoveryNotice(two, false, RoleAdmin); !strings.HasPrefix(n, first+"look: logiqc audit show 7\n") || strings.Count(n, "\n") != 1 {
		t.Errorf("%q", n)
	}
	n := RecoveryNotice(two, true, RoleHelpdesk)
	if !strings.HasPrefix(n, "There were more break-glass recoveries before these\n"+first+"ask an administrator") || strings.Contains(n, "logiqc audit") {
		t.Errorf("the help desk cannot look: %q", n)
	}
	if n := RecoveryNotice(nil, false, RoleAdmin); n != "" {
		t.Errorf("nothing to tell: %q", n)
	}
}
