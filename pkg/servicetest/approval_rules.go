package servicetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// operator is an actor of the table of approvals.
type operator struct {
	logiqc.Service
	account string
	role    logiqc.Role
	token   bool
}

// subject is an account of that table; self stands for the operator's own.
type subject struct {
	name       string
	privileged bool
	sso        bool
}

const self = "self"

func (o operator) is(s subject) bool { return s.name == self || s.name == o.account }

// Who may do what to whom under which policy: product.md R1, line by line and
// written a second time. What is refused is one event with its code; what is
// not is only looked at.
func testApprovalTable(t *testing.T, w *World) {
	w.off()
	operators, subjects := w.table()
	asked, own := map[string]string{}, map[string]string{} // requests of helen, and of each operator, by subject
	var toms string                                        // not of who the tokens act for
	hold := func(r *logiqc.Reset) { r.Hold = true }        // something to do for those who are not enrolled
	for _, s := range subjects {
		if s.name != self && !s.sso {
			asked[s.name] = w.asked(w.Helen, s.name, hold).ID
		}
	}
	for _, o := range operators {
		if o.account != "helen" {
			asked[o.account] = w.asked(w.Helen, o.account, hold).ID
		}
		if o.role == logiqc.RoleHelpdesk || o.role == logiqc.RoleAdmin {
			own[o.Actor().Name] = w.asked(o, "ann", hold).ID
		}
		if o.account == "tom" {
			toms = own[o.Actor().Name]
		}
	}
	for _, p := range []logiqc.Policy{
		{Approval: logiqc.ApproveNone, Approvers: logiqc.RoleAdmin}, {Approval: logiqc.ApprovePrivileged, Approvers: logiqc.RoleHelpdesk},
		{Approval: logiqc.ApproveAll, Approvers: logiqc.RoleAdmin},
	} {
		w.policy(logiqc.Setting{Key: logiqc.KeyApproval, Value: string(p.Approval)}, logiqc.Setting{Key: logiqc.KeyApprovers, Value: string(p.Approvers)})
		for _, o := range operators {
			for _, s := range subjects {
				w.tableRow(t, o, s, p, asked)
			}
			if id := own[o.Actor().Name]; id != "" {
				w.tableCell(t, fmt.Sprintf("%s approves their own, %s", o.Actor().Name, p.Approvers), logiqc.Forbidden, o, func(r logiqc.Request) error {
					return w.decideUnder(o, r, id, true)
				})
			}
			if o.token {
				w.tableCell(t, o.Actor().Name+" approves what tom asked for", logiqc.Forbidden, o, func(r logiqc.Request) error {
					return w.decideUnder(o, r, toms, true)
				})
			}
		}
	}
}

// table makes the operators and subjects.
func (w *World) table() (operators []operator, subjects []subject) {
	for name, r := range map[string]logiqc.Role{"plain": logiqc.RoleUser, "priya": logiqc.RoleHelpdesk, "ines": logiqc.RoleAuditor, "tom": logiqc.RoleAdmin} {
		w.add(name, role(r))
		operators = append(operators, operator{w.as(w.again(name)), name, r, false})
	}
	for name, r := range map[string]logiqc.Role{"desk": logiqc.RoleHelpdesk, "nightly": logiqc.RoleAdmin} {
		_, secret, err := w.Helen.CreateToken(w.ctx(), logiqc.NewToken{Name: name, Role: r})
		if err != nil {
			w.t.Fatal(err)
		}
		operators = append(operators, operator{w.as(secret), "helen", r, true})
	}
	w.add("ann")
	w.add("cfo", func(n *logiqc.NewUser) { n.Protected = true })
	w.add("sam", func(n *logiqc.NewUser) { n.Auth = logiqc.BySSO })
	subjects = []subject{{"ann", false, false}, {"cfo", true, false}, {"sam", false, true}, {self, false, false}}
	for _, r := range []logiqc.Role{logiqc.RoleHelpdesk, logiqc.RoleAuditor, logiqc.RoleAdmin} {
		w.add("a"+string(r), role(r))
		subjects = append(subjects, subject{"a" + string(r), true, false})
	}
	return operators, subjects
}

// tableRow tries every command of one operator on one account.
func (w *World) tableRow(t *testing.T, o operator, s subject, p logiqc.Policy, asked map[string]string) {
	target := s.name
	if target == self {
		target = o.account
		s.privileged = o.role != logiqc.RoleUser
	}
	at := func(command string) string {
		return fmt.Sprintf("%s %s %s, approval %s by %s", o.Actor().Name, command, s.name, p.Approval, p.Approvers)
	}
	for command, typed := range map[string]string{"resets": "", "types and resets": target} {
		w.tableCell(t, at(command), mayReset(o, s, p, typed != ""), o, func(r logiqc.Request) error {
			r.Typed = typed
			return w.resetUnder(o, r, target)
		})
	}
	w.tableCell(t, at("asks for"), mayAsk(o, s), o, func(r logiqc.Request) error {
		results, err := o.RequestReset(w.ctx(), logiqc.Reset{Request: r, Hold: true, Users: []logiqc.ResetTarget{{User: target}}})
		if err == nil {
			err = errOf(results[0].Err)
		}
		return err
	})
	id := asked[target]
	if id == "" {
		return
	}
	for _, approve := range []bool{true, false} {
		w.tableCell(t, at(map[bool]string{true: "approves", false: "rejects"}[approve]), mayDecide(o, s, p), o, func(r logiqc.Request) error {
			return w.decideUnder(o, r, id, approve)
		})
	}
}

// tableCell does something that is refused with the code and one event, or that
// is let through as a dry run.
func (w *World) tableCell(t *testing.T, what string, code logiqc.Code, o operator, do func(logiqc.Request) error) {
	t.Helper()
	size := w.size()
	r := given()
	r.DryRun = code == ""
	want(t, what, do(r), code)
	page, err := w.Helen.Events(w.ctx(), logiqc.EventQuery{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	e, n := page.Events[0], page.Events[0].Seq+1-size
	if code == "" && n != 0 || code != "" && (n != 1 || e.Outcome != logiqc.Denied || e.Code != code || e.Actor.ID != o.Actor().ID) {
		t.Errorf("%s is %d events, the last %s %s %s", what, n, e.Action, e.Outcome, e.Code)
	}
}

func (w *World) resetUnder(o operator, r logiqc.Request, target string) error {
	results, err := o.ResetMFA(w.ctx(), logiqc.Reset{Request: r, Hold: true, Users: []logiqc.ResetTarget{{User: target}}})
	if err == nil {
		err = errOf(results[0].Err)
	}
	return err
}

func (w *World) decideUnder(o operator, r logiqc.Request, id string, approve bool) error {
	_, err := o.DecideApproval(w.ctx(), logiqc.Decision{Request: r, ID: id, Approve: approve})
	return err
}

// The rules once more, in the order of the contract.

func mayReset(o operator, s subject, p logiqc.Policy, typed bool) logiqc.Code {
	switch {
	case o.role != logiqc.RoleHelpdesk && o.role != logiqc.RoleAdmin:
		return logiqc.Forbidden
	case o.role == logiqc.RoleHelpdesk && s.privileged:
		return logiqc.Forbidden
	case o.is(s):
		return logiqc.SelfReset
	case s.sso:
		return logiqc.SSOAccount
	case s.privileged && (o.token || !typed):
		return logiqc.Privileged
	case p.Approval == logiqc.ApproveAll || p.Approval == logiqc.ApprovePrivileged && s.privileged:
		return logiqc.ApprovalRequired
	}
	return ""
}

func mayAsk(o operator, s subject) logiqc.Code {
	switch {
	case o.role != logiqc.RoleHelpdesk && o.role != logiqc.RoleAdmin:
		return logiqc.Forbidden
	case o.is(s):
		return logiqc.SelfReset
	case s.sso:
		return logiqc.SSOAccount
	}
	return ""
}

func mayDecide(o operator, s subject, p logiqc.Policy) logiqc.Code {
	switch {
	case o.token || o.role != logiqc.RoleHelpdesk && o.role != logiqc.RoleAdmin:
		return logiqc.Forbidden
	case o.role == logiqc.RoleHelpdesk && (p.Approvers != logiqc.RoleHelpdesk || s.privileged):
		return logiqc.Forbidden
	case o.is(s):
		return logiqc.SelfReset
	}
	return ""
}

// The guards on how many, how soon, and after what (security.md S-37).
func testVelocity(t *testing.T, w *World) {
	w.add("priya", role(logiqc.RoleHelpdesk))
	for _, name := range []string{"ann", "bob", "cat", "dan", "eve"} {
		w.add(name)
	}
	priya := w.signin("priya")
	_, secret, err := w.Helen.CreateToken(w.ctx(), logiqc.NewToken{Name: "nightly", Role: logiqc.RoleHelpdesk})
	if err != nil {
		t.Fatal(err)
	}
	nightly := w.as(secret)
	w.policy(logiqc.Setting{Key: logiqc.KeyMaxPerHour, Value: "2"})
	hold := func(r *logiqc.Reset) { r.Hold = true }
	wantReset := func(what string, by logiqc.Service, user string, code logiqc.Code) {
		t.Helper()
		res := w.reset(by, user, hold)
		want(t, what, errOf(res.Err), code)
		if code != "" && !res.MayRequest {
			t.Errorf("%s: it does not say that approval helps", what)
		}
		w.unlock(user)
	}
	wantReset("the first", w.Helen, "ann", "")
	wantReset("the second, by a token", nightly, "bob", "")
	wantReset("the third", w.Helen, "cat", logiqc.ApprovalRequired)
	w.newest(t, "the third", "cat", logiqc.MFAResetDone, logiqc.Denied, logiqc.ApprovalRequired)
	wantReset("the third, by the token", nightly, "cat", logiqc.ApprovalRequired)
	wantReset("another operator", priya, "cat", "")
	a := w.asked(priya, "dan", hold)
	if _, err := w.decide(w.Helen, a.ID, true); err != nil {
		t.Errorf("beyond it, but approved: %v", err)
	}
	w.unlock("dan")
	w.Advance(time.Hour + time.Second)
	wantReset("an hour later", w.Helen, "dan", "")
	b := w.asked(priya, "eve", hold)
	if _, err := w.decide(w.Helen, b.ID, true); err != nil {
		t.Fatal(err)
	}
	w.unlock("eve")
	// What was approved does not count: one more goes through, in a run, and no two.
	run := logiqc.Reset{Request: given(), Hold: true, Users: []logiqc.ResetTarget{{User: "ann"}, {User: "bob"}, {User: "cat"}}}
	run.DryRun = true
	for range 2 {
		results, err := w.Helen.ResetMFA(w.ctx(), run)
		if err != nil || results[0].Err != nil || !is(results[1].Err, logiqc.ApprovalRequired) || !is(results[2].Err, logiqc.ApprovalRequired) {
			t.Errorf("a run, dry %t: %+v, %v", run.DryRun, results, err)
		}
		run.DryRun = false
	}
	w.tooSoon(t, wantReset)
}

// tooSoon: the guards on the same user again, and after the contact changed.
func (w *World) tooSoon(t *testing.T, wantReset func(what string, by logiqc.Service, user string, code logiqc.Code)) {
	t.Helper()
	w.policy(logiqc.Setting{Key: logiqc.KeyMaxPerHour, Value: "0"}, logiqc.Setting{Key: logiqc.KeySameUser, Value: "24"},
		logiqc.Setting{Key: logiqc.KeyContact, Value: "2"})
	w.Advance(24*time.Hour - 5*time.Minute) // helen signs in again meanwhile
	wantReset("the same user within the time", w.Helen, "ann", logiqc.ApprovalRequired)
	w.Advance(5 * time.Minute)
	wantReset("the same user after it", w.Helen, "ann", "")
	phone := "1"
	if _, err := w.Helen.EditUser(w.ctx(), logiqc.UserEdit{User: "bob", Phone: &phone}); err != nil {
		t.Fatal(err)
	}
	w.Advance(2*time.Hour - time.Second)
	wantReset("soon after the contact changed", w.Helen, "bob", logiqc.ApprovalRequired)
	w.Advance(time.Second)
	wantReset("later", w.Helen, "bob", "")
}

// What matters most takes a sign-in that is not old; a token has none (security.md
// S-40).
func testStepUp(t *testing.T, w *World) {
	for _, name := range []string{"ann", "bob"} {
		w.add(name)
	}
	w.add("priya", role(logiqc.RoleHelpdesk))
	priya := w.signin("priya")
	_, secret, err := w.Helen.CreateToken(w.ctx(), logiqc.NewToken{Name: "nightly", Role: logiqc.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	w.policy(logiqc.Setting{Key: logiqc.KeyStepUp, Value: "10"})
	hold := func(r *logiqc.Reset) { r.Hold = true }
	a := w.asked(priya, "bob", hold)
	commands := w.stepUpCalls(a.ID)
	nightly := w.as(secret)
	for name, do := range commands {
		if name != "approve" {
			want(t, "a token: "+name, do(nightly), logiqc.CodeRequired)
		}
	}
	w.Helen = w.signin("helen")
	helen := w.Helen
	w.Desk.Advance(10*time.Minute + time.Second)
	for name, do := range commands {
		size := w.size()
		want(t, "an old sign-in: "+name, do(helen), logiqc.CodeRequired)
		page, _ := w.Helen.Events(w.ctx(), logiqc.EventQuery{Limit: 1})
		if e := page.Events[0]; e.Seq != size || e.Outcome != logiqc.Denied || e.Code != logiqc.CodeRequired {
			t.Errorf("%s is in the log as %+v", name, e)
		}
	}
	phone := "1"
	if _, err := helen.EditUser(w.ctx(), logiqc.UserEdit{User: "ann", Phone: &phone}); err != nil {
		t.Errorf("an edit that changes no role: %v", err)
	}
	b := w.asked(helen, "ann", hold)
	boss := logiqc.Decision{Request: given(), ID: b.ID}
	w.add("tom", func(n *logiqc.NewUser) { n.Role = logiqc.RoleUser })
	w.Helen = w.signin("helen")
	want(t, "a fresh one makes an admin", w.edit("tom", logiqc.RoleAdmin), "")
	tom := w.signin("tom")
	w.Desk.Advance(11 * time.Minute)
	if _, err := tom.DecideApproval(w.ctx(), boss); err != nil {
		t.Errorf("rejecting takes none: %v", err)
	}
	w.Helen = w.signin("helen")
	for _, name := range []string{"approve", "reset", "role change", "new auditor", "import", "import over one"} {
		want(t, "a fresh sign-in: "+name, commands[name](w.Helen), "")
	}
	w.policy(logiqc.Setting{Key: logiqc.KeyStepUp, Value: "0"})
}

// stepUpCalls are what wants a fresh sign-in; id is a request for approval.
func (w *World) stepUpCalls(id string) map[string]func(s logiqc.Service) error {
	hold := func(r *logiqc.Reset) { r.Hold = true }
	r := logiqc.RoleAuditor
	return map[string]func(s logiqc.Service) error{
		"reset": func(s logiqc.Service) error { return errOf(w.reset(s, "ann", hold).Err) },
		"run": func(s logiqc.Service) error {
			_, err := s.ResetMFA(w.ctx(), logiqc.Reset{Request: given(), Hold: true, Users: []logiqc.ResetTarget{{User: "ann"}, {User: "bob"}}})
			return err
		},
		"role change": func(s logiqc.Service) error {
			_, err := s.EditUser(w.ctx(), logiqc.UserEdit{User: "ann", Role: &r})
			return err
		},
		"new auditor": func(s logiqc.Service) error {
			_, err := s.AddUser(w.ctx(), logiqc.NewUser{Username: "new", Email: "new@x", Role: r})
			return err
		},
		"import": func(s logiqc.Service) error {
			row := logiqc.ImportRow{Row: 1, Fields: []string{"username", "email", "role"}, Username: "imp", Email: "imp@x", Role: r}
			_, err := s.ImportUsers(w.ctx(), logiqc.Import{Request: given(), OnExisting: logiqc.ExistingFail,
				Rows: func(yield func(logiqc.ImportRow, error) bool) { yield(row, nil) }})
			return err
		},
		"import over one": func(s logiqc.Service) error {
			row := logiqc.ImportRow{Row: 1, Fields: []string{"username", "email", "role"}, Username: "bob", Email: "bob@example.org", Role: r}
			_, err := s.ImportUsers(w.ctx(), logiqc.Import{Request: given(), OnExisting: logiqc.ExistingUpdate,
				Rows: func(yield func(logiqc.ImportRow, error) bool) { yield(row, nil) }})
			return err
		},
		"approve": func(s logiqc.Service) error { _, err := w.decide(s, id, true); return err },
	}
}
