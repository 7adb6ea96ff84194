package service_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

// How many write at once in each of two processes, and how often each does.
const (
	writersEach = 16
	writesEach  = 8
)

// Two processes with sixteen writers each, every one on its own connection,
// never fork the log, and nobody starves (S-85).
func TestPostgresWriters(t *testing.T) {
	if dsn := os.Getenv("WRITERS_STORE"); dsn != "" {
		writeMuch(t, dsn, os.Getenv("WRITERS_KEYS"), logiqc.Secret(os.Getenv("WRITERS_SESSION")), "b")
		return
	}
	dsn, keys := pgtest.Database(t), filepath.Join(t.TempDir(), "store-1")
	d := createDesk(t, dsn, keys, store.Options{})
	other := exec.Command(os.Args[0], "-test.run=TestPostgresWriters$")
	other.Env = append(os.Environ(), "WRITERS_STORE="+dsn, "WRITERS_KEYS="+keys, "WRITERS_SESSION="+d.init.Reveal())
	var done sync.WaitGroup
	done.Go(func() {
		if out, err := other.CombinedOutput(); err != nil {
			t.Errorf("the other process: %v: %s", err, out)
		}
	})
	writeMuch(t, dsn, keys, d.init, "a")
	done.Wait()
	report, err := d.Verify(t.Context(), nil)
	if want := int64(3 + 2*writersEach*writesEach); err != nil || !report.OK || report.Size != want {
		t.Errorf("the log: %+v, %v; want %d events", report, err, want)
	}
	accounts, err := d.Reconcile(t.Context())
	if err != nil || accounts.Compared != 1+2*writersEach*writesEach || len(accounts.Differences) > 0 {
		t.Errorf("accounts compared: %+v, %v", accounts, err)
	}
}

// writeMuch is one process of them.
func writeMuch(t *testing.T, dsn, keys string, session logiqc.Secret, name string) {
	var done sync.WaitGroup
	for w := range writersEach {
		done.Go(func() {
			if err := writer(t, dsn, keys, session, fmt.Sprintf("%s%d", name, w)); err != nil {
				t.Errorf("writer %d: %v", w, err)
			}
		})
	}
	done.Wait()
}

func writer(t *testing.T, dsn, keys string, session logiqc.Secret, name string) error {
	s, err := store.Open(dsn, store.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	d := service.New(s, func(string) (service.Keys, error) { return service.KeysIn(keys), nil })
	actor, err := d.Authenticate(t.Context(), session, logiqc.Source{Host: "desk-3"})
	if err != nil {
		return err
	}
	for i := range writesEach {
		// Half a minute for its turn: thirty-two turns take half a second.
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		user := fmt.Sprintf("%s.%d", name, i)
		_, e := d.As(actor).AddUser(ctx, logiqc.NewUser{Username: user, Email: user + "@example.org", Auth: logiqc.BySSO})
		cancel()
		err = errors.Join(err, e)
	}
	return err
}
