package servicetest

import (
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Accounts are added, edited, found, and never lose the last admin.
func testUsers(t *testing.T, w *World) {
	ctx := w.ctx()
	for what, n := range map[string]logiqc.NewUser{
		"no username": {Email: "a@b"}, "no email": {Username: "x"}, "bad username": {Username: "a b", Email: "a@b"},
		"long name": {Username: "x", Email: "a@b", Name: strings.Repeat("n", 201)}, "NUL": {Username: "x", Email: "a@b", Name: "a\x00"},
		"short password": {Username: "x", Email: "a@b", Password: "short"}, "bad status": {Username: "x", Email: "a@b", Status: "gone"},
		"sso with a password": {Username: "x", Email: "a@b", Auth: logiqc.BySSO, Password: Password},
	} {
		_, err := w.Helen.AddUser(ctx, n)
		want(t, what, err, logiqc.Invalid)
	}
	w.add("jlee", func(n *logiqc.NewUser) { n.Name = "Jordan Lée"; n.Email = "JLee@example.org" })
	for what, n := range map[string]logiqc.NewUser{
		"username taken": {Username: "JLEE", Email: "other@b"}, "email taken": {Username: "other", Email: "jlee@EXAMPLE.org"},
	} {
		_, err := w.Helen.AddUser(ctx, n)
		want(t, what, err, logiqc.Exists)
	}
	for _, ref := range []string{"jlee", "JLEE", "jlee@EXAMPLE.org", w.get("jlee").ID} {
		if a := w.get(ref); a.Username != "jlee" {
			t.Errorf("%s is %s", ref, a.Username)
		}
	}
	_, err := w.Helen.GetUser(ctx, "jle")
	want(t, "a part of a name is no <user>", err, logiqc.NotFound)
	if m := logiqc.AsError(err).Matches; len(m) == 0 || m[0] != "jlee" {
		t.Errorf("did you mean %v", m)
	}
	for text, n := range map[string]int{"lee": 1, "JORDAN": 1, "lee jor": 1, "j": 1, "zzz": 0, "": 2, "example": 2, "%": 0, "'": 0} {
		page, err := w.Helen.FindUsers(ctx, logiqc.UserQuery{Text: text})
		if err != nil || len(page.Accounts) != n {
			t.Errorf("find %q: %d, %v", text, len(page.Accounts), err)
		}
	}
	w.editUser(t)

	admin, user := logiqc.RoleAdmin, logiqc.RoleUser
	_, err = w.Helen.EditUser(ctx, logiqc.UserEdit{User: "helen", Role: &user})
	want(t, "demote the last admin", err, logiqc.LastAdmin)
	want(t, "deactivate the last admin", w.change(w.Helen, logiqc.Deactivate, "helen"), logiqc.LastAdmin)
	if _, err = w.Helen.EditUser(ctx, logiqc.UserEdit{User: "jlee", Role: &admin}); err != nil {
		t.Fatal(err)
	}
	want(t, "one of two", w.change(w.Helen, logiqc.Deactivate, "jlee"), "")
	want(t, "the last active one", w.change(w.Helen, logiqc.Deactivate, "helen"), logiqc.LastAdmin)
}

func (w *World) editUser(t *testing.T) {
	w.Advance(time.Hour)
	email, phone, yes := "new@example.org", "+61", true
	r := logiqc.UserEdit{User: "jlee", Email: &email, Phone: &phone, Protected: &yes}
	r.DryRun = true
	size := w.size()
	out, err := w.Helen.EditUser(w.ctx(), r)
	if err != nil || out.Changed || w.size() != size || w.get("jlee").Email == email {
		t.Errorf("dry run: %+v, %v", out, err)
	}
	r.DryRun = false
	if out, err = w.Helen.EditUser(w.ctx(), r); err != nil || !out.Changed {
		t.Fatal(err)
	}
	a := w.get("jlee")
	if a.Email != email || a.Phone != phone || !a.Protected || a.ContactChangedAt != logiqc.At(w.Now()) || a.ContactChangedBy != "helen" {
		t.Errorf("got %+v", a)
	}
	e := w.events("jlee", 2)
	if e[0].Action != logiqc.UserProtected || e[1].Action != logiqc.UserUpdated || len(e[1].Details.Changes) != 2 ||
		e[1].Details.Changes[0] != (logiqc.Change{Field: "email", From: "JLee@example.org", To: email}) {
		t.Errorf("got %+v", e)
	}
	if out, err = w.Helen.EditUser(w.ctx(), r); err != nil || out.Changed {
		t.Errorf("the same again: %+v, %v", out, err)
	}
	taken := "helen@example.org"
	_, err = w.Helen.EditUser(w.ctx(), logiqc.UserEdit{User: "jlee", Email: &taken})
	want(t, "somebody else's email", err, logiqc.Exists)
}

// The toggle and the organisation's enforcement (product.md R7, R8, R9).
func testToggle(t *testing.T, w *World) {
	w.add("ann")
	w.add("bob")
	w.add("sam", func(n *logiqc.NewUser) { n.Auth = logiqc.BySSO })
	w.enrol("ann")
	want(t, "disable under enforcement", w.change(w.Helen, logiqc.DisableMFA, "ann"), logiqc.Enforced)
	want(t, "disable for SSO", w.change(w.Helen, logiqc.DisableMFA, "sam"), logiqc.SSOAccount)
	want(t, "enable for SSO", w.change(w.Helen, logiqc.EnableMFA, "sam"), logiqc.SSOAccount)
	if a := w.get("bob"); !bool(a.MFA.Toggle) || bool(a.MFA.ToggleOwn) || !a.MFA.ToggleLocked || a.MFA.RequiredBy != "organisation" {
		t.Errorf("enforced: %+v", a.MFA)
	}
	out, err := w.Helen.Enforce(w.ctx(), logiqc.Enforcement{})
	want(t, "enforce without consent", err, logiqc.ConfirmationRequired)
	if out.Changed {
		t.Error("changed")
	}
	w.off()
	if a := w.get("ann"); !a.MFA.Required || a.MFA.RequiredBy != "account" {
		t.Errorf("turning enforcement off took the factor from ann: %+v", a.MFA)
	}
	if at, _ := w.start("ann", Password); at.Stage != logiqc.StageCode {
		t.Errorf("ann is at %s", at.Stage)
	}
	if at, _ := w.start("bob", Password); at.Stage != logiqc.StageSignedIn {
		t.Errorf("bob is at %s", at.Stage)
	}
	want(t, "disable", w.change(w.Helen, logiqc.DisableMFA, "ann"), "")
	if a := w.get("ann"); a.MFA.Required || a.MFA.State != logiqc.EnrolmentEnrolled {
		t.Errorf("disable keeps the enrolment: %+v", a.MFA)
	}
	if at, _ := w.start("ann", Password); at.Stage != logiqc.StageSignedIn {
		t.Errorf("ann is at %s", at.Stage)
	}
	want(t, "enable", w.change(w.Helen, logiqc.EnableMFA, "bob"), "")
	if at, _ := w.start("bob", Password); at.Stage != logiqc.StageEnrol {
		t.Errorf("bob is at %s", at.Stage)
	}
	res, err := w.Helen.ChangeUsers(w.ctx(), logiqc.UserChange{Verb: logiqc.EnableMFA, Users: []string{"ann", "bob"}})
	if err != nil || !res[0].Err.Is(logiqc.ConfirmationRequired) || res[1].Err != nil {
		t.Errorf("a preview: %+v, %v", res, err)
	}
	on, err := w.Helen.Enforce(w.ctx(), logiqc.Enforcement{Request: given(), On: true})
	if err != nil || !on.Changed || on.Figures.Required != 3 || on.Figures.SSO != 1 || on.Figures.Enrolled != 1 {
		t.Errorf("%+v, %v", on, err)
	}
	if on, err = w.Helen.Enforce(w.ctx(), logiqc.Enforcement{Request: given(), On: true}); err != nil || on.Changed {
		t.Errorf("again: %+v, %v", on, err)
	}
}

// Who sees which events, and by which filters.
func testEvents(t *testing.T, w *World) {
	w.off()
	w.add("ann")
	w.add("priya", role(logiqc.RoleHelpdesk))
	w.add("cfo", func(n *logiqc.NewUser) { n.Protected = true }) // not for the desk to see
	w.change(w.Helen, logiqc.EnableMFA, "ann")                   //nolint:errcheck // an event about ann
	w.change(w.Helen, logiqc.DisableMFA, "ann")                  //nolint:errcheck // another
	at, err := w.start("priya", Password)
	if err != nil {
		t.Fatal(err)
	}
	priya := w.as(at.Token)
	list := func(s logiqc.Service, q logiqc.EventQuery) []logiqc.Event {
		t.Helper()
		page, err := s.Events(w.ctx(), q)
		if err != nil {
			t.Fatal(err)
		}
		return page.Events
	}
	all := list(w.Helen, logiqc.EventQuery{})
	if int64(len(all)) != w.size() {
		t.Fatalf("%d of %d events", len(all), w.size())
	}
	for i, e := range all {
		if e.Seq != w.size()-1-int64(i) {
			t.Errorf("event %d stands at %d", e.Seq, i)
		}
	}
	for _, e := range list(priya, logiqc.EventQuery{}) {
		if e.Target.Username != "ann" {
			t.Errorf("the desk sees an event about %q", e.Target.Username)
		}
	}
	if n := len(list(priya, logiqc.EventQuery{})); n != 3 {
		t.Errorf("the desk sees %d events about ann", n)
	}
	_, err = priya.EventAt(w.ctx(), 0)
	want(t, "an event it may not see", err, logiqc.NotFound)
	_, err = w.Helen.EventAt(w.ctx(), w.size())
	want(t, "an event to come", err, logiqc.NotFound)
	w.eventFilters(t, list)
	ann, err := w.start("ann", Password)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list(w.as(ann.Token), logiqc.EventQuery{}) {
		if e.Target.Username != "ann" {
			t.Errorf("ann sees an event about %q", e.Target.Username)
		}
	}
	w.Advance(91 * 24 * time.Hour)
	priya = w.as(w.again("priya"))
	if n := len(list(priya, logiqc.EventQuery{})); n != 0 {
		t.Errorf("the desk sees %d events of 91 days ago", n)
	}
}

func (w *World) eventFilters(t *testing.T, list func(logiqc.Service, logiqc.EventQuery) []logiqc.Event) {
	t.Helper()
	for what, c := range map[string]struct {
		q logiqc.EventQuery
		n int
	}{
		"about or by": {logiqc.EventQuery{User: "PRIYA"}, 2}, "target": {logiqc.EventQuery{Target: "ann"}, 3},
		"actor":  {logiqc.EventQuery{Actor: "helen", Target: "ann"}, 3},
		"action": {logiqc.EventQuery{Actions: []logiqc.Action{logiqc.MFAEnabled, logiqc.MFADisabled}}, 2},
		"denied": {logiqc.EventQuery{Outcome: logiqc.Denied}, 0}, "until": {logiqc.EventQuery{Until: 1}, 0},
		"since": {logiqc.EventQuery{Since: 1, Target: "ann"}, 3}, "limit": {logiqc.EventQuery{Limit: 2}, 2},
		"nobody": {logiqc.EventQuery{User: "nobody"}, 0},
	} {
		if n := len(list(w.Helen, c.q)); n != c.n {
			t.Errorf("%s: %d events, want %d", what, n, c.n)
		}
	}
}
