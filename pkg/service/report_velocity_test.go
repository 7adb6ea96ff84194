package service

import (
	"strconv"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// approved is a reset that somebody asked for and another approved.
func (s *story) approved(asked, by, about string) int64 {
	s.event(logiqc.MFARequested, asked, about, logiqc.Details{Approval: "a", RequestedBy: asked})
	s.event(logiqc.MFAApproved, by, about, logiqc.Details{Approval: "a", RequestedBy: asked})
	return s.event(logiqc.MFAResetDone, by, about, logiqc.Details{Approval: "a", RequestedBy: asked})
}

// Who approved resets of privileged accounts; a password that the requester set
// counts as theirs who wanted the reset.
func TestFindsWhoApproved(t *testing.T) {
	s := newStory(t, 0)
	s.account("boss", func(a *logiqc.Snapshot) { a.Protected = true })
	alone := s.reset("tom", "boss")
	set := s.event(logiqc.UserPasswordSet, "priya", "boss", logiqc.Details{})
	two := s.approved("priya", "tom", "boss")
	s.want(PrivilegedReset, [2]int64{alone, -1}, [2]int64{two, -1})
	s.want(PasswordAndReset, [2]int64{two, set})
	for _, f := range s.r.Report().LookAt {
		if f.Kind != PrivilegedReset {
			continue
		}
		if c := f.Cases[1]; c.What != "protected account, asked for by priya, approved by tom" || c.By != "tom" || c.RequestedBy != "priya" {
			t.Errorf("told as %+v", c)
		}
		if c := f.Cases[0]; c.RequestedBy != "" {
			t.Errorf("told as %+v", c)
		}
	}
}

func TestFindsRepeatsWithinDay(t *testing.T) {
	s := newStory(t, 0)
	s.account("jlee", nil)
	one := s.reset("tom", "jlee")
	two := s.reset("priya", "jlee")
	s.wait(23 * time.Hour)
	three := s.reset("tom", "jlee")
	s.wait(24 * time.Hour)
	four := s.reset("tom", "jlee")
	s.want(RepeatedWithinDay, [2]int64{two, one}, [2]int64{three, two})
	s.want(RepeatedResets, [2]int64{two, one}, [2]int64{three, two}, [2]int64{four, three})
}

// More resets of one operator in an hour than the policy allows, or than is
// usual, are one case; those that a second operator asked for do not count.
func TestFindsManyInAnHour(t *testing.T) {
	s := newStory(t, 0)
	minute := func(n int, by string) (first int64) {
		for i := range n {
			seq := s.reset(by, "u"+strconv.Itoa(i))
			s.now = s.now.Add(time.Minute - time.Hour)
			if i == 0 {
				first = seq
			}
		}
		return first
	}
	for i := range 40 {
		s.account("u"+strconv.Itoa(i), nil)
	}
	minute(30, "tom")
	s.want(ManyInAnHour)
	s.wait(time.Hour)
	many := minute(35, "tom") + 30
	s.wait(time.Hour)
	s.event(logiqc.PolicyChanged, "helen", "", logiqc.Details{Changes: []logiqc.Change{{Field: logiqc.KeyMaxPerHour, From: "0", To: "2"}}})
	two := minute(2, "tom")
	s.approved("priya", "tom", "u1")
	s.now = s.now.Add(-3 * time.Hour)
	s.reset("priya", "u2")
	s.now = s.now.Add(-time.Hour)
	third := s.reset("tom", "u3")
	s.want(ManyInAnHour, [2]int64{many, -1}, [2]int64{third, -1})
	for _, f := range s.r.Report().LookAt {
		if f.Kind == ManyInAnHour && (f.Cases[0].What != "35 resets by one operator within an hour" || f.Cases[1].What != "3 resets by one operator within an hour") {
			t.Errorf("told as %+v, the second from %d on", f.Cases, two)
		}
	}
}

func TestFindsRefusedForWantOfApproval(t *testing.T) {
	s := newStory(t, 0)
	s.account("jlee", nil)
	denied := logiqc.Event{Seq: s.seq, Body: logiqc.Body{Time: s.now, Action: logiqc.MFAResetDone, Outcome: logiqc.Denied, Code: logiqc.ApprovalRequired,
		Actor: logiqc.EventActor{Kind: logiqc.Person, ID: "tom", Username: "tom"}, Target: logiqc.Target{ID: "jlee", Username: "jlee"}}}
	if err := s.r.Apply(denied); err != nil {
		t.Fatal(err)
	}
	s.want(ApprovalWanted, [2]int64{denied.Seq, -1})
}
