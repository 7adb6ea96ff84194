package store

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// enrolling is one account whose enrolments a test moves about.
type enrolling struct {
	t    *testing.T
	s    *Store
	user string
	soon logiqc.Time
}

func (e enrolling) load() (got logiqc.User) {
	view(e.t, e.s, func(tx *Tx) (err error) { got, err = tx.UserByID(e.user); return err })
	return got
}

func (e enrolling) pend(id string) {
	update(e.t, e.s, func(tx *Tx) error {
		return tx.PutPending(logiqc.Enrolment{ID: id, UserID: e.user, Sealed: "s-" + id, CreatedAt: tx.Now(), ExpiresAt: e.soon})
	})
}

func (e enrolling) prove(id string, step int64, want bool) {
	e.t.Helper()
	update(e.t, e.s, func(tx *Tx) error {
		ok, err := tx.ProvePending(id, step)
		if ok != want {
			e.t.Errorf("proving %s: %t, want %t", id, ok, want)
		}
		return err
	})
}

func TestEnrolmentLife(t *testing.T) {
	s, c := newTestStore(t)
	u := addUsers(t, s, 1, nil)[0]
	soon := logiqc.At(c.at.Add(10 * time.Minute))
	life := enrolling{t, s, u.ID, soon}
	load, pend, prove := life.load, life.pend, life.prove
	pend("a")
	pend("b") // starting again replaces
	if got := load(); got.Pending == nil || got.Pending.ID != "b" || got.Enrolled != nil {
		t.Fatalf("pending %+v, enrolled %+v", got.Pending, got.Enrolled)
	}
	update(t, s, func(tx *Tx) error { return tx.RenewPending("b", soon+1) })
	wantCode(t, s.Update(t.Context(), func(tx *Tx) error { return tx.RenewPending("a", soon) }), logiqc.NotFound)

	prove("a", 7, false)
	prove("b", 7, true)
	prove("b", 8, false)
	got := load()
	if e := got.Enrolled; got.Pending != nil || e == nil || e.ID != "b" || e.Step != 7 || e.EnrolledAt != logiqc.At(c.at) || e.LastUsedAt != 0 {
		t.Fatalf("enrolled %+v, pending %+v", e, got.Pending)
	}
	update(t, s, func(tx *Tx) error { return tx.PutRecoveryCodes("b", [][32]byte{hashOf("1"), hashOf("2")}) })
	pend("c")
	if got = load(); got.Enrolled.ID != "b" || got.Pending.ID != "c" || got.RecoveryLeft != 2 {
		t.Fatalf("a pending one beside: %+v", got)
	}
	prove("c", 9, true)
	if got = load(); got.Enrolled.ID != "c" || got.Pending != nil || got.RecoveryLeft != 0 {
		t.Fatalf("replaced: %+v", got)
	}
	pend("d")
	c.at = c.at.Add(11 * time.Minute)
	prove("d", 10, false)
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.PutRecoveryCodes("c", [][32]byte{hashOf("3")}), tx.ClearEnrolments(u.ID))
	})
	if got = load(); got.Enrolled != nil || got.Pending != nil || got.RecoveryLeft != 0 {
		t.Fatalf("cleared: %+v", got)
	}
	view(t, s, func(tx *Tx) error {
		n, err := tx.count(`SELECT count(*) FROM recovery_code`)
		if n != 0 {
			t.Errorf("%d recovery codes outlive their enrolment", n)
		}
		return err
	})
}

func TestStepIsSpentOnce(t *testing.T) {
	s, c := newTestStore(t)
	u := addUsers(t, s, 1, nil)[0]
	update(t, s, func(tx *Tx) error { return tx.PutEnrolled(logiqc.Enrolment{ID: "e", UserID: u.ID, Step: 5}) })
	update(t, s, func(tx *Tx) error {
		for _, try := range []struct {
			id   string
			step int64
			want bool
		}{{"e", 4, false}, {"e", 5, false}, {"e", 7, true}, {"e", 7, false}, {"e", 6, false}, {"e", 8, true}, {"x", 9, false}} {
			if ok, err := tx.SpendStep(try.id, try.step); ok != try.want || err != nil {
				t.Errorf("%+v: %t, %v", try, ok, err)
			}
		}
		return nil
	})
	view(t, s, func(tx *Tx) error {
		got, err := tx.UserByID(u.ID)
		if got.Enrolled.Step != 8 || got.Enrolled.LastUsedAt != logiqc.At(c.at) {
			t.Errorf("%+v", got.Enrolled)
		}
		return err
	})
}

func TestRecoveryCodes(t *testing.T) {
	s, _ := newTestStore(t)
	u := addUsers(t, s, 1, nil)[0]
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.PutEnrolled(logiqc.Enrolment{ID: "e", UserID: u.ID}),
			tx.PutRecoveryCodes("e", [][32]byte{hashOf("old")}),
			tx.PutRecoveryCodes("e", [][32]byte{hashOf("1"), hashOf("2"), hashOf("3")}))
	})
	update(t, s, func(tx *Tx) error {
		for _, try := range []struct {
			code string
			left int
			ok   bool
		}{{"old", 3, false}, {"2", 2, true}, {"2", 2, false}, {"1", 1, true}, {"3", 0, true}} {
			if left, ok, err := tx.SpendRecoveryCode("e", hashOf(try.code)); len(left) != try.left || ok != try.ok || err != nil {
				t.Errorf("%+v: %d left, %t, %v", try, left, ok, err)
			}
		}
		return nil
	})
}

// After a reset the old sealed secret is nowhere in the store's files (S-66).
func TestScrub(t *testing.T) {
	s, _ := newTestStore(t)
	canary := "CANARY" + strings.Repeat("7f3a9c", 12)
	all := addUsers(t, s, 200, nil)
	update(t, s, func(tx *Tx) error {
		for i, u := range all {
			sealed := strings.Repeat("other", 15)
			if i%10 == 0 {
				sealed = canary
			}
			if err := tx.PutEnrolled(logiqc.Enrolment{ID: "e" + u.ID, UserID: u.ID, Sealed: sealed}); err != nil {
				return err
			}
		}
		return nil
	})
	path := s.engine.(*sqliteEngine).path
	hits := func() (n int) {
		for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
			raw, err := os.ReadFile(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			n += bytes.Count(raw, []byte(canary))
		}
		return n
	}
	if hits() == 0 {
		t.Fatal("the canary is not where it should be before the reset")
	}
	update(t, s, func(tx *Tx) error {
		for i := 0; i < len(all); i += 10 {
			if err := tx.ClearEnrolments(all[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := hits(); n != 0 {
		t.Errorf("%d sealed secrets are left in the files", n)
	}
}

// A reader keeps part of the work from being done, but nobody waiting.
func TestScrubBesideReader(t *testing.T) {
	s, _ := newTestStore(t)
	addUsers(t, s, 1, nil)
	view(t, s, func(*Tx) error {
		addUsers(t, s, 1, func(_ int, u *logiqc.User) { u.ID, u.Username, u.Email = "x", "x", "x@x" })
		start := time.Now()
		if err := s.Scrub(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %s", took)
		}
		return nil
	})
	db, err := s.db(true)
	if err != nil {
		t.Fatal(err)
	}
	var timeout string
	if err := db.QueryRowContext(t.Context(), `PRAGMA busy_timeout`).Scan(&timeout); err != nil || timeout != busyTimeout {
		t.Errorf("busy_timeout is %s, %v afterwards", timeout, err)
	}
}
