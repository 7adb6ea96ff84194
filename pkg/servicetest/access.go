package servicetest

import (
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Who may what: product.md's table of R1, line by line. A change that is
// refused is an event; so is a refused read.
func testRoles(t *testing.T, w *World) {
	w.off()
	for _, r := range []logiqc.Role{logiqc.RoleHelpdesk, logiqc.RoleAuditor} {
		w.add(string(r), role(r))
	}
	w.add("plain")
	w.add("ann")
	as := map[string]logiqc.Service{"admin": w.Helen}
	for _, name := range []string{"plain", "helpdesk", "auditor"} {
		at, err := w.start(name, Password)
		if err != nil {
			t.Fatal(err)
		}
		as[name] = w.as(at.Token)
	}
	for _, c := range w.roleCalls() {
		for name, letter := range map[string]byte{"plain": 'p', "helpdesk": 'h', "auditor": 'a', "admin": 'A'} {
			code, events := logiqc.Forbidden, int64(1)
			for i := range len(c.allowed) {
				if c.allowed[i] == letter {
					code, events = "", -1
				}
			}
			size := w.size()
			want(t, name+": "+c.what, c.do(as[name]), code)
			if n := w.size() - size; events == 1 && n != 1 {
				t.Errorf("%s: %s was refused with %d events", name, c.what, n)
			}
		}
	}
}

// roleCall is a call, and the roles that may make it, by first letter: p h a(uditor) A(dmin).
type roleCall struct {
	what    string
	allowed string
	do      func(s logiqc.Service) error
}

func (w *World) roleCalls() []roleCall {
	ctx := w.ctx()
	phone := "1"
	return append(w.revocations(), []roleCall{
		{"find", "haA", func(s logiqc.Service) error { _, err := s.FindUsers(ctx, logiqc.UserQuery{Limit: 1}); return err }},
		{"show", "haA", func(s logiqc.Service) error { _, err := s.GetUser(ctx, "ann"); return err }},
		{"figures", "haA", func(s logiqc.Service) error { _, err := s.Figures(ctx); return err }},
		{"policy", "haA", func(s logiqc.Service) error { _, err := s.Policy(ctx); return err }},
		{"reset", "hA", func(s logiqc.Service) error { return errOf(w.reset(s, "ann").Err) }},
		{"unlock", "hA", func(s logiqc.Service) error { return w.change(s, logiqc.Unlock, "ann") }},
		{"add", "A", func(s logiqc.Service) error {
			_, err := s.AddUser(ctx, logiqc.NewUser{Username: "x" + s.Actor().Name, Email: s.Actor().Name + "@x"})
			return err
		}},
		{"edit", "A", func(s logiqc.Service) error {
			_, err := s.EditUser(ctx, logiqc.UserEdit{User: "ann", Phone: &phone})
			return err
		}},
		{"activate", "A", func(s logiqc.Service) error { return w.change(s, logiqc.Activate, "ann") }},
		{"deactivate", "A", func(s logiqc.Service) error { return w.change(s, logiqc.Deactivate, "xhelen") }},
		{"enable", "A", func(s logiqc.Service) error { return w.change(s, logiqc.EnableMFA, "ann") }},
		{"disable", "A", func(s logiqc.Service) error { return w.change(s, logiqc.DisableMFA, "ann") }},
		{"passwd of another", "A", func(s logiqc.Service) error {
			_, err := s.SetPassword(ctx, logiqc.PasswordChange{User: "ann", New: Password})
			return err
		}},
		{"import", "A", func(s logiqc.Service) error {
			_, err := s.ImportUsers(ctx, logiqc.Import{Rows: func(func(logiqc.ImportRow, error) bool) {}})
			return err
		}},
		{"enforce", "A", func(s logiqc.Service) error {
			_, err := s.Enforce(ctx, logiqc.Enforcement{Request: given()})
			return err
		}},
		{"make a token", "A", func(s logiqc.Service) error {
			_, _, err := s.CreateToken(ctx, logiqc.NewToken{Name: "t", Role: logiqc.RoleApp})
			return err
		}},
		{"list tokens", "A", func(s logiqc.Service) error { _, err := s.Tokens(ctx); return err }},
		{"revoke tokens", "A", func(s logiqc.Service) error {
			_, err := s.RevokeTokens(ctx, logiqc.Revocation{Request: given(), All: true})
			return err
		}},
		{"sessions of others", "A", func(s logiqc.Service) error { _, err := s.Sessions(ctx, "ann"); return err }},
		{"end sessions of others", "A", func(s logiqc.Service) error {
			_, err := s.RevokeSessions(ctx, logiqc.Revocation{Request: given(), User: "ann"})
			return err
		}},
		{"own sessions", "phaA", func(s logiqc.Service) error { _, err := s.Sessions(ctx, s.Actor().Username); return err }},
		{"events", "phaA", func(s logiqc.Service) error { _, err := s.Events(ctx, logiqc.EventQuery{}); return err }},
	}...)
}

// revocations are dry runs of ending sessions: a refusal all the same.
func (w *World) revocations() []roleCall {
	ctx := w.ctx()
	w.again("ann")
	anns, err := w.Helen.Sessions(ctx, "ann")
	if err != nil || len(anns) == 0 {
		w.t.Fatal(anns, err)
	}
	dry := logiqc.Request{Consent: logiqc.Consent{DryRun: true}}
	return []roleCall{
		{"end another's session", "A", func(s logiqc.Service) error {
			_, err := s.RevokeSessions(ctx, logiqc.Revocation{Request: dry, ID: anns[0].ID})
			return err
		}},
		{"end all sessions", "A", func(s logiqc.Service) error {
			_, err := s.RevokeSessions(ctx, logiqc.Revocation{Request: dry, All: true})
			return err
		}},
	}
}

// change applies a verb to one account and returns whichever error there is.
func (w *World) change(s logiqc.Service, v logiqc.Verb, user string) error {
	res, err := s.ChangeUsers(w.ctx(), logiqc.UserChange{Request: given(), Verb: v, Users: []string{user}})
	if err != nil {
		return err
	}
	return errOf(res[0].Err)
}

// A token acts for whoever made it and dies with that account (product.md R1).
func testTokens(t *testing.T, w *World) {
	w.add("boss", role(logiqc.RoleAdmin))
	w.add("ann")
	w.enrol("ann")
	boss := w.as(w.enrol("boss").Token)
	make := func(n logiqc.NewToken) (logiqc.TokenInfo, logiqc.Secret) {
		t.Helper()
		info, secret, err := boss.CreateToken(w.ctx(), n)
		if err != nil {
			t.Fatal(err)
		}
		return info, secret
	}
	for what, n := range map[string]logiqc.NewToken{
		"neither": {Name: "x"}, "both": {Name: "x", Role: logiqc.RoleAdmin, Allow: []logiqc.Right{logiqc.MFAReset}},
		"no name": {Role: logiqc.RoleApp}, "no role": {Name: "x", Role: "king"}, "no right": {Name: "x", Allow: []logiqc.Right{"all"}},
		"a right that is never single": {Name: "x", Allow: []logiqc.Right{logiqc.Administer}},
		"already over":                 {Name: "x", Role: logiqc.RoleApp, ExpiresAt: logiqc.At(w.Now())},
	} {
		_, _, err := boss.CreateToken(w.ctx(), n)
		want(t, what, err, logiqc.Usage)
	}
	desk, deskSecret := make(logiqc.NewToken{Name: "desk", Role: logiqc.RoleHelpdesk, ExpiresAt: logiqc.At(w.Now().Add(time.Hour))})
	_, narrow := make(logiqc.NewToken{Name: "narrow", Allow: []logiqc.Right{logiqc.MFAReset}})
	_, err := w.As(w.ctx(), deskSecret+"x")
	want(t, "a damaged token", err, logiqc.Unauthenticated)

	s := w.as(narrow)
	_, err = s.GetUser(w.ctx(), "ann")
	want(t, "a right it has not", err, logiqc.Forbidden)
	if res := w.reset(s, "ann"); res.Outcome != logiqc.ResetDone {
		t.Errorf("a right it has: %+v", res)
	}
	if e := w.events("ann", 1)[0]; e.Actor.Kind != logiqc.Token || e.Actor.For != "boss" || e.Actor.Name != "narrow" {
		t.Errorf("in the log as %+v", e.Actor)
	}
	res := w.reset(s, "boss")
	want(t, "its maker's own account", errOf(res.Err), logiqc.SelfReset)
	res = w.reset(s, "helen", func(r *logiqc.Reset) { r.Typed = "helen" })
	want(t, "a token has no hands", errOf(res.Err), logiqc.Privileged)

	_, err = w.as(deskSecret).GetUser(w.ctx(), "ann")
	want(t, "a token with a role", err, "")
	infos, err := boss.Tokens(w.ctx())
	if err != nil || len(infos) != 2 {
		t.Fatalf("%d tokens, %v", len(infos), err)
	}
	old := w.as(deskSecret)
	if _, err = boss.RevokeTokens(w.ctx(), logiqc.Revocation{Request: given(), ID: desk.ID}); err != nil {
		t.Fatal(err)
	}
	_, err = old.GetUser(w.ctx(), "ann")
	want(t, "revoked, at the next request", err, logiqc.Unauthenticated)
	_, short := make(logiqc.NewToken{Name: "short", Role: logiqc.RoleHelpdesk, ExpiresAt: logiqc.At(w.Now().Add(time.Hour))})
	_, long := make(logiqc.NewToken{Name: "long", Role: logiqc.RoleHelpdesk})
	w.tokenExpires(t, short)
	w.tokenOfItsMaker(t, narrow, long)
}

// tokenExpires lets an hour pass, which ends the token.
func (w *World) tokenExpires(t *testing.T, short logiqc.Secret) {
	t.Helper()
	old := w.as(short)
	w.Advance(time.Hour)
	_, err := old.GetUser(w.ctx(), "ann")
	want(t, "expired, at the next request", err, logiqc.Unauthenticated)
	_, err = w.As(w.ctx(), short)
	want(t, "expired", err, logiqc.Unauthenticated)
}

// tokenOfItsMaker: a token may what the account that made it may at the time; one
// with a role wants an account that covers the role.
func (w *World) tokenOfItsMaker(t *testing.T, narrow, desk logiqc.Secret) {
	t.Helper()
	open, role := w.as(narrow), w.as(desk)
	want(t, "demote the maker", w.edit("boss", logiqc.RoleAuditor), "")
	res := w.reset(open, "ann")
	want(t, "its maker may not any more", errOf(res.Err), logiqc.Unauthenticated)
	_, err := role.GetUser(w.ctx(), "ann") // an auditor may that
	want(t, "its maker is of another role", err, logiqc.Unauthenticated)
	want(t, "promote again", w.edit("boss", logiqc.RoleAdmin), "")
	res = w.reset(open, "ann")
	want(t, "its maker may again", errOf(res.Err), "")
	want(t, "deactivate the maker", w.change(w.Helen, logiqc.Deactivate, "boss"), "")
	res = w.reset(open, "ann")
	want(t, "its maker is gone", errOf(res.Err), logiqc.Unauthenticated)
}

func (w *World) edit(user string, r logiqc.Role) error {
	_, err := w.Helen.EditUser(w.ctx(), logiqc.UserEdit{User: user, Role: &r})
	return err
}

// A session ends by ttl, sign-out, deactivation, role change, password change
// and revocation, at once.
func testSessions(t *testing.T, w *World) {
	w.off()
	w.add("ann", role(logiqc.RoleHelpdesk))
	in := func() (logiqc.Service, logiqc.Attempt) {
		t.Helper()
		at, err := w.start("ann", Password)
		if err != nil {
			t.Fatal(err)
		}
		return w.as(at.Token), at
	}
	over := func(what string, s logiqc.Service) {
		t.Helper()
		_, err := s.Figures(w.ctx())
		want(t, what, err, logiqc.Unauthenticated)
	}
	s, at := in()
	if at.ExpiresAt != logiqc.At(w.Now().Add(12*time.Hour)) {
		t.Errorf("lasts until %v", at.ExpiresAt)
	}
	w.Advance(6 * time.Hour)
	s2, _ := in()
	list, err := w.as(at.Token).Sessions(w.ctx(), "")
	if err != nil || len(list) != 2 || list[0].User != "ann" || list[0].Host != "desk-3" {
		t.Errorf("%+v, %v", list, err)
	}
	for _, session := range list { // the one is new, the other has just been used
		if session.LastUsedAt != logiqc.At(w.Now()) {
			t.Errorf("used last: %v", session.LastUsedAt)
		}
	}
	w.Desk.Advance(6*time.Hour + time.Second) // nobody signs in: then what has expired is deleted
	over("ttl", s)
	_, err = w.As(w.ctx(), at.Token)
	want(t, "ttl, found anew", err, logiqc.Unauthenticated)
	w.Helen = w.signin("helen")
	if _, err = s2.RevokeSessions(w.ctx(), logiqc.Revocation{Request: given(), ID: list[0].ID}); err != nil {
		t.Error(err)
	}
	over("its own revocation", s2)
	s, _ = in()
	want(t, "role", w.edit("ann", logiqc.RoleAuditor), "")
	over("role change", s)
	s, _ = in()
	want(t, "deactivate", w.change(w.Helen, logiqc.Deactivate, "ann"), "")
	over("deactivation", s)
	want(t, "activate", w.change(w.Helen, logiqc.Activate, "ann"), "")
	over("deactivation, though active again", s)
	s, _ = in()
	w.sessionAndPassword(t, s)
}

// sessionAndPassword changes ann's password in her session, which ends it, and how
// long the next one lasts.
func (w *World) sessionAndPassword(t *testing.T, s logiqc.Service) {
	t.Helper()
	_, err := s.SetPassword(w.ctx(), logiqc.PasswordChange{Current: "wrong", New: "another long one"})
	want(t, "own password, wrong current", err, logiqc.SigninDenied)
	_, err = s.SetPassword(w.ctx(), logiqc.PasswordChange{Current: Password, New: "short"})
	want(t, "too short", err, logiqc.Invalid)
	if _, err = s.SetPassword(w.ctx(), logiqc.PasswordChange{Current: Password, New: "another long one"}); err != nil {
		t.Fatal(err)
	}
	_, err = s.Figures(w.ctx())
	want(t, "password change", err, logiqc.Unauthenticated)
	_, err = w.start("ann", Password)
	want(t, "the old password", err, logiqc.SigninDenied)
	w.policy(logiqc.Setting{Key: logiqc.KeySessionTTL, Value: "1h"})
	if at, err := w.start("ann", "another long one"); err != nil || at.ExpiresAt != logiqc.At(w.Now().Add(time.Hour)) {
		t.Errorf("as long as the policy says: %v, %v", at.ExpiresAt, err)
	}
}

// again signs in with the password alone.
func (w *World) again(user string) logiqc.Secret {
	w.t.Helper()
	at, err := w.start(user, Password)
	if err != nil || at.Stage != logiqc.StageSignedIn {
		w.t.Fatal(at.Stage, err)
	}
	return at.Token
}
