package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// portable are the tests that ask nothing of a file or of a kind of store.
var portable = map[string]func(*testing.T){
	"Checkpoint": TestCheckpoint, "FindRanking": TestFindRanking, "FindFilters": TestFindFilters, "FindCursor": TestFindCursor,
	"FindIsComplete": TestFindIsComplete, "AppendAndRead": TestAppendAndRead, "ReadRanges": TestReadRanges,
	"AppendRefusesGaps": TestAppendRefusesGaps, "EventsFilters": TestEventsFilters, "EventsCursor": TestEventsCursor,
	"SchemaVersions": TestSchemaVersions, "EnrolmentLife": TestEnrolmentLife, "StepIsSpentOnce": TestStepIsSpentOnce,
	"RecoveryCodes": TestRecoveryCodes, "Sessions": TestSessions, "Tokens": TestTokens, "Requests": TestRequests, "Purge": TestPurge,
	"InfoAndPolicy": TestInfoAndPolicy, "OneNow": TestOneNow, "UpdateRollsBack": TestUpdateRollsBack,
	"ViewCannotWrite": TestViewCannotWrite, "UpdateWaits": TestUpdateWaits, "ContextEndsTransaction": TestContextEndsTransaction,
	"UsersRoundTrip": TestUsersRoundTrip, "UserComesBackWhole": TestUserComesBackWhole, "UserRefs": TestUserRefs,
	"InsertTaken": TestInsertTaken, "UpdateUser": TestUpdateUser, "UpdateKeepsSearchInStep": TestUpdateKeepsSearchInStep,
	"Figures": TestFigures, "UsersExact": TestUsersExact, "ResetUsers": TestResetUsers, "DecideApproval": TestDecideApproval,
	"FindAmongMany": TestFindAmongMany, "FindLongText": TestFindLongText,
}

// TestInGroup runs them on a store whose writers share commits: newTestStore
// looks at the name it runs under.
func TestInGroup(t *testing.T) {
	for name, test := range portable {
		t.Run(name, test)
	}
}

func newGroupStore(t testing.TB) *Store {
	t.Helper()
	s, _ := newTestStore(t)
	other, err := Open(whereIs(s), Options{Group: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	})
	return other
}

// turns counts the transactions there have been.
func turns(t testing.TB, s *Store) (n int) {
	t.Helper()
	view(t, s, func(tx *Tx) (err error) { n, err = tx.count(`SELECT turn FROM log_head`); return err })
	return n
}

// gather holds the baton until n others wait for it, and lets them go; it
// returns how to do the latter.
func gather(t testing.TB, s *Store, n int, start func(i int)) *sync.WaitGroup {
	t.Helper()
	var done sync.WaitGroup
	holding, release := make(chan struct{}), make(chan struct{})
	done.Go(func() {
		_ = s.Update(context.Background(), func(*Tx) error { close(holding); <-release; return errors.New("nothing") })
	})
	<-holding
	for i := range n {
		done.Go(func() { start(i) })
		for waiting := 0; waiting <= i; time.Sleep(time.Millisecond) { // so that they come in order
			s.group.mu.Lock()
			waiting = len(s.group.queue)
			s.group.mu.Unlock()
		}
	}
	close(release)
	return &done
}

// Those who write at the same time share a commit, in the order they came.
func TestGroupSharesCommits(t *testing.T) {
	s := newGroupStore(t)
	before := turns(t, s)
	var order []int // by the baton
	gather(t, s, 40, func(i int) {
		update(t, s, func(tx *Tx) error {
			order = append(order, i)
			return errors.Join(tx.InsertUser(newUser(i)), appendEvents(t, tx, 1, nil))
		})
	}).Wait()
	if n := turns(t, s) - before; n > 20 { // one where the machine is quick enough
		t.Errorf("%d transactions for 40 writers", n)
	}
	for i, got := range order {
		if got != i {
			t.Fatalf("they took turns in the order %v", order)
		}
	}
	view(t, s, func(tx *Tx) error {
		n, err := tx.count(`SELECT count(*) FROM account`)
		size, _, err2 := tx.Head()
		if n != 40 || size != 40 {
			t.Errorf("%d accounts, %d events", n, size)
		}
		return errors.Join(err, err2)
	})
}

// A member that fails, panics, leaves or loses patience takes only its own
// changes with it.
func TestGroupMembersFailAlone(t *testing.T) {
	s := newGroupStore(t)
	sentinel := errors.New("no")
	var panicked atomic.Int32
	errs := make([]error, 20)
	gather(t, s, len(errs), func(i int) {
		defer func() {
			if recover() == "oops" {
				panicked.Add(1)
			}
		}()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		errs[i] = s.Update(ctx, func(tx *Tx) error {
			err := errors.Join(tx.InsertUser(newUser(i)), appendEvents(t, tx, 1, nil), tx.SetPolicy(bulkMax(i+1)))
			switch i % 5 {
			case 1:
				return sentinel
			case 2:
				panic("oops")
			case 3:
				runtime.Goexit()
			case 4:
				cancel()
			}
			return err
		})
	}).Wait()
	for i, err := range errs {
		want := map[int]error{1: sentinel, 4: context.Canceled}[i%5]
		if !errors.Is(err, want) {
			t.Errorf("%d: error %v, want %v", i, err, want)
		}
	}
	if n := panicked.Load(); n != 4 {
		t.Errorf("%d panics, want 4", n)
	}
	view(t, s, func(tx *Tx) error {
		n, err := tx.count(`SELECT count(*) FROM account`)
		size, _, err2 := tx.Head()
		p, err3 := tx.Policy()
		if n != 4 || size != 4 || p.BulkMax != 16 {
			t.Errorf("%d accounts, %d events, policy %d; want 4, 4, 16", n, size, p.BulkMax)
		}
		return errors.Join(err, err2, err3)
	})
}

func bulkMax(n int) logiqc.Policy {
	p := logiqc.DefaultPolicy()
	p.BulkMax = n
	return p
}

// Who loses patience in the queue has done nothing, and holds nobody up.
func TestGroupQueueEndsWithContext(t *testing.T) {
	s := newGroupStore(t)
	var ended atomic.Int32
	var done sync.WaitGroup
	for i := range 60 {
		done.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%5)*20*time.Millisecond)
			defer cancel()
			if i%5 == 4 {
				ctx = t.Context()
			}
			err := s.Update(ctx, func(tx *Tx) error { time.Sleep(2 * time.Millisecond); return tx.InsertUser(newUser(i)) })
			there := 0
			view(t, s, func(tx *Tx) (err error) {
				there, err = tx.count(`SELECT count(*) FROM account WHERE id = $1`, newUser(i).ID)
				return err
			})
			switch {
			case errors.Is(err, context.DeadlineExceeded):
				ended.Add(1)
			case err != nil:
				t.Errorf("%d: %v", i, err)
			}
			if (err == nil) != (there == 1) {
				t.Errorf("%d: %v, and it is there %d times", i, err, there)
			}
		})
	}
	done.Wait()
	if n := ended.Load(); n < 12 {
		t.Errorf("%d of 60 lost patience", n)
	}
}

// When the database takes a whole transaction back, as it does when the disk is
// full, only those who cannot be helped fail.
func TestGroupTransactionLost(t *testing.T) {
	s := newGroupStore(t)
	update(t, s, noInit)
	if _, err := s.group.conn.ExecContext(t.Context(), `PRAGMA max_page_count = 120`); err != nil {
		t.Fatal(err)
	}
	errs := make([]error, 9)
	runs := 0 // by the baton
	gather(t, s, len(errs), func(i int) {
		errs[i] = s.Update(t.Context(), func(tx *Tx) error {
			if runs++; i != 4 {
				return tx.InsertUser(newUser(i))
			}
			for n := 1000; ; n++ {
				if err := tx.InsertUser(newUser(n)); err != nil {
					_ = tx.InsertUser(newUser(7777)) // would be outside of the transaction
					return nil
				}
			}
		})
	}).Wait()
	if runs <= len(errs) {
		t.Errorf("%d runs: nothing was lost", runs)
	}
	for i, err := range errs {
		if i == 4 {
			wantCode(t, err, logiqc.Unavailable)
		} else if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	view(t, s, func(tx *Tx) error {
		n, err := tx.count(`SELECT count(*) FROM account`)
		if n != len(errs)-1 {
			t.Errorf("%d accounts, want %d", n, len(errs)-1)
		}
		return err
	})
}

// Who asks for it sees only what is committed, and shares with nobody.
func TestGroupAlone(t *testing.T) {
	s := newGroupStore(t)
	reader := another(t, s)
	committed := func() (n int) {
		view(t, reader, func(tx *Tx) (err error) { n, err = tx.count(`SELECT count(*) FROM account`); return err })
		return n
	}
	runs := 0
	gather(t, s, 7, func(i int) {
		update(t, s, func(tx *Tx) error {
			if i != 3 {
				return tx.InsertUser(newUser(i))
			}
			runs++
			if err := tx.Alone(); err != nil {
				return fmt.Errorf("wrapped beyond recognition: %v", err) //nolint:errorlint // on purpose
			}
			seen, err := tx.count(`SELECT count(*) FROM account`)
			if is := committed(); seen != is || seen < 3 {
				t.Errorf("it sees %d accounts, and %d are committed", seen, is)
			}
			return err
		})
	}).Wait()
	if runs != 2 || committed() != 6 {
		t.Errorf("%d runs, %d accounts", runs, committed())
	}
	update(t, another(t, s), func(tx *Tx) error { return tx.Alone() }) // without a group one always is
}

// Nobody is answered before what they wrote, or saw, is committed.
func TestGroupAnswersAfterCommit(t *testing.T) {
	s := newGroupStore(t)
	reader := another(t, s)
	gather(t, s, 12, func(i int) {
		seen := 0
		err := s.Update(t.Context(), func(tx *Tx) (err error) {
			if i%3 == 0 {
				return tx.InsertUser(newUser(i))
			}
			if seen, err = tx.count(`SELECT count(*) FROM account`); err == nil {
				err = logiqc.Conflict
			}
			return err
		})
		is := 0
		view(t, reader, func(tx *Tx) (err error) { is, err = tx.count(`SELECT count(*) FROM account`); return err })
		if i%3 != 0 && (!errors.Is(err, logiqc.Conflict) || is < seen) || i%3 == 0 && err != nil {
			t.Errorf("%d: %v; it saw %d accounts, of which %d are committed", i, err, seen, is)
		}
	}).Wait()
}

// What is read in a turn is current, whoever wrote it: members of the group,
// and another program between two transactions.
func TestGroupBesideOthers(t *testing.T) {
	s := newGroupStore(t)
	addUsers(t, s, 1, nil)
	other := another(t, s)
	var done sync.WaitGroup
	stop := make(chan struct{})
	var inGroup atomic.Int64
	touch := func(st *Store) {
		update(t, st, func(tx *Tx) error {
			u, err := tx.UserByID("id-000000")
			u.Phone = fmt.Sprint(u.Version)
			return errors.Join(err, tx.UpdateUser(&u), appendEvents(t, tx, 1, nil))
		})
	}
	for range 8 {
		done.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					touch(s)
					inGroup.Add(1)
				}
			}
		})
	}
	const own = 100
	var longest time.Duration
	for range own {
		start := time.Now()
		touch(other)
		longest = max(longest, time.Since(start))
	}
	close(stop)
	done.Wait()
	if longest > 2*time.Second {
		t.Errorf("another program waited %s for its turn", longest)
	}
	t.Logf("%d in the group meanwhile; the longest wait beside it: %s", inGroup.Load(), longest)
	view(t, s, func(tx *Tx) error {
		u, err := tx.UserByID("id-000000")
		if want := 1 + own + inGroup.Load(); u.Version != want {
			t.Errorf("version %d, want %d", u.Version, want)
		}
		return err
	})
}
