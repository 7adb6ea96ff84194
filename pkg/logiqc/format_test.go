package logiqc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// The bytes of a leaf can never change: every log ever written is checked
// against them.
func TestLeafBytes(t *testing.T) {
	n, yes := 10, true
	b := logiqc.Body{
		ID: "0193", Time: 1795406706789, Action: logiqc.MFAResetDone, Outcome: logiqc.Success,
		Actor:  logiqc.EventActor{Kind: logiqc.Person, ID: "h", Username: "helen", OSUser: "helen"},
		Source: logiqc.EventSource{Host: "desk-3"}, Target: logiqc.Target{ID: "j", Username: "jlee"},
		Reason: "new <phone> & é\u2028", Details: logiqc.Details{Authenticator: &yes, RecoveryCodes: &n}, RequestID: "r",
	}
	want := `{"v":1,"id":"0193","time":"2026-11-23T04:05:06.789Z","action":"mfa.reset","outcome":"success",` +
		`"actor":{"kind":"person","id":"h","username":"helen","os_user":"helen"},"source":{"host":"desk-3","ip":"","app":""},` +
		`"target":{"id":"j","username":"jlee"},"reason":"new <phone> & é\u2028","ticket":"","verified_by":"","code":"",` +
		`"details":{"authenticator":true,"recovery_codes":10},"request_id":"r"}`
	got, err := b.Leaf()
	if err != nil || string(got) != want {
		t.Fatalf("got  %s\nwant %s (%v)", got, want, err)
	}
	e, err := logiqc.ParseLeaf(42, got)
	if err != nil {
		t.Fatal(err)
	}
	again, err := e.Leaf()
	if err != nil || string(again) != want || e.Seq != 42 {
		t.Errorf("read back as %s (%v)", again, err)
	}
	shown, _ := json.Marshal(e)
	if !strings.HasPrefix(string(shown), `{"seq":42,"id":"0193","time":`) || strings.Contains(string(shown), `"v":`) {
		t.Errorf("shown as %s", shown)
	}
}

func TestTokenActor(t *testing.T) {
	a := logiqc.Actor{Kind: logiqc.Token, ID: "t1", Name: "nightly", Username: "helen", AccountID: "h"}
	got, _ := json.Marshal(a.EventActor())
	want := `{"kind":"token","id":"t1","username":"nightly","name":"nightly","for":"helen","os_user":""}`
	if string(got) != want {
		t.Errorf("got %s", got)
	}
	if k := (logiqc.Actor{}).EventActor().Kind; k != logiqc.Person {
		t.Errorf("somebody signing in is a %q", k)
	}
}

func TestParseLeafRefusesWhatWeDidNotWrite(t *testing.T) {
	for name, leaf := range map[string]string{
		"another version": `{"v":2,"id":"x"}`, "no JSON": `{"v":1`, "an unknown field": `{"v":1,"id":"x","secret":"y"}`,
		"an unknown detail": `{"v":1,"details":{"password_plain":"y"}}`, "empty": ``,
	} {
		if _, err := logiqc.ParseLeaf(7, []byte(leaf)); !errors.Is(err, logiqc.Integrity) || !strings.Contains(err.Error(), "7") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTimeJSON(t *testing.T) {
	for in, want := range map[string]logiqc.Time{
		"null": 0, `"2026-11-23T04:05:06.789Z"`: 1795406706789, `"2026-11-23T15:05:06.789+11:00"`: 1795406706789,
		`"2026-11-23T04:05:06Z"`: 1795406706000,
	} {
		var got logiqc.Time
		if err := json.Unmarshal([]byte(in), &got); err != nil || got != want {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	if err := json.Unmarshal([]byte(`"yesterday"`), new(logiqc.Time)); err == nil {
		t.Error("took yesterday")
	}
}

func TestParseTime(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	sydney := time.FixedZone("AEDT", 11*3600)
	for in, want := range map[string]time.Time{
		"2026-11-23T04:05:06Z": time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC),
		"2026-11-23":           time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC),
		"24h":                  at.Add(-24 * time.Hour), "7d": at.Add(-7 * 24 * time.Hour), "2w": at.Add(-14 * 24 * time.Hour),
	} {
		if got, err := logiqc.ParseTime(in, at, sydney); err != nil || got != logiqc.At(want) {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "d", "-3h", "23/11/2026", "1y", "99999999999d", "16000w", "10001d"} {
		if _, err := logiqc.ParseTime(in, at, sydney); !errors.Is(err, logiqc.Usage) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestSecretNeverPrints(t *testing.T) {
	type holder struct {
		S logiqc.Secret
		p *logiqc.Secret
	}
	canary := logiqc.Secret("canary-7731")
	h := holder{S: canary, p: &canary}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		for _, v := range []any{canary, &canary, h, []logiqc.Secret{canary}} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, "canary") || strings.Contains(got, "63616e617279") {
				t.Errorf("%s shows %s", verb, got)
			}
		}
	}
	got, _ := json.Marshal(h)
	if string(got) != `{"S":null}` {
		t.Errorf("JSON %s", got)
	}
	if canary.LogValue().String() != "[redacted]" || canary.Reveal() != "canary-7731" {
		t.Error("logged or lost")
	}
	if err := json.Unmarshal([]byte(`{"S":"x"}`), &h); err != nil || h.S != "" {
		t.Errorf("read %q, %v", h.S.Reveal(), err)
	}
}

func TestChecks(t *testing.T) {
	long := strings.Repeat("a", 65)
	for name, want := range map[string]bool{
		"jlee": true, "J.Lee-2_x": true, "7up": true, long[:64]: true, "": false, long: false, ".x": false, "a b": false,
		"é": false, "a@b": false, "a\n": false, "-x": false,
	} {
		if err := logiqc.CheckUsername(name); (err == nil) != want {
			t.Errorf("username %q: %v", name, err)
		}
	}
	for email, want := range map[string]bool{
		"a@b": true, "josé@x.org": true, "a+b@c.d": true, "": false, "a": false, "@b": false, "a@": false, "a@b@c": false,
		"a b@c": false, "a@b\u00a0c": false, "a\x00@b": false, strings.Repeat("a", 250) + "@b.cd": false,
	} {
		if err := logiqc.CheckEmail(email); (err == nil) != want {
			t.Errorf("email %q: %v", email, err)
		}
	}
	if logiqc.CheckText("x", strings.Repeat("é", 200), 200) != nil || logiqc.CheckText("x", strings.Repeat("é", 201), 200) == nil ||
		logiqc.CheckText("x", "a\x00", 9) == nil || logiqc.CheckText("x", "\xff", 9) == nil {
		t.Error("text")
	}
	for issuer, want := range map[string]bool{"St Mary's": true, "": false, " ": false, "a:b": false, long: false} {
		if err := logiqc.CheckIssuer(issuer); (err == nil) != want {
			t.Errorf("issuer %q: %v", issuer, err)
		}
	}
}

func TestPolicyValuesRoundTrip(t *testing.T) {
	p := logiqc.Policy{Enforced: false, Issuer: "St Mary's", SessionTTL: 90 * time.Minute, BulkMax: 7, ReasonRequired: true,
		Reasons: "new phone,lost", Ticket: "INC[0-9]+", VerifiedBy: "callback,in_person", EnrolmentCode: logiqc.CodeAlways,
		CodeTTL: 72 * time.Hour, Window: 24 * time.Hour, Message: "Hi {name}, {time}",
		Approval: logiqc.ApproveAll, Approvers: logiqc.RoleHelpdesk, MaxPerHour: 3, SameUserHours: 4, ContactChangedHours: 5, StepUpMinutes: 6}
	got := logiqc.DefaultPolicy()
	for k, v := range p.Values() {
		if err := got.Set(k, v); err != nil {
			t.Error(err)
		}
	}
	if got != p {
		t.Errorf("got %+v", got)
	}
	for k, v := range map[string]string{"mfa.enforced": "perhaps", "totp.issuer": "a:b", "session.ttl": "long", "reset.bulk_max": "x", "nope": "1"} {
		if err := got.Set(k, v); !errors.Is(err, logiqc.Invalid) {
			t.Errorf("%s=%s: %v", k, v, err)
		}
	}
}

func TestRoles(t *testing.T) {
	for _, c := range []struct {
		role  logiqc.Role
		right logiqc.Right
		want  bool
	}{
		{"user", logiqc.UsersRead, false}, {"helpdesk", logiqc.MFAReset, true}, {"helpdesk", logiqc.UsersWrite, false},
		{"auditor", logiqc.MFAReset, false}, {"auditor", logiqc.AuditVerify, true}, {"helpdesk", logiqc.AuditVerify, false},
		{"admin", logiqc.Administer, true}, {"auditor", logiqc.Administer, false}, {"app", logiqc.SignIns, true},
		{"app", logiqc.UsersRead, false}, {"app", logiqc.SecondFactor, false}, {"nobody", logiqc.UsersRead, false},
	} {
		if got := c.role.Grants(c.right); got != c.want {
			t.Errorf("%s %s: %t", c.role, c.right, got)
		}
	}
	if err := person(logiqc.RoleUser, "u").Need(logiqc.UsersRead); !errors.Is(err, logiqc.Forbidden) {
		t.Errorf("got %v", err)
	}
	if err := token(logiqc.RoleApp, "u").Need(logiqc.UsersRead); !errors.Is(err, logiqc.Forbidden) || !strings.Contains(err.Error(), "nightly") {
		t.Errorf("got %v", err)
	}
	if !logiqc.RoleAdmin.Covers(logiqc.RoleApp) || logiqc.RoleHelpdesk.Covers(logiqc.RoleAdmin) || !logiqc.RoleAuditor.Covers(logiqc.RoleAuditor) {
		t.Error("Covers")
	}
}
