package service_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

const witnessKey = "witness.example/w1+7e136b5c+BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

// Every field of an account, of a token, of a witness and of the store that the
// log has as well is held against it (S-58): whoever writes into the store what
// no event says is found, by its name.
func TestReconcileComparesAll(t *testing.T) {
	d := openDesk(t)
	helen, err := d.As(t.Context(), d.init)
	if err != nil {
		t.Fatal(err)
	}
	d.happens(t, "jlee", "mchen")
	d.importApp(t, "jlee", 0)
	token := func(name string) logiqc.TokenInfo {
		info, _, err := helen.CreateToken(t.Context(), logiqc.NewToken{Request: given, Name: name, Role: logiqc.RoleHelpdesk, Lifetime: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	bot, dead := token("bot"), token("dead")
	if _, err := helen.RevokeTokens(t.Context(), logiqc.Revocation{Request: given, ID: dead.ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Audit(helen.Actor()).AddWitness(t.Context(), logiqc.NewWitness{URL: "http://127.0.0.1:9", Key: witnessKey}); err != nil {
		t.Fatal(err)
	}
	honest := filepath.Join(t.TempDir(), "honest.db")
	d.copyTo(t, honest)
	for change, field := range map[string]string{
		`UPDATE account SET username = 'eve', username_key = 'eve' WHERE username = 'jlee'`:              "username",
		`UPDATE account SET name = 'Eve' WHERE username = 'jlee'`:                                        "name",
		`UPDATE account SET contact_changed_at = 5 WHERE username = 'jlee'`:                              "contact_changed_at",
		`UPDATE account SET reset_at = 5 WHERE username = 'jlee'`:                                        "reset_at",
		`INSERT INTO recovery_code SELECT id, randomblob(32) FROM enrolment`:                             "recovery_codes",
		`DELETE FROM account WHERE username = 'mchen'`:                                                   "account",
		`UPDATE log_head SET closed = closed | 1`:                                                        "frozen",
		`UPDATE store SET origin = 'logiqc/eve/store-1'`:                                                 "origin",
		`UPDATE token SET user_id = (SELECT id FROM account WHERE username = 'jlee') WHERE name = 'bot'`: "token " + bot.ID + " owner",
		`UPDATE token SET role = 'admin' WHERE name = 'bot'`:                                             "token " + bot.ID + " role",
		`UPDATE token SET allow = 'mfa.reset' WHERE name = 'bot'`:                                        "token " + bot.ID + " allow",
		`UPDATE token SET expires_at = expires_at + 1 WHERE name = 'bot'`:                                "token " + bot.ID + " expires_at",
		`DELETE FROM token WHERE name = 'bot'`:                                                           "token",
		`UPDATE token SET revoked_at = 0 WHERE name = 'dead'`:                                            "token",
		`UPDATE witness SET url = 'http://127.0.0.1:10'`:                                                 "witness witness.example/w1 url",
		`UPDATE witness SET vkey = replace(vkey, 'BAAB', 'BAAC')`:                                        "witness witness.example/w1 key",
		`DELETE FROM witness`: "witness witness.example/w1 url",
		`INSERT INTO witness SELECT 'eve', url, vkey, added_at, at, note FROM witness`: "witness eve url, witness eve key",
	} {
		path := filepath.Join(t.TempDir(), "logiqc.db")
		(&desk{Desk: d.Desk, path: honest}).copyTo(t, path)
		forged := &desk{Desk: d.openAt(t, path, d.keys()), path: path}
		forged.exec(t, change)
		r, err := forged.Reconcile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, x := range r.Differences {
			found = append(found, x.Field)
		}
		if got := strings.Join(found, ", "); got != field {
			t.Errorf("%s: %q differ, want %q", change, got, field)
		}
	}
	if r, err := d.Reconcile(t.Context()); err != nil || len(r.Differences) > 0 {
		t.Errorf("nothing was changed: %+v, %v", r, err)
	}
}
