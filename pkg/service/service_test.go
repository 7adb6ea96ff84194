package service_test

import (
	"context"
	"flag"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/servicetest"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// desk is a Desk on a new store, as the suite wants it.
type desk struct {
	*service.Desk
	*clock
	path string // of the file, even where the store is elsewhere
	ring service.Keys
	init logiqc.Secret
}

// openDesk makes a store for the test: in a file, or on PostgreSQL below
// TestOnPostgres.
func openDesk(t testing.TB) *desk {
	t.Helper()
	dir, c := t.TempDir(), newClock()
	path := filepath.Join(dir, "logiqc.db")
	where := path
	if onPostgres(t) {
		where = pgtest.Database(t)
	}
	d := createDesk(t, where, filepath.Join(dir, "keys", "store-1"), store.Options{Now: c.Now})
	d.clock, d.path = c, path
	return d
}

// createDesk makes a store at a place, with its keys in a folder and with helen
// signed in.
func createDesk(t testing.TB, where, keys string, o store.Options) *desk {
	t.Helper()
	const origin = "logiqc/test/store-1"
	ring, _, err := service.CreateKeys(keys, origin)
	if err != nil {
		t.Fatal(err)
	}
	d, at, err := service.Create(t.Context(), where, o, func(string) (service.Keys, error) { return ring, nil },
		service.NewStore{ID: "store-1", Origin: origin, Issuer: "Logiqc", Enforced: true,
			Admin:  logiqc.NewUser{Username: "helen", Email: "helen@example.org", Password: servicetest.Password},
			Source: logiqc.Source{Host: "desk-3"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return &desk{Desk: d, ring: ring, init: at.Token}
}

func (d *desk) Init() logiqc.Secret { return d.init }

func (d *desk) As(ctx context.Context, bearer logiqc.Secret) (logiqc.Service, error) {
	a, err := d.Authenticate(ctx, bearer, logiqc.Source{Host: "desk-3", OSUser: "tester"})
	if err != nil {
		return nil, err
	}
	return d.Desk.As(a), nil
}

func (d *desk) AuditOf(ctx context.Context, bearer logiqc.Secret) (logiqc.Audit, error) {
	a, err := d.Authenticate(ctx, bearer, logiqc.Source{Host: "desk-3", OSUser: "tester"})
	if err != nil {
		return nil, err
	}
	return d.Audit(a), nil
}

// Check holds the store against its log.
func (d *desk) Check(t *testing.T) {
	t.Helper()
	report, err := d.Verify(t.Context(), nil)
	if err != nil || !report.OK {
		t.Errorf("the log: %+v, %v", report, err)
	}
	accounts, err := d.Reconcile(t.Context())
	if err != nil || accounts.Compared == 0 || len(accounts.Differences) > 0 {
		t.Errorf("accounts compared with the log: %+v, %v", accounts, err)
	}
}

func TestService(t *testing.T) {
	servicetest.Run(t, func(t *testing.T) servicetest.Desk { return openDesk(t) }, func(group string) bool {
		return !onPostgres(t) || servicetest.NoTables(group)
	})
}

func onPostgres(t testing.TB) bool { return strings.HasPrefix(t.Name(), "TestOnPostgres/") }

// TestOnPostgres runs the same over PostgreSQL, where the tables of rules are left
// out and the model runs once, unless more is asked for.
func TestOnPostgres(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"Service": TestService, "ImportAdds": TestImportAdds, "ImportNamesBadRows": TestImportNamesBadRows,
		"ImportOfExisting": TestImportOfExisting, "ImportStopsAfterManyBadRows": TestImportStopsAfterManyBadRows,
		"ImportUpdatesOnlyWhatIsGiven": TestImportUpdatesOnlyWhatIsGiven, "ImportRules": TestImportRules,
		"ImportEndsSessions": TestImportEndsSessions, "ImportDryRunAndRetry": TestImportDryRunAndRetry,
		"CheckpointIsKeptTwice": TestCheckpointIsKeptTwice,
		"ProofAndReceipt":       TestProofAndReceipt, "Recover": TestRecover, "RecoveryIsTold": TestRecoveryIsTold,
	} {
		t.Run(name, test)
	}
	t.Run("Model", func(t *testing.T) {
		defer modelChecks(flag.Lookup("rapid.checks").Value.String())
		modelChecks("1")
		TestModel(t)
	})
}

func errOf(e *logiqc.Error) error {
	if e == nil {
		return nil
	}
	return e
}
