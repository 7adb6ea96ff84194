package service_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/servicetest"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/totp"
)

// breakGlass is what the command asks for once the username was typed.
func breakGlass(user string) logiqc.Recovery {
	r := logiqc.Recovery{User: user, SudoUser: "ben"}
	r.Reason, r.Given, r.Typed = "lost phone", true, user
	return r
}

// people adds accounts of the roles, named by them, with a password each.
func (d *desk) people(t *testing.T, roles ...logiqc.Role) logiqc.Service {
	t.Helper()
	helen, err := d.As(t.Context(), d.init)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range roles {
		who := logiqc.NewUser{Username: string(r), Email: string(r) + "@x", Password: servicetest.Password, Role: r}
		if _, err := helen.AddUser(t.Context(), who); err != nil {
			t.Fatal(err)
		}
	}
	return helen
}

// enters signs somebody in through enrolment, with the enrolment code where
// one is asked for, and returns where that led.
func (d *desk) enters(t *testing.T, user, app string, code logiqc.Secret) (logiqc.Attempt, error) {
	t.Helper()
	src := logiqc.Source{Host: "desk-3", App: app}
	at, err := d.SignIn().Start(t.Context(), logiqc.SigninRequest{User: user, Password: servicetest.Password,
		Purpose: logiqc.SigninPurpose, Source: src})
	if err != nil || at.Stage == logiqc.StageSignedIn {
		return at, err
	}
	if code != "" {
		if _, err := d.SignIn().EnrolmentCode(t.Context(), at.Token, code, src); err != nil {
			return at, err
		}
	}
	p, err := d.SignIn().StartEnrolment(t.Context(), at.Token, src)
	if err != nil {
		return at, err
	}
	key, err := totp.ParseKey(p.Secret.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	out, err := d.SignIn().ProveEnrolment(t.Context(), at.Token, totp.Code(key, totp.Step(d.Now())), src)
	return out.Attempt, err
}

// The only admin is held, throttled, without a phone and signed out: the
// break-glass brings her back, with the code it gave and not without.
func TestRecover(t *testing.T) {
	d := openDesk(t)
	helen := d.people(t)
	token, _, err := helen.CreateToken(t.Context(), logiqc.NewToken{Name: "cron", Role: logiqc.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	for range 7 {
		_, _ = d.SignIn().Start(t.Context(), logiqc.SigninRequest{User: "helen", Password: "wrong", Purpose: logiqc.SigninPurpose})
	}
	d.Advance(time.Minute)
	r := breakGlass("HELEN")
	res, err := d.Recover(t.Context(), system, r)
	if err != nil || !res.Changed || res.EnrolmentCode == nil || res.NextSignin != logiqc.NextEnrol || res.Cleared.Sessions != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
	if _, err := helen.Figures(t.Context()); !errors.Is(err, logiqc.Unauthenticated) {
		t.Errorf("her session goes on: %v", err)
	}
	if res.Account.Signin.Misses != 0 {
		t.Errorf("the wait goes on: %+v", res.Account.Signin)
	}
	if _, err := d.enters(t, "helen", "", ""); !errors.Is(err, logiqc.EnrolmentCodeRequired) {
		t.Errorf("without the code: %v", err)
	}
	at, err := d.enters(t, "helen", "", res.EnrolmentCode.Code)
	if err != nil || at.Stage != logiqc.StageSignedIn {
		t.Fatalf("with the code: %+v, %v", at, err)
	}
	svc, err := d.As(t.Context(), at.Token)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := svc.Tokens(t.Context())
	if err != nil || len(tokens) != 1 || tokens[0].ID != token.ID || tokens[0].RevokedAt != 0 {
		t.Errorf("her token: %+v, %v", tokens, err)
	}
	e, err := svc.EventAt(t.Context(), res.Audit.Seq)
	if err != nil || e.Action != logiqc.MFARecovered || e.Actor.Kind != logiqc.System || e.Actor.OSUser != "root" || e.Source.Host != "desk-3" ||
		e.Details.SudoUser != "ben" || e.Reason != "lost phone" || e.Details.Misses != 5 {
		t.Errorf("%+v, %v", e, err)
	}
	d.Check(t)
}

// What the rules refuse is refused, and recorded; what was not agreed to, or
// not as it was shown, is neither done nor recorded.
func TestRecoverRefused(t *testing.T) {
	d := openDesk(t)
	helen := d.people(t, logiqc.RoleUser, logiqc.RoleHelpdesk, logiqc.RoleAuditor)
	if _, err := helen.AddUser(t.Context(), logiqc.NewUser{Username: "sso", Email: "sso@x", Role: logiqc.RoleAdmin, Auth: logiqc.BySSO}); err != nil {
		t.Fatal(err)
	}
	untyped, wrong, stale, dry := breakGlass("helen"), breakGlass("helen"), breakGlass("helen"), breakGlass("helen")
	untyped.Typed, wrong.Typed, stale.Shown, dry.DryRun, dry.Typed = "", "hele", "something else", true, ""
	for i, c := range []struct {
		r      logiqc.Recovery
		code   logiqc.Code
		events int
	}{
		{breakGlass("user"), logiqc.Forbidden, 1}, {breakGlass("helpdesk"), logiqc.Forbidden, 1}, {breakGlass("auditor"), logiqc.Forbidden, 1},
		{breakGlass("sso"), logiqc.SSOAccount, 1}, {breakGlass("nobody"), logiqc.NotFound, 0},
		{untyped, logiqc.ConfirmationRequired, 0}, {wrong, logiqc.ConfirmationRequired, 0}, {stale, logiqc.Conflict, 0}, {dry, "", 0},
	} {
		before := len(d.events(t, helen, ""))
		res, err := d.Recover(t.Context(), system, c.r)
		if err == nil && res.Err != nil {
			err = res.Err
		}
		if code := logiqc.AsError(err); c.code == "" && err != nil || c.code != "" && (code == nil || code.Code != c.code) || res.Changed || res.EnrolmentCode != nil {
			t.Errorf("%d: %v, %+v", i, err, res)
		}
		after := d.events(t, helen, "")
		if len(after)-before != c.events || c.events > 0 && (after[0].Action != logiqc.MFARecovered || after[0].Code != c.code) {
			t.Errorf("%d: %d events", i, len(after)-before)
		}
	}
	if _, err := d.Recover(t.Context(), helen.Actor(), breakGlass("helen")); !errors.Is(err, logiqc.Forbidden) {
		t.Errorf("by somebody who is signed in: %v", err)
	}
	d.Check(t)
}

func (d *desk) events(t *testing.T, by logiqc.Service, action logiqc.Action) []logiqc.Event {
	t.Helper()
	q := logiqc.EventQuery{}
	if action != "" {
		q.Actions = []logiqc.Action{action}
	}
	page, err := by.Events(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return page.Events
}

// A frozen store takes no recovery; whoever could run one can thaw it, without
// a sign-in.
func TestRecoverWhileFrozen(t *testing.T) {
	d := openDesk(t)
	d.people(t)
	freeze := given
	freeze.Reason = "INC-9001"
	if _, err := d.Freeze(t.Context(), system, freeze); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Recover(t.Context(), system, breakGlass("helen")); !errors.Is(err, logiqc.Frozen) {
		t.Errorf("while frozen: %v", err)
	}
	if _, err := d.Thaw(t.Context(), system, given, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Recover(t.Context(), system, breakGlass("helen")); err != nil {
		t.Errorf("thawed: %v", err)
	}
	d.Check(t)
}

// The keys have to be there, whole, and this store's.
func TestRecoverNeedsItsKeys(t *testing.T) {
	d := openDesk(t)
	d.people(t)
	other := filepath.Join(t.TempDir(), "other")
	if _, _, err := service.CreateKeys(other, "logiqc/test/store-2"); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(filepath.Dir(d.path), "keys", "store-1")
	half := filepath.Join(t.TempDir(), "half") // it signs, and cannot unseal
	if err := os.CopyFS(half, os.DirFS(own)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(half, "seal.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(half, 0o700); err != nil {
		t.Fatal(err)
	}
	attempt := func(dir string) error {
		s, err := store.Open(d.path, store.Options{Now: d.Now})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		desk := service.New(s, func(string) (service.Keys, error) { return service.KeysIn(dir), nil })
		_, err = desk.Recover(t.Context(), system, breakGlass("helen"))
		return err
	}
	refused := func(when string) {
		t.Helper()
		for name, dir := range map[string]string{"none": filepath.Join(t.TempDir(), "none"), "another's": other, "half": half} {
			code := logiqc.Unavailable
			if name == "another's" { // beside which is a checkpoint of another log
				code = logiqc.Integrity
			}
			if err := attempt(dir); !errors.Is(err, code) {
				t.Errorf("%s, keys %s: %v", when, name, err)
			}
		}
	}
	refused("new")
	if _, err := d.enters(t, "helen", "", ""); err != nil {
		t.Fatal(err)
	}
	refused("with a secret")
	if _, err := d.Checkpoint(t.Context(), system); err != nil {
		t.Fatal(err)
	}
	refused("with a checkpoint")
	if err := attempt(own); err != nil {
		t.Errorf("its own keys: %v", err)
	}
}

// Every operator is told of every recovery once, at the next sign-in, however
// many there were; users are not, and an application is no place to tell it.
func TestRecoveryIsTold(t *testing.T) {
	d := openDesk(t)
	helen := d.people(t, logiqc.RoleUser, logiqc.RoleHelpdesk, logiqc.RoleAuditor, logiqc.RoleAdmin)
	off := logiqc.Enforcement{}
	off.Given = true
	if _, err := helen.Enforce(t.Context(), off); err != nil { // the password is enough
		t.Fatal(err)
	}
	told := func(who, app string) string {
		t.Helper()
		at, err := d.enters(t, who, app, "")
		if err != nil || at.Stage != logiqc.StageSignedIn {
			t.Fatalf("%s: %+v, %v", who, at, err)
		}
		return at.Notice
	}
	var last logiqc.ResetResult
	for range 2 {
		d.Advance(time.Minute)
		var err error
		if last, err = d.Recover(t.Context(), system, breakGlass("helen")); err != nil {
			t.Fatal(err)
		}
	}
	if n := told("user", ""); n != "" {
		t.Errorf("a user is told %q", n)
	}
	if n := told("admin", "intranet"); n != "" {
		t.Errorf("an application is told %q", n)
	}
	for who, hint := range map[string]string{"helpdesk": "ask an administrator", "auditor": "look: logiqc audit show ", "admin": "look: logiqc audit show "} {
		n := told(who, "")
		first, second, _ := strings.Cut(n, "\n")
		if !strings.Contains(first, "Break-glass recovery of helen by root (sudo by ben) on desk-3 at 23 Nov 2026 09:01 UTC: "+hint) ||
			!strings.Contains(second, "09:02 UTC") || !strings.Contains(second, fmt.Sprint(last.Audit.Seq)) {
			t.Errorf("%s is told %q", who, n)
		}
		if n := told(who, ""); n != "" {
			t.Errorf("%s is told again: %q", who, n)
		}
	}
	for range 7 {
		if _, err := d.Recover(t.Context(), system, breakGlass("helen")); err != nil {
			t.Fatal(err)
		}
	}
	if n := told("auditor", ""); strings.Count(n, "Break-glass recovery of helen") != 5 || !strings.Contains(n, "--action mfa.recovered") {
		t.Errorf("seven more: %q", n)
	}
	d.Check(t)
}

// An operator who is made after it has nothing to be told.
func TestRecoveryBeforeMyTime(t *testing.T) {
	d := openDesk(t)
	d.people(t)
	res, err := d.Recover(t.Context(), system, breakGlass("helen"))
	if err != nil {
		t.Fatal(err)
	}
	d.Advance(time.Minute)
	at, err := d.enters(t, "helen", "", res.EnrolmentCode.Code)
	if err != nil || !strings.Contains(at.Notice, "Break-glass recovery of helen") {
		t.Fatalf("%q, %v", at.Notice, err)
	}
	d.init = at.Token
	d.people(t, logiqc.RoleAdmin)
	if at, err = d.enters(t, "admin", "", ""); err != nil || at.Notice != "" {
		t.Errorf("%q, %v", at.Notice, err)
	}
}
