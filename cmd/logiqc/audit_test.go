package main

import (
	"bufio"
	"database/sql"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to tamper with a store from outside

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// tamper changes the store's file behind the program's back, as somebody who
// holds it can: the triggers go first.
func (h *home) tamper(statements ...string) {
	h.t.Helper()
	db, err := sql.Open("sqlite", h.db())
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close()
	for _, trigger := range []string{"event_no_update", "event_no_delete", "log_hash_no_update", "log_hash_no_delete",
		"log_head_no_delete", "log_head_only_grows"} {
		statements = append([]string{"DROP TRIGGER " + trigger}, statements...)
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			h.t.Fatalf("%s: %v", s, err)
		}
	}
}

// Whatever is changed in the log, verify finds it, names the place, and exits 9.
func TestVerifyFindsTampering(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	last := int64(tpl.home(t).events("")) - 1
	for name, c := range map[string]struct {
		do      []string
		problem string
		seq     int64 // -1: cannot be told
	}{
		"one byte of one event": {
			[]string{`UPDATE event SET bytes = CAST(replace(CAST(bytes AS TEXT), '"success"', '"succesz"') AS BLOB) WHERE seq = 6`},
			"altered", 6,
		},
		"a column":        {[]string{`UPDATE event SET target_username = 'nobody' WHERE seq = 7`}, "altered", 7},
		"the time column": {[]string{`UPDATE event SET at = at - 1 WHERE seq = 3`}, "altered", 3},
		"a column's end in another's beginning": {
			[]string{`UPDATE event SET actor_kind = actor_kind || x'ff' || actor_id, actor_id = '' WHERE seq = 4`}, "altered", 4,
		},
		"the last event gone":  {[]string{`DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)`}, "truncated", last},
		"the last three gone":  {[]string{`DELETE FROM event WHERE seq > (SELECT max(seq) FROM event) - 3`}, "truncated", last - 2},
		"one in the middle":    {[]string{`DELETE FROM event WHERE seq = 9`}, "missing", 9},
		"the first event gone": {[]string{`DELETE FROM event WHERE seq = 0`}, "missing", 0},
		"two events swapped": {[]string{
			`UPDATE event SET seq = -1 WHERE seq = 10`, `UPDATE event SET seq = 10 WHERE seq = 11`,
			`UPDATE event SET seq = 11 WHERE seq = -1`,
		}, "altered", 10},
		"an event added": {
			[]string{`INSERT INTO event SELECT seq + 1, 'x', at, action, outcome, code, actor_kind, actor_id, actor_username, actor_name,
				actor_for, target_id, target_username, request_id, bytes FROM event ORDER BY seq DESC LIMIT 1`},
			"altered", last + 1,
		},
		"the root":     {[]string{`UPDATE log_head SET root = zeroblob(32)`}, "altered", -1},
		"no hash":      {[]string{`UPDATE log_hash SET hash = x'00' WHERE idx = 4`}, "altered", -1},
		"another hash": {[]string{`UPDATE log_hash SET hash = zeroblob(32) WHERE idx = 0`}, "altered", 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := tpl.home(t)
			h.tamper(c.do...)
			stdout, stderr, status := h.run("audit", "verify", "-o", "json")
			var found struct {
				OK      bool
				Problem string
				Seq     *int64
			}
			if err := json.Unmarshal([]byte(stdout), &found); err != nil {
				t.Fatalf("%v\n%s%s", err, stdout, stderr)
			}
			seq := int64(-1)
			if found.Seq != nil {
				seq = *found.Seq
			}
			if status != 9 || found.OK || found.Problem != c.problem || seq != c.seq {
				t.Errorf("status %d, %q at %d, want 9, %q at %d\n%s%s", status, found.Problem, seq, c.problem, c.seq, stdout, stderr)
			}
			if !strings.Contains(stderr, `"code":"integrity"`) {
				t.Errorf("stderr: %s", stderr)
			}
			if text, _, status := h.run("audit", "verify"); status != 9 || !strings.Contains(text, "PROBLEM: "+c.problem) {
				t.Errorf("status %d, %s", status, text)
			}
		})
	}
}

// --follow shows what happens while it runs, each event once, and Ctrl-C is how
// it ends.
func TestFollow(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	c := h.watched("audit", "list", "--follow", "--target", "jlee", "--action", "mfa.reset,mfa.enabled", "-o", "jsonl")
	pipe, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(20*time.Second, func() { _ = c.Process.Kill() })
	defer stuck.Stop()
	if _, errs, status := h.run("mfa", "reset", "jlee", "--yes"); status != 0 {
		t.Fatalf("reset: %d %s", status, errs)
	}
	lines := bufio.NewScanner(pipe)
	if !lines.Scan() || !strings.Contains(lines.Text(), `"action":"mfa.reset"`) {
		t.Fatalf("followed %q, %v", lines.Text(), lines.Err())
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if lines.Scan() {
		t.Errorf("and then %q", lines.Text())
	}
	if err := c.Wait(); err != nil {
		t.Errorf("Ctrl-C: %v", err)
	}
}

// On a terminal a list is a table that fits it, and says how to go on.
func TestAuditListOnTerminal(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	wide := h.terminal(80, 24, "audit", "list", "--limit", "3")
	if screen := wide.Wait("SEQ", "logiqc: hint: more: --cursor "); wide.Exit() != 0 || !strings.Contains(screen, "mfa.enforced") {
		t.Errorf("screen:\n%s", screen)
	}
	if screen := waited(h.terminal(40, 12, "audit", "show", "0"), "changes"); !strings.Contains(screen, "Details") {
		t.Errorf("screen:\n%s", screen)
	}
}

// waited runs a program on a terminal to its end.
func waited(x *uitest.Terminal, text string) string {
	screen := x.Wait(text)
	x.Exit()
	return screen
}

// Revoking asks on a terminal; Enter alone changes nothing.
func TestRevokeAsks(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	out, _, _ := h.run("tokens", "create", "nightly", "--role", "helpdesk", "-o", "json")
	var token struct{ ID string }
	if err := json.Unmarshal([]byte(out), &token); err != nil {
		t.Fatal(err)
	}
	x := h.terminal(80, 24, "tokens", "revoke", token.ID)
	x.Wait("Revoke the token nightly?", "[ Cancel ]")
	x.Send(uitest.Enter)
	if status := x.Exit(); status != 7 {
		t.Errorf("Enter exits %d", status)
	}
	x = h.terminal(40, 12, "tokens", "revoke", token.ID)
	x.Wait("nightly", "[ Cancel ]")
	x.Send(uitest.Left, uitest.Enter)
	x.Wait("1 token revoked")
	if status := x.Exit(); status != 0 {
		t.Errorf("Confirm exits %d", status)
	}
	x = h.terminal(80, 24, "sessions", "revoke", "--all")
	x.Wait("End 7 sessions?", "Your own session is among them", "[ Cancel ]")
	x.Send(uitest.Esc)
	if status := x.Exit(); status != 7 {
		t.Errorf("Esc exits %d", status)
	}
	if n := h.events("session.revoked"); n != 0 {
		t.Errorf("%d events of sessions that were not revoked", n)
	}
}
