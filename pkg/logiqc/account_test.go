package logiqc_test

import (
	"encoding/json"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

const now = logiqc.Time(1_800_000_000_000)

func TestNext(t *testing.T) {
	ready := logiqc.User{Status: logiqc.Active, Auth: logiqc.ByPassword, PasswordHash: "x"}
	enrolled := &logiqc.Enrolment{ID: "e"}
	for name, c := range map[string]struct {
		change    func(*logiqc.User)
		enforced  bool
		next, why string
		until     logiqc.Time
	}{
		"no MFA required":            {func(*logiqc.User) {}, false, "password", "", 0},
		"enforced, none":             {func(*logiqc.User) {}, true, "enrol", "", 0},
		"enforced, enrolled":         {func(u *logiqc.User) { u.Enrolled = enrolled }, true, "code", "", 0},
		"own toggle, enrolled":       {func(u *logiqc.User) { u.Enrolled, u.Toggle = enrolled, true }, false, "code", "", 0},
		"toggle off, still enrolled": {func(u *logiqc.User) { u.Enrolled = enrolled }, false, "password", "", 0},
		"pending":                    {func(u *logiqc.User) { u.Pending = enrolled }, true, "enrol", "", 0},
		"inactive":                   {func(u *logiqc.User) { u.Status = logiqc.Inactive }, true, "blocked", "inactive", 0},
		"sso":                        {func(u *logiqc.User) { u.Auth = logiqc.BySSO }, true, "sso", "", 0},
		"inactive sso":               {func(u *logiqc.User) { u.Auth, u.Status = logiqc.BySSO, logiqc.Inactive }, true, "blocked", "inactive", 0},
		"no password":                {func(u *logiqc.User) { u.PasswordHash = "" }, true, "blocked", "no_password", 0},
		"wrong passwords":            {func(u *logiqc.User) { u.PasswordThrottle.Until = now + 1 }, false, "blocked", "throttled", now + 1},
		"that wait is over":          {func(u *logiqc.User) { u.PasswordThrottle.Until = now }, false, "password", "", 0},
		"wrong codes":                {func(u *logiqc.User) { u.Enrolled, u.CodeThrottle.Until = enrolled, now+5 }, true, "blocked", "throttled", now + 5},
		"codes, not asked for":       {func(u *logiqc.User) { u.CodeThrottle.Until = now + 5 }, false, "password", "", 0},
		"locked":                     {func(u *logiqc.User) { u.Enrolled, u.CodeThrottle.Misses = enrolled, 100 }, true, "blocked", "locked", 0},
	} {
		t.Run(name, func(t *testing.T) {
			u := ready
			c.change(&u)
			next, why, until := u.Next(logiqc.Policy{Enforced: c.enforced}, now)
			if next != c.next || why != c.why || until != c.until {
				t.Errorf("got %s %s %v, want %s %s %v", next, why, until, c.next, c.why, c.until)
			}
		})
	}
}

func TestAccountJSON(t *testing.T) {
	u := logiqc.User{
		ID: "0193", Username: "jlee", Email: "jlee@example.org", Name: "Jordan <Lee>", Status: logiqc.Active,
		Auth: logiqc.ByPassword, Role: logiqc.RoleUser, Toggle: true, PasswordHash: "$argon2id$secret", Version: 4,
		Enrolled: &logiqc.Enrolment{ID: "e", EnrolledAt: 1767579069042, Sealed: "sealed"}, RecoveryLeft: 10,
		CreatedAt: 1, UpdatedAt: 2,
	}
	got, err := json.Marshal(u.Account(logiqc.Policy{Enforced: true}, now))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"0193","username":"jlee","email":"jlee@example.org","name":"Jordan \u003cLee\u003e","phone":"",` +
		`"status":"active","auth":"password","role":"user","protected":false,"contact_changed_at":null,"contact_changed_by":"",` +
		`"mfa":{"required":true,"required_by":"organisation","toggle":"on","toggle_own":"on","toggle_locked":true,` +
		`"state":"enrolled","enrolled_at":"2026-01-05T02:11:09.042Z","last_used_at":null,"recovery_codes_left":10,` +
		`"reset_at":null,"reset_by":""},"signin":{"next":"code","why":"","until":null,"misses":0,"password_misses":0,` +
		`"code_misses":0,"last_success_at":null,"last_failure":null},"version":4,` +
		`"created_at":"1970-01-01T00:00:00.001Z","updated_at":"1970-01-01T00:00:00.002Z"}`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSSOAccountHasNoMFA(t *testing.T) {
	a := logiqc.User{Auth: logiqc.BySSO, Status: logiqc.Active}.Account(logiqc.Policy{Enforced: true}, now)
	if a.MFA.Required || a.MFA.RequiredBy != "" || a.MFA.ToggleLocked || a.MFA.State != logiqc.EnrolmentNone {
		t.Errorf("got %+v", a.MFA)
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Łukasz Ørsted": "lukasz orsted", "José  María": "jose maria", "STRASSE": "strasse", "straße": "strasse",
		"Ｊｏｒｄａｎ": "jordan", "李雷": "李雷", " a\tb ": "a b", "İpek": "ipek", "ß": "ss", "jlee": "jlee", "": "", "ﬁ": "fi",
	} {
		if got := logiqc.Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzFoldIsStable(f *testing.F) {
	for _, s := range []string{"Łukasz", "İ", "ǅ", "ﷺ", "\u0130\u0307", "ſ", "K", "ϓ", "a\u00a0 b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := logiqc.Fold(s)
		if twice := logiqc.Fold(once); twice != once {
			t.Errorf("Fold(%q) = %q, folded again %q", s, once, twice)
		}
	})
}
