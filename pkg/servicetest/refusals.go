package servicetest

import (
	"fmt"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// refused is one cell of the table: who does what to whom, under which policy.
type refused struct {
	actor  string
	by     logiqc.Actor
	target target
	policy string // "", strict, privileged or all
}

// target is an account as the table knows it.
type target struct {
	name       string
	privileged bool
	sso        bool
	enrolled   bool
}

// The columns of the table: what is done, the event it is, and what product.md
// (R1, R4, R5, R7) and the order of checks in cli.md say of it, written down a
// second time. do gets true where it is to happen only as a dry run.
var refusals = []struct {
	what   string
	action logiqc.Action
	code   func(c refused) logiqc.Code
	do     func(w *World, s logiqc.Service, user string, dry bool) error
}{
	{"reset --yes", logiqc.MFAResetDone, func(c refused) logiqc.Code { return c.reset(false) },
		func(w *World, s logiqc.Service, user string, dry bool) error {
			return errOf(w.reset(s, user, func(r *logiqc.Reset) { r.DryRun = dry }).Err)
		}},
	{"reset, typed", logiqc.MFAResetDone, func(c refused) logiqc.Code { return c.reset(true) },
		func(w *World, s logiqc.Service, user string, dry bool) error {
			return errOf(w.reset(s, user, func(r *logiqc.Reset) { r.Typed, r.DryRun = user, dry }).Err)
		}},
	{"request", logiqc.MFARequested, refused.request, func(w *World, s logiqc.Service, user string, dry bool) error {
		return errOf(w.ask(s, user, func(r *logiqc.Reset) { r.DryRun = dry }).Err)
	}},
	{"unlock", logiqc.UserUnlocked, func(c refused) logiqc.Code { return c.touch(logiqc.Forbidden, false) },
		func(w *World, s logiqc.Service, user string, dry bool) error {
			return w.changeDry(s, logiqc.Unlock, user, dry)
		}},
	{"verify", logiqc.MFACodeVerified, refused.verify, func(w *World, s logiqc.Service, user string, dry bool) error {
		if dry {
			return nil // there is no dry run of it
		}
		_, err := s.VerifyCode(w.ctx(), logiqc.CodeCheck{User: user, Code: "123456"})
		return err
	}},
	{"enrolment code", logiqc.EnrolmentCodeIssued, refused.code, func(w *World, s logiqc.Service, user string, dry bool) error {
		r := logiqc.CodeIssue{User: user}
		r.DryRun = dry
		_, err := s.IssueEnrolmentCode(w.ctx(), r)
		return err
	}},
	{"disable", logiqc.MFADisabled, func(c refused) logiqc.Code { return c.administer(logiqc.SSOAccount, logiqc.Enforced) },
		func(w *World, s logiqc.Service, user string, dry bool) error {
			return w.changeDry(s, logiqc.DisableMFA, user, dry)
		}},
	{"enable", logiqc.MFAEnabled, func(c refused) logiqc.Code { return c.administer(logiqc.SSOAccount, "") },
		func(w *World, s logiqc.Service, user string, dry bool) error {
			return w.changeDry(s, logiqc.EnableMFA, user, dry)
		}},
	{"change the phone", logiqc.UserUpdated, func(c refused) logiqc.Code { return c.administer("", "") },
		func(w *World, s logiqc.Service, user string, dry bool) error {
			phone := "1"
			r := logiqc.UserEdit{User: user, Phone: &phone}
			r.DryRun = dry
			_, err := s.EditUser(w.ctx(), r)
			return err
		}},
}

func (c refused) self() bool { return c.target.name == c.by.Username }

// touch is what comes before every rule of its own about an account: the role,
// the account, oneself (whose code differs), SSO where it matters.
func (c refused) touch(self logiqc.Code, sso bool) logiqc.Code {
	switch {
	case c.by.Role == logiqc.RoleUser || c.by.Role == logiqc.RoleAuditor:
		return logiqc.Forbidden
	case c.by.Role == logiqc.RoleHelpdesk && c.target.privileged:
		return logiqc.Forbidden
	case c.self():
		return self
	case sso && c.target.sso:
		return logiqc.SSOAccount
	}
	return ""
}

func (c refused) reset(typed bool) logiqc.Code {
	code := c.touch(logiqc.SelfReset, true)
	switch {
	case code != "":
		return code
	case c.target.privileged && (!typed || c.by.Kind != logiqc.Person):
		return logiqc.Privileged
	case c.policy == "all", c.policy == "privileged" && c.target.privileged:
		return logiqc.ApprovalRequired
	case c.policy == "strict":
		return logiqc.PolicyRefused
	}
	return ""
}

func (c refused) request() logiqc.Code {
	switch {
	case c.by.Role == logiqc.RoleUser || c.by.Role == logiqc.RoleAuditor:
		return logiqc.Forbidden
	case c.self():
		return logiqc.SelfReset
	case c.target.sso:
		return logiqc.SSOAccount
	case c.policy == "strict":
		return logiqc.PolicyRefused
	}
	return ""
}

func (c refused) verify() logiqc.Code {
	code := c.touch(logiqc.Forbidden, true)
	if code == "" && !c.target.enrolled {
		return logiqc.EnrolmentRequired
	}
	return code
}

func (c refused) code() logiqc.Code {
	code := c.touch(logiqc.SelfReset, true)
	switch {
	case code != "":
		return code
	case c.target.enrolled:
		return logiqc.AlreadyEnrolled
	case c.policy == "strict":
		return logiqc.PolicyRefused
	}
	return ""
}

// administer is what only administrators do.
func (c refused) administer(sso, other logiqc.Code) logiqc.Code {
	switch {
	case c.by.Role != logiqc.RoleAdmin:
		return logiqc.Forbidden
	case sso != "" && c.target.sso:
		return sso
	}
	return other
}

// changeDry is change, or a dry run of it.
func (w *World) changeDry(s logiqc.Service, v logiqc.Verb, user string, dry bool) error {
	r := logiqc.UserChange{Request: given(), Verb: v, Users: []string{user}}
	r.DryRun = dry
	res, err := s.ChangeUsers(w.ctx(), r)
	if err != nil {
		return err
	}
	return errOf(res[0].Err)
}

// The table of role × role of the account × policy × command: who is refused
// what, with which code, and that each refusal is one event of the action that
// was refused, about the account, with that code (product.md R11). What is
// allowed is only tried as a dry run here.
func testRefusals(t *testing.T, w *World) {
	actors, targets := w.cast()
	for policy, settings := range map[string][]logiqc.Setting{
		"":           nil,
		"strict":     {{Key: logiqc.KeyReason, Value: "required"}},
		"privileged": {{Key: logiqc.KeyReason, Value: "optional"}, {Key: logiqc.KeyApproval, Value: "privileged"}},
		"all":        {{Key: logiqc.KeyReason, Value: "optional"}, {Key: logiqc.KeyApproval, Value: "all"}},
	} {
		if settings != nil {
			w.policy(settings...)
		}
		for actor, s := range actors {
			for _, who := range targets {
				w.cells(t, refused{actor: actor, by: s.Actor(), target: who, policy: policy}, s)
			}
		}
		w.policy(logiqc.Setting{Key: logiqc.KeyReason, Value: "optional"}, logiqc.Setting{Key: logiqc.KeyApproval, Value: "none"})
	}
}

// What else is refused to somebody who may do it is one event as well (product.md
// R11): the account, what is wrong with it, and the action.
func testOtherRefusals(t *testing.T, w *World) {
	w.add("ann")
	w.add("bob")
	w.add("sam", func(n *logiqc.NewUser) { n.Auth = logiqc.BySSO })
	token := logiqc.NewToken{Name: "nightly", Role: logiqc.RoleHelpdesk}
	if _, _, err := w.Helen.CreateToken(w.ctx(), token); err != nil {
		t.Fatal(err)
	}
	w.policy(logiqc.Setting{Key: logiqc.KeyBulkMax, Value: "1"})
	bobs := "bob@example.org"
	for _, c := range []struct {
		what   string
		action logiqc.Action
		target string
		code   logiqc.Code
		do     func() error
	}{
		{"the name of another token", logiqc.TokenCreated, "", logiqc.Exists, func() error {
			_, _, err := w.Helen.CreateToken(w.ctx(), token)
			return err
		}},
		{"the username of another account", logiqc.UserCreated, "", logiqc.Exists, func() error {
			_, err := w.Helen.AddUser(w.ctx(), logiqc.NewUser{Username: "bob", Email: "other@example.org", Password: Password})
			return err
		}},
		{"the email of another account", logiqc.UserUpdated, "ann", logiqc.Exists, func() error {
			_, err := w.Helen.EditUser(w.ctx(), logiqc.UserEdit{User: "ann", Email: &bobs})
			return err
		}},
		{"the last admin a user", logiqc.UserUpdated, "helen", logiqc.LastAdmin, func() error { return w.edit("helen", logiqc.RoleUser) }},
		{"a password where there is none", logiqc.UserPasswordSet, "sam", logiqc.SSOAccount, func() error {
			_, err := w.Helen.SetPassword(w.ctx(), logiqc.PasswordChange{User: "sam", New: "another horse battery"})
			return err
		}},
		{"a run that is too big", logiqc.MFAResetDone, "", logiqc.PolicyRefused, func() error {
			_, err := w.Helen.ResetMFA(w.ctx(), logiqc.Reset{Request: given(), Users: []logiqc.ResetTarget{{User: "ann"}, {User: "bob"}}})
			return err
		}},
	} {
		size := w.size()
		want(t, c.what, c.do(), c.code)
		page, err := w.Helen.Events(w.ctx(), logiqc.EventQuery{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if e := page.Events[0]; e.Seq != size || e.Action != c.action || e.Outcome != logiqc.Denied || e.Code != c.code || e.Target.Username != c.target {
			t.Errorf("%s: %d events, the last %s %s %s of %q", c.what, e.Seq+1-size, e.Action, e.Outcome, e.Code, e.Target.Username)
		}
	}
}

// cast adds one account of each kind, and somebody or something of each kind
// who acts.
func (w *World) cast() (map[string]logiqc.Service, []target) {
	w.t.Helper()
	for name, r := range map[string]logiqc.Role{"plain": logiqc.RoleUser, "desk": logiqc.RoleHelpdesk, "aud": logiqc.RoleAuditor,
		"desk2": logiqc.RoleHelpdesk, "aud2": logiqc.RoleAuditor, "boss": logiqc.RoleAdmin} {
		w.add(name, role(r))
	}
	w.add("ann")
	w.add("new")
	w.add("cfo", func(n *logiqc.NewUser) { n.Protected = true })
	w.add("sam", func(n *logiqc.NewUser) { n.Auth = logiqc.BySSO })
	for _, name := range []string{"ann", "cfo"} {
		w.enrol(name)
	}
	actors := map[string]logiqc.Service{"admin": w.Helen}
	for _, name := range []string{"plain", "desk", "aud"} {
		actors[name] = w.signin(name)
	}
	for _, n := range []logiqc.NewToken{{Name: "desk token", Role: logiqc.RoleHelpdesk}, {Name: "admin token", Role: logiqc.RoleAdmin},
		{Name: "auditor token", Role: logiqc.RoleAuditor}} {
		_, secret, err := w.Helen.CreateToken(w.ctx(), n)
		if err != nil {
			w.t.Fatal(err)
		}
		actors[n.Name] = w.as(secret)
	}
	return actors, []target{
		{name: "ann", enrolled: true}, {name: "new"}, {name: "plain", enrolled: true}, {name: "cfo", privileged: true, enrolled: true},
		{name: "sam", sso: true}, {name: "desk2", privileged: true}, {name: "aud2", privileged: true}, {name: "boss", privileged: true},
		{name: "desk", privileged: true, enrolled: true}, {name: "aud", privileged: true, enrolled: true}, {name: "helen", privileged: true},
	}
}

// cells tries every command.
func (w *World) cells(t *testing.T, c refused, s logiqc.Service) {
	t.Helper()
	for _, r := range refusals {
		if c.policy != "" && r.code(c) == withoutPolicy(r.code, c) {
			continue // the policy has no say in it
		}
		what := fmt.Sprintf("%s: %s of %s, policy %q", c.actor, r.what, c.target.name, c.policy)
		code := r.code(c)
		size := w.size()
		want(t, what, r.do(w, s, c.target.name, code == ""), code)
		if code == "" {
			if n := w.size() - size; n != 0 {
				t.Errorf("%s: a dry run is %d events", what, n)
			}
			continue
		}
		if n := w.size() - size; n != 1 {
			t.Errorf("%s: refused with %d events", what, n)
		}
		w.newest(t, what, c.target.name, r.action, logiqc.Denied, code)
	}
}

// withoutPolicy is what the cell answers without its policy.
func withoutPolicy(code func(refused) logiqc.Code, c refused) logiqc.Code {
	c.policy = ""
	return code(c)
}
