package httpapi_test

import (
	"bytes"
	"context"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/httpapi"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/servicetest"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
	"github.com/logiqc/logiqc/pkg/totp"
)

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

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

// desk is a server on a real store, and a client of it, as the suite wants it.
type desk struct {
	*clock
	client *httpapi.Client
	server *httptest.Server
	behind *service.Desk
	init   logiqc.Secret
}

// openDesk makes a store in a file and serves it.
func openDesk(t testing.TB) *desk { return openDeskWith(t, false) }

func openDeskWith(t testing.TB, group bool) *desk {
	t.Helper()
	return openDeskAt(t, filepath.Join(t.TempDir(), "logiqc.db"), group)
}

// openDeskAt makes a store at a place and serves it.
func openDeskAt(t testing.TB, where string, group bool) *desk {
	t.Helper()
	dir := t.TempDir()
	const origin = "logiqc/test/store-1"
	ring, _, err := service.CreateKeys(filepath.Join(dir, "keys"), origin)
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	d, at, err := service.Create(t.Context(), where, store.Options{Now: c.Now, Group: group},
		func(string) (service.Keys, error) { return ring, nil },
		service.NewStore{ID: "store-1", Origin: origin, Issuer: "Logiqc", Enforced: true,
			Admin:  logiqc.NewUser{Username: "helen", Email: "helen@example.org", Password: servicetest.Password},
			Source: logiqc.Source{Host: "desk-3"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	server := httptest.NewServer(httpapi.Handler(d, httpapi.Options{QR: picture}))
	t.Cleanup(server.Close)
	client := server.Client()
	if _, bench := t.(*testing.B); !bench {
		client.Transport = &checked{t, client.Transport}
	}
	return &desk{clock: c, client: httpapi.NewClient(client, server.URL), server: server, behind: d, init: at.Token}
}

func picture(uri string) ([]byte, error) {
	qr, err := totp.QR(uri)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = qr.PNG(&b, 4)
	return b.Bytes(), err
}

func (d *desk) SignIn() logiqc.SignIn { return d.client.SignIn() }

func (d *desk) Init() logiqc.Secret { return d.init }

func (d *desk) As(ctx context.Context, bearer logiqc.Secret) (logiqc.Service, error) {
	return d.client.Service(ctx, bearer, logiqc.Source{Host: "desk-3", OSUser: "tester"})
}

func (d *desk) AuditOf(_ context.Context, bearer logiqc.Secret) (logiqc.Audit, error) {
	return d.client.Audit(bearer, logiqc.Source{Host: "desk-3", OSUser: "tester"}), nil
}

// Check holds the store against its log.
func (d *desk) Check(t *testing.T) {
	t.Helper()
	report, err := d.behind.Verify(t.Context(), nil)
	if err != nil || !report.OK {
		t.Errorf("the log: %+v, %v", report, err)
	}
	accounts, err := d.behind.Reconcile(t.Context())
	if err != nil || accounts.Compared == 0 || len(accounts.Differences) > 0 {
		t.Errorf("accounts compared with the log: %+v, %v", accounts, err)
	}
}

// The suite of every Service, with all calls over HTTP.
func TestService(t *testing.T) {
	servicetest.Run(t, func(t *testing.T) servicetest.Desk { return openDesk(t) }, servicetest.NoTables)
}

// And with the store in a PostgreSQL database: the groups in which it could show
// that there are two programs more between question and answer.
func TestServiceOnPostgres(t *testing.T) {
	groups := []string{"signin", "replace", "reset", "batch", "idempotency", "tokens", "sessions", "users", "events", "races", "run", "approval", "twoDecide", "application"}
	open := func(t *testing.T) servicetest.Desk { return openDeskAt(t, pgtest.Database(t), false) }
	servicetest.Run(t, open, func(group string) bool { return slices.Contains(groups, group) })
}
