package service

import (
	"reflect"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// story is a log written for a test, one event after another.
type story struct {
	t    *testing.T
	r    *Reporter
	seq  int64
	now  logiqc.Time
	host string
}

var storyBegins = logiqc.At(time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC))

func newStory(t *testing.T, since logiqc.Time) *story {
	return &story{t: t, r: NewReporter(since, 0, time.UTC), now: storyBegins, host: "desk-3"}
}

// event adds one, an hour after the one before.
func (s *story) event(action logiqc.Action, by, about string, d logiqc.Details) int64 {
	s.t.Helper()
	e := logiqc.Event{Seq: s.seq, Body: logiqc.Body{Time: s.now, Action: action, Outcome: logiqc.Success, Details: d,
		Actor: logiqc.EventActor{Kind: logiqc.Person, ID: by, Username: by}, Source: logiqc.EventSource{Host: s.host},
		Target: logiqc.Target{ID: about, Username: about}}}
	if err := s.r.Apply(e); err != nil {
		s.t.Fatal(err)
	}
	s.seq++
	s.now = s.now.Add(time.Hour)
	return e.Seq
}

func (s *story) account(name string, edit func(*logiqc.Snapshot)) {
	a := logiqc.Snapshot{Username: name, Role: logiqc.RoleUser, Status: logiqc.Active, Auth: logiqc.ByPassword}
	if edit != nil {
		edit(&a)
	}
	s.event(logiqc.UserCreated, "helen", name, logiqc.Details{Account: &a})
}

func (s *story) reset(by, about string) int64 {
	return s.event(logiqc.MFAResetDone, by, about, logiqc.Details{})
}

func (s *story) enrolled(about string) int64 {
	return s.event(logiqc.MFAEnrolled, about, about, logiqc.Details{Enrolment: "e"})
}

// wait lets time pass.
func (s *story) wait(d time.Duration) { s.now = s.now.Add(d) }

// found are the cases of a kind, as pairs of event and other event.
func (s *story) found(kind FindingKind) [][2]int64 {
	var pairs [][2]int64
	for _, f := range s.r.Report().LookAt {
		for _, c := range f.Cases {
			if f.Kind == kind {
				pairs = append(pairs, [2]int64{c.Seq, c.Other})
			}
		}
	}
	return pairs
}

func (s *story) want(kind FindingKind, pairs ...[2]int64) {
	s.t.Helper()
	if got := s.found(kind); !reflect.DeepEqual(got, pairs) {
		s.t.Errorf("%s: %v, want %v", kind, got, pairs)
	}
}

func contactChange(field string) logiqc.Details {
	return logiqc.Details{Changes: []logiqc.Change{{Field: field, From: "a", To: "b"}}}
}

func TestFindsPasswordAndReset(t *testing.T) {
	s := newStory(t, 0)
	s.account("jlee", nil)
	first := s.event(logiqc.UserPasswordSet, "tom", "jlee", logiqc.Details{})
	one := s.reset("tom", "jlee")
	s.wait(40 * 24 * time.Hour)
	s.event(logiqc.UserPasswordSet, "tom", "jlee", logiqc.Details{})
	s.reset("priya", "jlee") // another person
	s.wait(40 * 24 * time.Hour)
	s.event(logiqc.UserPasswordSet, "jlee", "jlee", logiqc.Details{}) // one's own
	two := s.reset("tom", "jlee")
	last := s.event(logiqc.UserPasswordSet, "tom", "jlee", logiqc.Details{}) // the other way round
	s.wait(25 * time.Hour)
	s.reset("tom", "jlee") // too late
	s.want(PasswordAndReset, [2]int64{one, first}, [2]int64{two, last})
}

func TestFindsResetAfterContactChange(t *testing.T) {
	s := newStory(t, 0)
	s.account("jlee", nil)
	s.account("mchen", nil)
	s.reset("tom", "jlee") // nothing was changed
	phone := s.event(logiqc.UserUpdated, "tom", "jlee", contactChange("phone"))
	soon := s.reset("priya", "jlee")
	s.event(logiqc.UserUpdated, "tom", "mchen", contactChange("name"))
	s.reset("priya", "mchen") // a name is no contact
	s.event(logiqc.UserUpdated, "tom", "mchen", contactChange("email"))
	s.wait(24 * time.Hour)
	s.reset("priya", "mchen") // a day and an hour later
	s.want(ResetAfterContact, [2]int64{soon, phone})
}

func TestFindsResetsOfPrivileged(t *testing.T) {
	s := newStory(t, 0)
	s.account("jlee", nil)
	s.account("boss", func(a *logiqc.Snapshot) { a.Protected = true })
	s.account("priya", func(a *logiqc.Snapshot) { a.Role = logiqc.RoleHelpdesk })
	s.reset("tom", "jlee")
	one, two := s.reset("tom", "boss"), s.reset("tom", "priya")
	s.event(logiqc.UserUnprotected, "tom", "boss", logiqc.Details{})
	s.reset("tom", "boss")
	s.want(PrivilegedReset, [2]int64{one, -1}, [2]int64{two, -1})
	cases := s.r.Report().LookAt[0].Cases
	if cases[0].What != "protected account, without a second operator" || cases[1].What != "role helpdesk, without a second operator" || cases[0].By != "tom" || cases[0].User != "boss" {
		t.Errorf("told as %+v", cases)
	}
}

func TestFindsBreakGlass(t *testing.T) {
	s := newStory(t, 0)
	s.account("helen", func(a *logiqc.Snapshot) { a.Role = logiqc.RoleAdmin })
	one := s.event(logiqc.MFARecovered, "", "helen", logiqc.Details{SudoUser: "ben"})
	s.want(BreakGlass, [2]int64{one, -1})
	s.want(NeverEnrolledAfter, [2]int64{one, -1})
	if c := s.r.Report().LookAt[0].Cases[0]; c.What != "run by somebody (sudo by ben) on "+s.host {
		t.Errorf("told as %+v", c)
	}
}

func TestFindsEnrolmentFromNewHost(t *testing.T) {
	s := newStory(t, 0)
	for _, name := range []string{"jlee", "mchen", "new"} {
		s.account(name, nil)
	}
	s.host = "ward-3"
	s.event(logiqc.SigninSucceeded, "jlee", "jlee", logiqc.Details{Session: "1"})
	s.event(logiqc.SigninSucceeded, "mchen", "mchen", logiqc.Details{Session: "2"})
	s.reset("tom", "jlee")
	s.enrolled("jlee") // where jlee always is
	bad := s.reset("tom", "mchen")
	s.host = "elsewhere"
	s.event(logiqc.SigninStarted, "mchen", "mchen", logiqc.Details{})
	enrolled := s.enrolled("mchen")
	s.reset("tom", "new")
	s.enrolled("new") // nothing is known of this account
	s.want(NewHostAfterReset, [2]int64{bad, enrolled})
	s.want(NeverEnrolledAfter)
}

func TestFindsResetsNeverFollowed(t *testing.T) {
	s := newStory(t, 0)
	s.account("jlee", nil)
	s.account("mchen", nil)
	s.reset("tom", "jlee")
	lost := s.reset("tom", "mchen")
	s.enrolled("jlee")
	s.want(NeverEnrolledAfter, [2]int64{lost, -1})
}

func TestFindsRepeats(t *testing.T) {
	s := newStory(t, 0)
	s.account("jlee", nil)
	first := s.reset("tom", "jlee")
	s.wait(29 * 24 * time.Hour)
	second := s.reset("tom", "jlee")
	s.wait(30 * 24 * time.Hour)
	s.reset("tom", "jlee")
	s.want(RepeatedResets, [2]int64{second, first})
}

// What happened before the period explains what is in it, and is not counted.
func TestReportOfPeriod(t *testing.T) {
	s := newStory(t, storyBegins.Add(10*time.Hour))
	s.account("jlee", nil)
	phone := s.event(logiqc.UserUpdated, "tom", "jlee", contactChange("phone"))
	s.reset("tom", "jlee")
	s.now = storyBegins.Add(10 * time.Hour)
	in := s.reset("tom", "jlee")
	s.event(logiqc.TokenCreated, "helen", "helen", logiqc.Details{Token: "1", Name: "nightly", Role: logiqc.RoleHelpdesk})
	s.event(logiqc.UserUpdated, "helen", "jlee", logiqc.Details{Changes: []logiqc.Change{{Field: "role", From: "user", To: "admin"}, {Field: "name", From: "", To: "x"}}})
	s.event(logiqc.KeyRotated, "helen", "", logiqc.Details{Keys: "log", Key: "a+1"})
	s.event(logiqc.MFAUnenforced, "helen", "", logiqc.Details{})
	s.wait(48 * time.Hour)
	s.reset("priya", "jlee")
	r := s.r.Report()
	s.want(ResetAfterContact, [2]int64{in, phone})
	if r.Events != 6 || r.Resets.Total != 2 || r.Resets.Operators != 2 || r.Resets.Tokens != 0 || len(r.Resets.PerActor) != 2 {
		t.Errorf("%d events, %+v", r.Events, r.Resets)
	}
	if days := r.Resets.PerDay; len(days) != 4 || days[0] != (DayResets{"2026-07-01", 1}) || days[1].Resets != 0 || days[3].Resets != 1 {
		t.Errorf("by day: %+v", days)
	}
	c := r.Change
	if c.Policy != 1 || c.Roles != 1 || c.TokensMade != 1 || c.TokensRevoked != 0 || c.KeysRotated != 1 || len(c.List) != 4 {
		t.Errorf("changes: %+v", c)
	}
	for i, want := range []string{"helpdesk token nightly", "role user → admin", "a+1", ""} {
		if c.List[i].What != want {
			t.Errorf("change %d is told as %q, want %q", i, c.List[i].What, want)
		}
	}
}

func TestReportCountsReasonsAndRefusals(t *testing.T) {
	s := newStory(t, 0)
	s.account("jlee", nil)
	for _, e := range []logiqc.Body{
		{Reason: "lost", Ticket: "INC1", Outcome: logiqc.Success}, {Reason: "lost", Outcome: logiqc.Success},
		{Ticket: "INC2", Outcome: logiqc.Success}, {Outcome: logiqc.Denied, Code: logiqc.Privileged},
	} {
		e.Time, e.Action, e.Target = s.now, logiqc.MFAResetDone, logiqc.Target{ID: "jlee", Username: "jlee"}
		e.Actor = logiqc.EventActor{Kind: logiqc.Token, ID: "t", Username: "bot", Name: "bot", For: "helen"}
		if err := s.r.Apply(logiqc.Event{Seq: s.seq, Body: e}); err != nil {
			t.Fatal(err)
		}
		s.seq++
	}
	n := s.r.Report().Resets
	if n.Total != 3 || n.Refused != 1 || n.WithReason != 2 || n.WithTicket != 2 || n.Explained != 1 || n.Tokens != 1 || n.Operators != 0 {
		t.Errorf("%+v", n)
	}
	if n.PerActor[0] != (OperatorShare{"bot for helen", logiqc.Token, 3}) {
		t.Errorf("%+v", n.PerActor)
	}
}

// What happened after the clock went back is told with the event, once, and not
// where several servers write within a few seconds of each other.
func TestReportClockWentBack(t *testing.T) {
	s := newStory(t, 0)
	s.account("jlee", nil)
	s.wait(-time.Hour - 3*time.Second)
	s.account("rgold", nil)
	s.wait(-3 * time.Hour)
	back := s.reset("helen", "jlee")
	s.reset("helen", "rgold")
	s.want(ClockWentBack, [2]int64{back, back - 1})
}
