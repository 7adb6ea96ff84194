//go:build unix

package service_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
	"github.com/logiqc/logiqc/pkg/totp"
)

var takeovers = flag.Int("takeovers", 1, "how many times the primary is lost, each on a new pair of servers")

// How many desks there are, each a process of its own, how many operators work
// at each, and how many resets each of those has to do.
const (
	desks     = 3
	operators = 4
	resets    = 60
)

// A primary dies under the load of several processes and its synchronous
// standby takes over. They go on by themselves: every reset that somebody was
// told of is there, none is there twice, and the log is whole (S-27, S-86).
func TestPostgresTakeover(t *testing.T) {
	if dsn := os.Getenv("TAKEOVER_STORE"); dsn != "" {
		resetMuch(t, dsn, os.Getenv("TAKEOVER_KEYS"), logiqc.Secret(os.Getenv("TAKEOVER_SESSION")), os.Getenv("TAKEOVER_DESK"))
		return
	}
	for i := range *takeovers {
		t.Run(fmt.Sprint(i), takeover)
	}
}

func takeover(t *testing.T) {
	pair, keys := pgtest.NewPair(t), filepath.Join(t.TempDir(), "store-1")
	d := openTakeover(t, pair.DSN, keys)
	acknowledged := make(chan string, desks*operators*resets)
	var done sync.WaitGroup
	var unknown atomic.Bool
	for desk := range desks {
		cmd := exec.Command(os.Args[0], "-test.run=TestPostgresTakeover$")
		cmd.Env = append(os.Environ(), "TAKEOVER_STORE="+pair.DSN, "TAKEOVER_KEYS="+keys, "TAKEOVER_SESSION="+d.init.Reveal(), fmt.Sprintf("TAKEOVER_DESK=%d", desk))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done.Go(func() {
			rest := ""
			for lines := bufio.NewScanner(out); lines.Scan(); {
				if user, ok := strings.CutPrefix(lines.Text(), "reset "); ok {
					acknowledged <- user
				} else {
					rest += lines.Text() + "\n"
				}
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("desk %d: %v: %s", desk, err, rest)
			}
			if strings.Contains(rest, string(logiqc.UnknownOutcome)) {
				unknown.Store(true)
			}
			t.Logf("desk %d: %s", desk, strings.ReplaceAll(rest, "\n", "; "))
		})
	}
	for len(acknowledged) < desks*operators*resets/4 { // well under way
		time.Sleep(time.Millisecond)
	}
	before := len(acknowledged)
	// The standby stops listening, so that a commit waits for it when the primary
	// dies, and nobody can know what became of that.
	resume := pair.Standby.Stop(t, "walreceiver")
	pgtest.Await(t, pair.Primary.DSN, `SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND now() - query_start > '300ms'`, "1")
	pair.Primary.Kill(t)
	time.Sleep(500 * time.Millisecond)
	resume()
	time.Sleep(500 * time.Millisecond)
	pair.Standby.Promote(t)
	done.Wait()
	close(acknowledged)
	t.Logf("%d of %d resets were acknowledged before the primary was lost", before, desks*operators*resets)
	if before == desks*operators*resets || !unknown.Load() {
		t.Error("nothing was left to do for the standby, or nobody met an unknown outcome")
	}
	wantEachOnce(t, d, acknowledged, pair.Standby.DSN)
}

// wantEachOnce holds what was acknowledged against the store and its log.
func wantEachOnce(t *testing.T, d *desk, acknowledged <-chan string, dsn string) {
	t.Helper()
	there := strings.Fields(pgtest.Value(t, dsn, `SELECT string_agg(target_username, ' ') FROM event
		WHERE action = 'mfa.reset' AND outcome = 'success' AND request_id = 'of-' || target_username`))
	times := map[string]int{}
	for _, user := range there {
		times[user]++
	}
	n := 0
	for user := range acknowledged {
		if n++; times[user] != 1 {
			t.Errorf("%s was reset %d times", user, times[user])
		}
	}
	if want := desks * operators * resets; n != want || len(there) != want {
		t.Errorf("%d resets were acknowledged and %d are there, want %d", n, len(there), want)
	}
	for query, want := range map[string]string{
		`SELECT count(*) FROM event WHERE action = 'mfa.reset'`: fmt.Sprint(n),
		`SELECT count(*) FROM account WHERE reset_at > 0`:       fmt.Sprint(n),
		`SELECT count(*) FROM enrolment`:                        "0",
	} {
		if got := pgtest.Value(t, dsn, query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	d.Check(t)
}

// openTakeover makes the store on the primary, with somebody enrolled for each
// reset.
func openTakeover(t *testing.T, dsn, keys string) *desk {
	t.Helper()
	d := createDesk(t, dsn, keys, store.Options{})
	helen, err := d.As(t.Context(), d.init)
	if err != nil {
		t.Fatal(err)
	}
	var people []logiqc.ImportRow
	for desk := range desks {
		for operator := range operators {
			for i := range resets {
				key, err := totp.KeyFromBytes(fmt.Appendf(nil, "%020d", i))
				if err != nil {
					t.Fatal(err)
				}
				p := named(caller(fmt.Sprint(desk), operator, i))
				p.TOTP = logiqc.Secret(totp.URI("Example", p.Username, key))
				people = append(people, p)
			}
		}
	}
	if _, err := helen.ImportUsers(t.Context(), logiqc.Import{Rows: rows(people...)}); err != nil {
		t.Fatal(err)
	}
	return d
}

// caller is the user who calls an operator at a desk.
func caller(desk string, operator, i int) string { return fmt.Sprintf("u%s.%d.%d", desk, operator, i) }

// resetMuch is one desk. It says which resets it knows to be done, and last
// what it met.
func resetMuch(t *testing.T, dsn, keys string, session logiqc.Secret, name string) {
	s, err := store.Open(dsn, store.Options{Patience: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d := service.New(s, func(string) (service.Keys, error) { return service.KeysIn(keys), nil })
	actor, err := d.Authenticate(t.Context(), session, logiqc.Source{Host: "desk-" + name})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	met := map[logiqc.Code]int{}
	var done sync.WaitGroup
	for operator := range operators {
		done.Go(func() {
			for i := range resets {
				user := caller(name, operator, i)
				codes, err := resetSurely(t.Context(), d.As(actor), user)
				if err != nil {
					t.Errorf("%s: %v", user, err)
					return
				}
				mu.Lock()
				fmt.Println("reset " + user)
				for _, c := range codes {
					met[c]++
				}
				mu.Unlock()
			}
		})
	}
	done.Wait()
	fmt.Println("met", met)
}

// resetSurely does what the error of a lost connection says: the same request
// again. It returns what was met on the way.
func resetSurely(ctx context.Context, by logiqc.Service, user string) (met []logiqc.Code, err error) {
	r := logiqc.Reset{Request: logiqc.Request{Consent: logiqc.Consent{Given: true}}, Users: []logiqc.ResetTarget{{User: user}}}
	r.RequestID, r.Remember = "of-"+user, true
	for range 10 {
		results, err := by.ResetMFA(ctx, r)
		switch {
		case errors.Is(err, logiqc.UnknownOutcome), errors.Is(err, logiqc.Unavailable):
			met = append(met, logiqc.AsError(err).Code)
			continue
		case err != nil:
			return met, err
		case results[0].Outcome != logiqc.ResetDone:
			return met, fmt.Errorf("the outcome is %s: %w", results[0].Outcome, errOf(results[0].Err))
		}
		if results[0].Replayed.Replayed {
			met = append(met, "replayed")
		}
		return met, nil
	}
	return met, errors.New("it never worked")
}

// The rows of an import can be read once: when the database wants the
// transaction again, nothing is imported, and that is said.
func TestPostgresImportMeetsAnother(t *testing.T) {
	dsn := pgtest.Database(t)
	d := openTakeover(t, dsn, filepath.Join(t.TempDir(), "store-1"))
	helen, err := d.As(t.Context(), d.init)
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, dsn, `CREATE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN RAISE EXCEPTION 'collided' USING ERRCODE = '40001'; END $$;
		CREATE TRIGGER collide BEFORE INSERT ON account EXECUTE FUNCTION collide()`)
	_, err = helen.ImportUsers(t.Context(), logiqc.Import{Rows: rows(named("ann"), named("bob"))})
	if !errors.Is(err, logiqc.Unavailable) || !strings.Contains(err.Error(), "nothing was imported") {
		t.Errorf("error %v", err)
	}
	if n := pgtest.Value(t, dsn, `SELECT count(*) FROM event WHERE action = 'user.imported' AND target_username IN ('ann', 'bob')`); n != "0" {
		t.Errorf("%s are there", n)
	}
}
