package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// reported is what these tests read of a report.
type reported struct {
	Log struct {
		OK      bool
		Problem string
	}
	Accounts *struct {
		Compared    int
		Differences []difference
	}
	Resets *struct{ Total int }
}

type difference struct {
	User, Field, Log, Store string
	LastEvent               int64 `json:"last_event"`
}

func (h *home) report(t *testing.T, wantStatus int, args ...string) (r reported) {
	t.Helper()
	stdout, stderr, status := h.run(append([]string{"audit", "report", "-o", "json"}, args...)...)
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || status != wantStatus {
		t.Fatalf("status %d, want %d: %v\n%s%s", status, wantStatus, err, stdout, stderr)
	}
	return r
}

// copyRow copies a row of a table, its columns that must differ as "forged" or,
// for a number, 1000.
func copyRow(table, where string, fresh ...string) string {
	return "copy\x00" + table + "\x00" + where + "\x00" + strings.Join(fresh, "\x00")
}

// change changes the store: a statement, or what [copyRow] says.
func (h *home) change(statement string) {
	h.t.Helper()
	parts := strings.Split(statement, "\x00")
	if parts[0] != "copy" {
		h.tamper(statement)
		return
	}
	table, where, fresh := parts[1], parts[2], parts[3:]
	temp := []string{"CREATE TABLE copied AS SELECT * FROM " + table + " WHERE " + where + " LIMIT 1"}
	for _, column := range fresh {
		value := "'forged'"
		if column == "n" {
			value = "1000"
		}
		temp = append(temp, "UPDATE copied SET "+column+" = "+value)
	}
	for _, s := range append(temp, "INSERT INTO "+table+" SELECT * FROM copied", "DROP TABLE copied") {
		h.tamper2(s)
	}
}

// What was changed in the store by SQL is found, with what both say; each is
// one field of what reconciling compares.
func TestReconcileFindsChanges(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for name, c := range map[string]struct{ do, user, field, log, store string }{
		"role":       {`UPDATE account SET role = 'admin' WHERE username = 'jlee'`, "jlee", "role", "user", "admin"},
		"status":     {`UPDATE account SET status = 'active' WHERE username = 'mleeson'`, "mleeson", "status", "inactive", "active"},
		"protected":  {`UPDATE account SET protected = 0 WHERE username = 'mchen'`, "mchen", "protected", "true", "false"},
		"toggle":     {`UPDATE account SET toggle = 0 WHERE username = 'jlee'`, "jlee", "toggle", "on", "off"},
		"phone":      {`UPDATE account SET phone = '+1' WHERE username = 'jlee'`, "jlee", "phone", "+61 2 5550 1234", "+1"},
		"email":      {`UPDATE account SET email = 'eve@example.org' WHERE username = 'jlee'`, "jlee", "email", "jlee@stmary.example", "eve@example.org"},
		"sign-in":    {`UPDATE account SET auth = 'sso' WHERE username = 'jlee'`, "jlee", "auth", "password", "sso"},
		"password":   {`UPDATE account SET password_hash = (SELECT password_hash FROM account WHERE username = 'tom') WHERE username = 'jlee'`, "jlee", "password", "", ""},
		"enrolment":  {`DELETE FROM enrolment WHERE user_id = (SELECT id FROM account WHERE username = 'jlee')`, "jlee", "enrolment", "", ""},
		"step":       {`UPDATE enrolment SET last_step = 7 WHERE user_id = (SELECT id FROM account WHERE username = 'jlee')`, "jlee", "step", "0", "7"},
		"policy":     {`INSERT INTO policy (key, value) VALUES ('mfa.enforced', 'false') ON CONFLICT (key) DO UPDATE SET value = 'false'`, "", "mfa.enforced", "true", "false"},
		"session":    {copyRow("session", "user_id = (SELECT id FROM account WHERE username = 'tom')", "id", "hash"), "tom", "session", "", "forged"},
		"an account": {copyRow("account", "username = 'jlee'", "n", "id", "username", "username_key", "email", "email_key"), "forged", "account", "", "forged"},
	} {
		t.Run(name, func(t *testing.T) {
			h := honest(t, tpl)
			h.change(c.do)
			stdout, stderr, status := h.run("audit", "reconcile", "-o", "json")
			var out struct {
				OK          bool
				Differences []difference
			}
			if err := json.Unmarshal([]byte(stdout), &out); err != nil {
				t.Fatalf("%v\n%s%s", err, stdout, stderr)
			}
			if status != 9 || out.OK || len(out.Differences) == 0 || !strings.Contains(stderr, `"code":"integrity"`) {
				t.Fatalf("status %d\n%s%s", status, stdout, stderr)
			}
			for _, d := range out.Differences {
				if d.User == c.user && d.Field == c.field && d.Log != d.Store &&
					(c.log == "" || d.Log == c.log) && (c.store == "" || d.Store == c.store) {
					return
				}
			}
			t.Errorf("not found: %s", stdout)
		})
	}
}

// A report tells of a store that says otherwise than its log, and still writes
// the evidence; of a log that was changed it gives no figures.
func TestReportOfTamperedStore(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	e := newEvidence(t, tpl)
	e.tamper(`UPDATE account SET role = 'admin' WHERE username = 'jlee'`)
	dir := filepath.Join(e.home.dir, "fy")
	r := e.report(t, 9, "--dir", dir)
	if !r.Log.OK || len(r.Accounts.Differences) != 1 || r.Accounts.Differences[0].Store != "admin" || r.Resets.Total != 1 {
		t.Errorf("%+v", r)
	}
	page := e.readText(filepath.Join(dir, "report.html"))
	if !strings.Contains(page, "Accounts that are not what the log says") || !strings.Contains(page, "<td>role</td><td>user</td><td>admin</td>") {
		t.Errorf("the page does not tell:\n%s", page)
	}
	e = newEvidence(t, tpl)
	e.tamper(`UPDATE event SET bytes = CAST(replace(CAST(bytes AS TEXT), 'rgold', 'rgolf') AS BLOB) WHERE seq = 6`)
	e.tamper2(`UPDATE event SET bytes = CAST(replace(CAST(bytes AS TEXT), 'helen', 'helem') AS BLOB) WHERE seq = 5`)
	if r := e.report(t, 9); r.Log.OK || r.Log.Problem != "altered" || r.Resets != nil || r.Accounts != nil {
		t.Errorf("%+v", r)
	}
	if out, _, status := e.run("audit", "report"); status != 9 || !strings.Contains(out, "PROBLEM: altered\nFirst bad event: 5") {
		t.Errorf("status %d: %s", status, out)
	}
}

// Whatever people typed is text on the page and in the files, never markup, a
// formula or a second line.
func TestReportIsHarmless(t *testing.T) {
	t.Parallel()
	e := newEvidence(t, newTemplate(t))
	const name = `<img src=x onerror=alert(1)>`
	var token struct{ Token string }
	if err := json.Unmarshal([]byte(e.must("tokens", "create", name, "--role", "helpdesk", "-o", "json")), &token); err != nil {
		t.Fatal(err)
	}
	c := e.command("mfa", "reset", "mleeson", "--yes", "--reason", "=1+1\nmfa.reset,success\x1b[31m\u202e")
	c.Env = append(c.Env, "LOGIQC_TOKEN="+token.Token)
	if _, stderr, status := e.finish(c); status != 0 {
		t.Fatal(stderr)
	}
	dir := filepath.Join(e.home.dir, "fy")
	e.must("audit", "report", "--dir", dir)
	page := e.readText(filepath.Join(dir, "report.html"))
	if strings.Contains(page, "<img") || !strings.Contains(page, "&lt;img src=x onerror=alert(1)&gt; for helen") {
		t.Error("the name of the token is markup")
	}
	if strings.ContainsAny(page, "\x1b\u202e") {
		t.Error("controls on the page")
	}
	text := e.readText(filepath.Join(dir, "events.csv"))
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(text, "\n"); lines != len(records) {
		t.Errorf("%d events on %d lines", len(records), lines)
	}
	if !strings.Contains(text, `,"'=1+1\nmfa.reset,success`) {
		t.Errorf("the reason is a formula, or gone:\n%s", text)
	}
	for _, file := range []string{"report.html", "report.json", "events.csv", "checkpoint"} {
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
	if list := e.must("audit", "list", "-o", "csv"); strings.Count(list, "\n") < len(records) || strings.Contains(list, "\nmfa.reset") {
		t.Error("audit list -o csv has an event on two lines")
	}
}

// On a terminal there are bars; a screen reader gets the figures.
func TestReportOnTerminal(t *testing.T) {
	t.Parallel()
	e := newEvidence(t, newTemplate(t))
	screen := waited(e.terminal(80, 30, "audit", "report"), "Resets by operator")
	for _, want := range []string{"Resets by day", "█", "helen", "Log       whole", "Look at   "} {
		if !strings.Contains(screen, want) {
			t.Errorf("%q is not on the screen:\n%s", want, screen)
		}
	}
	if screen := waited(e.terminal(80, 30, "audit", "report", "--accessible"), "Resets by operator"); strings.Contains(screen, "█") {
		t.Errorf("bars for a screen reader:\n%s", screen)
	}
}
