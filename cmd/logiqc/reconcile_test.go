package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// backedUp makes homes whose store is as this one's is now.
func (h *home) backedUp() func() *home {
	h.t.Helper()
	file := filepath.Join(h.dir, "backup.db")
	h.must("store", "backup", file)
	return func() *home {
		h.t.Helper()
		other := h.tpl.home(h.t)
		other.copy(file, other.db())
		return other
	}
}

// Whoever can write to the database, and has no key, makes a session, a token, a
// recovery code or a request for approval their own, or changes what an operator
// is shown before a reset. Each is found, of the one account.
func TestReconcileFindsTakeovers(t *testing.T) {
	t.Parallel()
	h := honest(t, newTemplate(t))
	h.enrolled("rgold")
	h.contactChanged()
	h.must("mfa", "reset", "mleeson", "--yes")
	h.must("tokens", "create", "nightly", "--role", "auditor")
	asked := h.ask("priya", "mchen")
	h.must("audit", "reconcile")
	h.must("store", "check")
	whole := h.backedUp()

	const of = ` WHERE user_id = (SELECT id FROM account WHERE username = '`
	id := func(user string) string { return `(SELECT id FROM account WHERE username = '` + user + `')` }
	for _, c := range []struct{ change, user, field string }{
		{`UPDATE session SET hash = randomblob(32)` + of + `tom')`, "tom", "session * secret"},
		{`UPDATE session SET expires_at = expires_at + 1` + of + `tom')`, "tom", "session * expires_at"},
		{`UPDATE session SET signed_in_at = signed_in_at + 1` + of + `tom')`, "tom", "session * signed_in_at"},
		{`DELETE FROM session` + of + `tom')`, "tom", "session"},
		{`UPDATE token SET hash = randomblob(32)`, "helen", "token * secret"},
		{`UPDATE token SET name = 'weekly'`, "helen", "token * name"},
		{`UPDATE recovery_code SET hash = randomblob(32) WHERE hash = (SELECT max(hash) FROM recovery_code)`, "rgold", "recovery_codes"},
		{`UPDATE approval SET requester_id = ` + id("tom"), "mchen", "approval * requested_by"},
		{`UPDATE approval SET user_id = ` + id("jlee"), "mchen", "approval * account"},
		{`UPDATE approval SET reason = 'lost'`, "mchen", "approval * reason"},
		{`UPDATE approval SET ticket = 'INC1'`, "mchen", "approval * ticket"},
		{`UPDATE approval SET verified_by = 'video'`, "mchen", "approval * verified_by"},
		{`UPDATE approval SET hold = 1`, "mchen", "approval * hold"},
		{`UPDATE approval SET keep_sessions = 1`, "mchen", "approval * keep_sessions"},
		{`UPDATE approval SET code_hash = (SELECT password_hash FROM account WHERE username = 'tom')`, "mchen", "approval * enrolment_code"},
		{`UPDATE approval SET expires_at = expires_at + 1`, "mchen", "approval * expires_at"},
		{`UPDATE approval SET state = 'rejected'`, "mchen", "approval * state"},
		{`UPDATE approval SET id = 'forged'`, "mchen", "approval"},
		{`UPDATE account SET contact_changed_by = 'helen' WHERE username = 'mchen'`, "mchen", "contact_changed_by"},
		{`UPDATE account SET reset_by = 'tom' WHERE username = 'mleeson'`, "mleeson", "reset_by"},
		{`UPDATE account SET reset_seen = 1 WHERE username = 'mleeson'`, "mleeson", "reset_seen"},
		{`UPDATE account SET told = 1000 WHERE username = 'tom'`, "tom", "told"},
		{`UPDATE account SET created_at = created_at + 1 WHERE username = 'tom'`, "tom", "created_at"},
		{`UPDATE account SET last_success_at = 5 WHERE username = 'tom'`, "tom", "last_success_at"},
		{`UPDATE enrolment SET enrolled_at = enrolled_at + 1` + of + `rgold')`, "rgold", "enrolled_at"},
		{`UPDATE enrolment SET last_used_at = 5` + of + `rgold')`, "rgold", "last_used_at"},
		{`UPDATE log_head SET closed = 4`, "", "moved"},
		{`UPDATE log_head SET closed = 4; UPDATE store SET moved_to = 'sqlite:/elsewhere'`, "", "moved_to"},
		{`UPDATE store SET id = '01a2202e-2a1c-7655-839f-ac60f9f79b9a'`, "", "store"},
	} {
		h := whole()
		h.tamper2(c.change)
		stdout, stderr, status := h.run("audit", "reconcile", "-o", "json")
		var out struct{ Differences []difference }
		if err := json.Unmarshal([]byte(stdout), &out); err != nil {
			t.Errorf("%s: %v\n%s", c.change, err, stderr)
			continue
		}
		found := false
		for _, d := range out.Differences {
			first, last, within := strings.Cut(c.field, "*")
			fits := d.Field == c.field || within && strings.HasPrefix(d.Field, first) && strings.HasSuffix(d.Field, last)
			found = found || fits && d.Log != d.Store
			if d.User != c.user {
				t.Errorf("%s: told of %q too: %+v", c.change, d.User, d)
			}
		}
		if status != 9 || !found {
			t.Errorf("%s: exit %d, want %s of %q\n%s", c.change, status, c.field, c.user, stdout)
		}
	}
	if asked.State != logiqc.ApprovalPending {
		t.Errorf("the request was %s", asked.State)
	}
}

// Accounts that answer to each other's names, and secrets in each other's place,
// are found by store check: no event can tell of them.
func TestCheckFindsSwaps(t *testing.T) {
	t.Parallel()
	h := honest(t, newTemplate(t))
	h.must("store", "check")
	whole := h.backedUp()
	for _, c := range []struct{ change, check, says string }{
		{`UPDATE account SET username_key = '-' WHERE username = 'jlee'; UPDATE account SET username_key = 'jlee' WHERE username = 'mchen';
			UPDATE account SET username_key = 'mchen' WHERE username = 'jlee'`, "search", `mchen (mchen@stmary.example) answers to the names "jlee"`},
		{`UPDATE account SET email_key = 'eve@example.org' WHERE username = 'jlee'`, "search", "jlee (jlee@stmary.example)"},
		{`UPDATE enrolment SET sealed = (SELECT sealed FROM enrolment WHERE user_id = (SELECT id FROM account WHERE username = 'mchen'))
			WHERE user_id = (SELECT id FROM account WHERE username = 'jlee')`, "secrets", "1 sealed secret cannot be opened with these keys, that of jlee first"},
	} {
		h := whole()
		h.tamper2(c.change)
		stdout, _, status := h.run("store", "check", "-o", "json")
		var out struct {
			Problems []struct{ Check, Detail string }
		}
		if err := json.Unmarshal([]byte(stdout), &out); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, p := range out.Problems {
			found = found || p.Check == c.check && strings.Contains(p.Detail, c.says)
		}
		if status != 9 || !found {
			t.Errorf("%s: exit %d, %s", c.change, status, stdout)
		}
	}
}
