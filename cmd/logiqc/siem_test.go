package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// sighting is a synthetic log, an event an hour.
type sighting struct {
	events []logiqc.Event
	now    time.Time
}

func (s *sighting) add(action logiqc.Action, by, about, source string) int64 {
	e := logiqc.Event{Seq: int64(len(s.events)), Body: logiqc.Body{Time: logiqc.At(s.now), Action: action, Outcome: logiqc.Success,
		Actor:  logiqc.EventActor{Kind: logiqc.Person, ID: "id-" + by, Username: by},
		Source: logiqc.EventSource{Host: "host", IP: source}}}
	if about != "" {
		e.Target = logiqc.Target{ID: "id-" + about, Username: about}
	}
	s.events = append(s.events, e)
	s.now = s.now.Add(time.Hour)
	return e.Seq
}

// takeover runs the rule of docs/siem.md over events as `audit list` writes them.
func takeover(t *testing.T, events []byte) [][]string {
	t.Helper()
	h := &home{t: t, dir: t.TempDir()}
	page := string(h.read(filepath.Join("..", "..", "docs", "siem.md")))
	rule := regexp.MustCompile("(?s)```sql\n(.*?)```").FindStringSubmatch(page)
	if rule == nil {
		t.Fatal("docs/siem.md has no rule")
	}
	h.write(filepath.Join(h.dir, "events.json"), string(events))
	c := exec.CommandContext(t.Context(), "sqlite3", "-separator", "|", ":memory:")
	c.Dir, c.Stdin = h.dir, strings.NewReader(rule[1])
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var rows [][]string
	for line := range strings.Lines(string(out)) {
		rows = append(rows, strings.Split(strings.TrimSpace(line), "|"))
	}
	return rows
}

// The rule that is given to SIEMs finds the take-over in a log of ordinary days,
// and nothing else (security.md S-38).
func TestTakeoverRule(t *testing.T) {
	t.Parallel()
	needProgram(t, "sqlite3", "the rule for SIEMs")
	s := &sighting{now: time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)}
	for _, who := range []string{"helen", "tom", "priya", "jlee", "mchen"} {
		s.add(logiqc.SigninSucceeded, who, who, "10.0.0."+who[:1])
	}
	// An ordinary new phone, and an ordinary day's work with it.
	s.add(logiqc.MFAResetDone, "priya", "tom", "10.0.0.p")
	s.add(logiqc.MFAEnrolled, "tom", "tom", "10.0.0.t")
	s.add(logiqc.PolicyChanged, "tom", "", "10.0.0.t")
	// From a new place, but a user, who does nothing that only operators may.
	look := s.add(logiqc.MFAResetDone, "priya", "jlee", "10.0.0.p")
	looked := s.add(logiqc.MFAEnrolled, "jlee", "jlee", "203.0.113.1")
	s.add(logiqc.UserPasswordSet, "jlee", "jlee", "203.0.113.1")
	// The take-over of an administrator.
	reset := s.add(logiqc.MFAResetDone, "priya", "helen", "10.0.0.p")
	enrolled := s.add(logiqc.MFAEnrolled, "helen", "helen", "198.51.100.7")
	s.add(logiqc.SigninSucceeded, "helen", "helen", "198.51.100.7")
	s.add(logiqc.UserUpdated, "tom", "jlee", "10.0.0.t")                // somebody else's
	did := s.add(logiqc.TokenCreated, "helen", "helen", "198.51.100.7") // a token is its maker's
	s.add(logiqc.UserCreated, "helen", "evil", "198.51.100.7")
	// Never enrolled, and refused.
	s.add(logiqc.MFAResetDone, "priya", "mchen", "10.0.0.p")
	denied := s.add(logiqc.MFAEnrolled, "mchen", "mchen", "203.0.113.9")
	s.events[denied].Outcome = logiqc.Failed
	// The same place again, later: it is known by then.
	s.add(logiqc.MFAResetDone, "priya", "jlee", "10.0.0.p")
	s.add(logiqc.MFAEnrolled, "jlee", "jlee", "203.0.113.1")

	slices.Reverse(s.events) // newest first, as audit list has them
	log, err := json.Marshal(s.events)
	if err != nil {
		t.Fatal(err)
	}
	id := func(seq int64) string { b, _ := json.Marshal(seq); return string(b) }
	want := [][]string{
		{"look", "jlee", id(look), id(looked), "203.0.113.1", "", ""},
		{"ALARM", "helen", id(reset), id(enrolled), "198.51.100.7", "token.created", id(did)},
	}
	if got := takeover(t, log); !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("found %v, want %v", got, want)
	}

	// What the program itself writes is read the same way.
	h := newTemplate(t).home(t)
	for _, args := range [][]string{{"mfa", "reset", "jlee", "--yes"}, {"users", "unlock", "rgold", "--yes"}} {
		if _, errs, status := h.run(args...); status != 0 {
			t.Fatal(errs)
		}
	}
	out, errs, status := h.run("audit", "list", "-o", "json")
	if status != 0 {
		t.Fatal(errs)
	}
	if got := takeover(t, []byte(out)); len(got) != 0 {
		t.Errorf("an ordinary day: %v", got)
	}
}
