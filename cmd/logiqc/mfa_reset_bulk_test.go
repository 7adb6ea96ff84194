package main

import (
	"encoding/json"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// crowd adds n enrolled accounts p0000, p0001, … and returns a list of them for
// --from.
func (h *home) crowd(n int) (list string) {
	h.t.Helper()
	rows := func(yield func(logiqc.ImportRow, error) bool) {
		for i := range n {
			name := fmt.Sprintf("p%04d", i)
			if !yield(logiqc.ImportRow{Row: i + 1, Username: name, Email: name + "@stmary.example"}, nil) {
				return
			}
		}
	}
	_, err := h.service("tom").ImportUsers(h.t.Context(), logiqc.Import{
		Request: logiqc.Request{Consent: logiqc.Consent{Given: true}}, Rows: iter.Seq2[logiqc.ImportRow, error](rows),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.exec(h.db(), `
		INSERT INTO enrolment (user_id, state, id, sealed, last_step, created_at, expires_at, enrolled_at, last_used_at)
			SELECT id, 'enrolled', 'e' || id, '', 0, 1, 0, 1, 0 FROM account WHERE username LIKE 'p____' AND username <> 'priya';
		INSERT OR REPLACE INTO policy (key, value) VALUES ('reset.bulk_max', '5000');`)
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "p%04d\n", i)
	}
	list = filepath.Join(h.dir, "list.txt")
	h.write(list, b.String())
	return list
}

// bulk is what -o json says of a run.
type bulk struct {
	Run     string
	Results []struct {
		Row           int
		Outcome, Code string
	}
	Summary struct{ Reset, Unchanged, Refused, Ignored, Failed int }
}

func readBulk(t *testing.T, stdout string) (b bulk) {
	t.Helper()
	if err := json.Unmarshal([]byte(stdout), &b); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	return b
}

// On a terminal a run looks at every account, and then wants their number.
func TestBulkDialog(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, c := range []struct {
		name  string
		keys  []string
		reset bool
	}{
		{"the number", []string{"2", uitest.Enter}, true},
		{"another number", []string{"4", uitest.Enter, uitest.Esc}, false},
		{"yes", []string{"yes", uitest.Enter, uitest.CtrlC}, false},
		{"enter", []string{uitest.Enter}, false},
		{"esc", []string{uitest.Esc}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := tpl.home(t)
			before := h.events("")
			x := h.terminal(80, 24, "mfa", "reset", "jlee", "mleeson", "ssmith", "rgold", "mchen")
			x.Wait("Reset MFA for 2 accounts?", "1 unchanged, 2 refused", "Type 2 to go on")
			x.Send(c.keys...)
			status, more := x.Exit(), h.events("")-before
			// Two resets and two refusals, each recorded once; or nothing at all.
			if c.reset && (status != 8 || more != 4 || h.account("jlee").MFA.State != logiqc.EnrolmentNone) {
				t.Errorf("exit %d, %d events:\n%s", status, more, x.Screen())
			}
			if !c.reset && (status != 7 || more != 0 || h.account("jlee").MFA.State != logiqc.EnrolmentEnrolled) {
				t.Errorf("exit %d, %d events:\n%s", status, more, x.Screen())
			}
		})
	}
}

// Where every account is refused, or has nothing to clear, nothing is asked.
func TestBulkNothingToAsk(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	before := h.events("")
	x := h.terminal(80, 24, "mfa", "reset", "ssmith", "rgold")
	if status := x.Exit(); status != 8 || h.events("")-before != 1 || strings.Contains(x.Output(), "Type ") {
		t.Errorf("exit %d, %d events:\n%s", status, h.events("")-before, x.Screen())
	}
}

// An account that changes while the question is open is left alone.
func TestBulkChangedMeanwhile(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	x := h.terminal(80, 24, "mfa", "reset", "jlee", "mleeson")
	x.Wait("Type 2 to go on")
	h.exec(h.db(), `UPDATE enrolment SET id = 'another' WHERE user_id = (SELECT id FROM account WHERE username = 'mleeson')`)
	x.Send("2", uitest.Enter)
	if status := x.Exit(); status != 8 || h.account("mleeson").MFA.State != logiqc.EnrolmentEnrolled {
		t.Errorf("exit %d:\n%s", status, x.Screen())
	}
	x.Wait("1 reset, 1 refused", "conflict")
}

// A run of several batches: repeats are found over all of them, and what the
// store fails on does not undo what is committed.
func TestBulkBatches(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	list := h.crowd(1100)
	h.write(list, "p0003\n"+string(h.read(list))+"P0007@stmary.example\n")

	stdout, stderr, status := h.run("mfa", "reset", "--from", list, "--dry-run", "-o", "json")
	if b := readBulk(t, stdout); status != 0 || b.Summary.Unchanged != 2 || b.Results[4].Code != "duplicate" || b.Results[1101].Code != "duplicate" {
		t.Errorf("dry run: exit %d %s, %+v", status, stderr, b.Summary)
	}

	h.exec(h.db(), `CREATE TRIGGER worn_out BEFORE UPDATE ON account WHEN NEW.username = 'p0700'
		BEGIN SELECT RAISE(ABORT, 'the disk is worn out'); END`)
	stdout, stderr, status = h.run("mfa", "reset", "--from", list, "--yes", "-o", "json")
	b := readBulk(t, stdout)
	if status != 8 || len(b.Results) != 1102 || b.Summary.Reset != 499 || b.Summary.Failed != 602 || b.Results[500].Outcome != "failed" {
		t.Errorf("failing store: exit %d %s, %+v", status, stderr, b.Summary)
	}
	if h.events(logiqc.MFAResetDone) != 499 || h.account("p0600").MFA.State != logiqc.EnrolmentEnrolled {
		t.Error("what failed was done in part")
	}

	h.exec(h.db(), `DROP TRIGGER worn_out`)
	stdout, stderr, status = h.run("mfa", "reset", "--from", list, "--yes", "-o", "jsonl")
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if status != 0 || len(lines) != 1103 || !strings.Contains(lines[1102], `"reset":601,"unchanged":501`) {
		t.Errorf("again: exit %d %s, %s", status, stderr, lines[len(lines)-1])
	}
}
