package httpapi_test

import (
	"context"
	"database/sql"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/httpapi"
)

// What goes wrong inside is for the server's log: whoever asks learns that
// something did, and a stranger nothing of the store's place either (S-88).
func TestTroubleIsNotTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "canary.db")
	d := openDeskAt(t, path, false)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`UPDATE account SET contact_changed_at = 'canary'`); err != nil {
		t.Fatal(err)
	}
	if e := d.exchange(t, d.init, "GET", "/v1/users", ""); e.status != 500 || answerCode(e) != "internal" || strings.Contains(string(e.body), "canary") {
		t.Errorf("a failure inside: %d %s", e.status, e.body)
	}
	if err := os.Rename(path, path+".gone"); err != nil {
		t.Fatal(err)
	}
	e := d.exchange(t, "", "POST", "/v1/signin", `{"user":"helen","password":"x","purpose":"signin"}`)
	if e.status != 503 || answerCode(e) != "unavailable" || strings.Contains(string(e.body), "canary") {
		t.Errorf("a store that is not there, to a stranger: %d %s", e.status, e.body)
	}
}

// A panic is answered as a failure inside; the log has where it was, and not its
// value, which may be a secret (S-46).
func TestPanicIsNotTold(t *testing.T) {
	var log strings.Builder
	s := httptest.NewServer(httpapi.Handler(openDesk(t).behind, httpapi.Options{
		Log:   slog.New(slog.NewTextHandler(&log, nil)),
		Ready: func(context.Context) error { panic("canary") },
	}))
	e := (&desk{server: s}).exchange(t, "", "GET", "/readyz", "")
	s.Close()
	if e.status != 500 || answerCode(e) != "internal" {
		t.Errorf("%d %s", e.status, e.body)
	}
	if !strings.Contains(log.String(), "TestPanicIsNotTold") || strings.Contains(log.String()+string(e.body), "canary") {
		t.Errorf("%s\nin the log:\n%s", e.body, log.String())
	}
}
