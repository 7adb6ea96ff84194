package servicetest

import (
	"errors"
	"slices"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// atOnce calls do for 0 to n-1 at the same time and returns their errors.
func atOnce(n int, do func(i int) error) []error {
	errs, begin, done := make([]error, n), make(chan struct{}), make(chan struct{})
	for i := range n {
		go func() {
			<-begin
			errs[i] = do(i)
			done <- struct{}{}
		}()
	}
	close(begin)
	for range n {
		<-done
	}
	return errs
}

// Of several who decide at once one does; a request is never approved while its
// user enrols, and forty that are made at once are forty.
func testApprovalRaces(t *testing.T, w *World) {
	priya, _ := w.desk()
	w.add("tom", role(logiqc.RoleAdmin))
	tom := w.signin("tom")
	a := w.asked(priya, "ann")
	deciders := []logiqc.Service{w.Helen, tom}
	before := w.size()
	ok := 0
	for _, err := range atOnce(10, func(i int) error { _, err := w.decide(deciders[i%2], a.ID, i < 8); return err }) {
		switch {
		case err == nil:
			ok++
		case !errors.Is(err, logiqc.Conflict):
			t.Errorf("too late: %v", err)
		}
	}
	events := w.size() - before
	if now := w.state(a.ID); ok != 1 || now.State == logiqc.ApprovalApproved != (events == 2) || now.State == logiqc.ApprovalRejected != (events == 1) {
		t.Errorf("%d decided, it is %s, %d events", ok, now.State, events)
	}
	t.Run("enrols", func(t *testing.T) { approvedWhileEnrolling(t, w, priya) })
	t.Run("forty", func(t *testing.T) { forty(t, w, priya) })
}

// approvedWhileEnrolling: either the user is enrolled, or the reset is made.
func approvedWhileEnrolling(t *testing.T, w *World, priya logiqc.Service) {
	w.add("bob")
	for range 4 {
		at := w.started("bob")
		p, err := w.SignIn().StartEnrolment(w.ctx(), at.Token, source)
		if err != nil {
			t.Fatal(err)
		}
		key, _ := totp.ParseKey(p.Secret.Reveal())
		code := totp.Code(key, totp.Step(w.Now()))
		a := w.asked(priya, "bob")
		errs := atOnce(2, func(i int) error {
			if i == 0 {
				_, err := w.decide(w.Helen, a.ID, true)
				return err
			}
			_, err := w.SignIn().ProveEnrolment(w.ctx(), at.Token, code, source)
			return err
		})
		enrolled := w.get("bob").MFA.State == logiqc.EnrolmentEnrolled
		if (errs[0] == nil) == (errs[1] == nil) || enrolled != (errs[1] == nil) || errs[0] != nil && !errors.Is(errs[0], logiqc.Conflict) {
			t.Errorf("approved: %v, proved: %v, enrolled: %t", errs[0], errs[1], enrolled)
		}
		w.reset(w.Helen, "bob")
		w.Advance(totp.Period)
	}
}

func forty(t *testing.T, w *World, priya logiqc.Service) {
	const n = 40
	w.reset(w.Helen, "ann")
	w.Advance(totp.Period)
	w.enrol("ann")
	all := make([]logiqc.Approval, n)
	for i, err := range atOnce(n, func(i int) error {
		results, err := priya.RequestReset(w.ctx(), logiqc.Reset{Request: given(), Users: []logiqc.ResetTarget{{User: "ann"}}})
		if err == nil && results[0].Approval != nil {
			all[i] = *results[0].Approval
		}
		return err
	}) {
		if err != nil {
			t.Errorf("request %d: %v", i, err)
		}
	}
	open, err := w.Helen.Approvals(w.ctx(), logiqc.ApprovalQuery{})
	open = slices.DeleteFunc(open, func(a logiqc.Approval) bool { return a.User != "ann" })
	shorts := map[string]bool{}
	for _, a := range open {
		shorts[a.Short] = true
		if one, err := w.Helen.Approval(w.ctx(), a.Short); err != nil || one.ID != a.ID {
			t.Errorf("%s means %s, %v", a.Short, one.ID, err)
		}
	}
	if err != nil || len(open) != n || len(shorts) != n {
		t.Errorf("%d open, %d short ids, %v", len(open), len(shorts), err)
	}
	ok := 0
	for _, err := range atOnce(n, func(i int) error { _, err := w.decide(w.Helen, all[i].ID, true); return err }) {
		if err == nil {
			ok++
		} else if !errors.Is(err, logiqc.Conflict) {
			t.Error(err)
		}
	}
	if ok != 1 {
		t.Errorf("%d of %d were approved", ok, n)
	}
}
