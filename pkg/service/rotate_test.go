package service_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/servicetest"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/totp"
)

func (d *desk) keyList(t *testing.T, kind service.KeyKind) (keys []service.KeyInfo) {
	t.Helper()
	all, err := d.StoreKeys(t.Context(), system)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range all {
		if k.Kind == kind {
			keys = append(keys, k)
		}
	}
	return keys
}

func wantSigned(t *testing.T, c logiqc.Checkpoint, want bool, v note.Verifier) {
	t.Helper()
	if _, err := ledger.OpenCheckpoint([]byte(c.Note), testOrigin, v); (err == nil) != want {
		t.Errorf("checked with %s: %v, want signed %v", service.KeyName(v), err, want)
	}
}

// Old and new sign for a while; then only the new one does.
func TestRotateLogKey(t *testing.T) {
	d := openDesk(t)
	d.checkpoint(t)
	before := d.verifiers(t)
	line, _, err := d.RotateLogKey(t.Context(), system, given)
	if err != nil {
		t.Fatal(err)
	}
	both := d.verifiers(t)
	if len(both) != 2 || both[1].KeyHash() != before[0].KeyHash() || service.KeyName(both[0])[:len(testOrigin)] != testOrigin {
		t.Fatalf("%d verifiers after %q", len(both), line)
	}
	e, err := d.Audit(system).Evidence(t.Context()) // signed with both, so that the next one can go at any time
	if err != nil {
		t.Fatal(err)
	}
	wantSigned(t, e.Last, true, both[0])
	wantSigned(t, e.Last, true, both[1])
	d.happens(t, "jlee")
	c := d.checkpoint(t)
	wantSigned(t, c, true, both[0])
	wantSigned(t, c, true, both[1])

	old, current := service.KeyName(both[1]), service.KeyName(both[0])
	if _, err := d.RetireKey(t.Context(), system, given, current); !errors.Is(err, logiqc.PolicyRefused) {
		t.Errorf("retiring the current key: %v", err)
	}
	if _, err := d.RetireKey(t.Context(), system, given, "logiqc/x+00000000"); !errors.Is(err, logiqc.NotFound) {
		t.Errorf("retiring no key: %v", err)
	}
	dry := given
	dry.DryRun = true
	if _, err := d.RetireKey(t.Context(), system, dry, old); err != nil || len(d.keyList(t, service.LogKeys)) != 2 {
		t.Errorf("dry run: %v", err)
	}
	if _, err := d.RetireKey(t.Context(), system, given, old); err != nil {
		t.Fatal(err)
	}
	c = d.checkpoint(t)
	wantSigned(t, c, true, both[0])
	wantSigned(t, c, false, both[1])
	d.happens(t, "mchen")
	d.checkpoint(t) // continues what the new key signed
	d.Check(t)
	d.wantEvents(t, logiqc.KeyRotated, 1)
	d.wantEvents(t, logiqc.KeyRetired, 2) // one refused
}

func (d *desk) wantEvents(t *testing.T, action logiqc.Action, n int) {
	t.Helper()
	helen, err := d.As(t.Context(), d.init)
	if err != nil {
		t.Fatal(err)
	}
	page, err := helen.Events(t.Context(), logiqc.EventQuery{Actions: []logiqc.Action{action}})
	if err != nil || len(page.Events) != n {
		t.Errorf("%d events %s, %v; want %d", len(page.Events), action, err, n)
	}
}

func TestRotateDryRunAndRetry(t *testing.T) {
	d := openDesk(t)
	dry := given
	dry.DryRun = true
	if _, _, err := d.RotateLogKey(t.Context(), system, dry); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.RotateSealKey(t.Context(), system, dry); err != nil {
		t.Fatal(err)
	}
	if all, err := d.StoreKeys(t.Context(), system); err != nil || len(all) != 2 {
		t.Errorf("a dry run left %v, %v", all, err)
	}
	again := given
	again.RequestID, again.Remember = "r1", true
	first, _, err1 := d.RotateLogKey(t.Context(), system, again)
	second, replayed, err2 := d.RotateLogKey(t.Context(), system, again)
	if err1 != nil || err2 != nil || first != second || !replayed || len(d.keyList(t, service.LogKeys)) != 2 {
		t.Errorf("a retry made %q after %q: %v, %v", second, first, err1, err2)
	}
}

// Secrets move to the new key in batches, also that of an enrolment under way;
// the old one can go only then, and what it sealed is in no file any more (S-64).
func TestRotateSealKey(t *testing.T) {
	d := openDesk(t)
	for i, name := range []string{"jlee", "mchen"} {
		d.happens(t, name)
		d.importApp(t, name, byte(i))
	}
	enrolling, pending := d.startEnrolment(t, "helen")
	old := d.keyList(t, service.SealKeys)
	if len(old) != 1 || old[0].Sealed != 3 || !old[0].Current {
		t.Fatalf("before: %+v", old)
	}
	sealed := d.sealed(t)
	id, _, err := d.RotateSealKey(t.Context(), system, given)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.RetireKey(t.Context(), system, given, old[0].ID); !errors.Is(err, logiqc.PolicyRefused) {
		t.Errorf("retiring a key in use: %v", err)
	}
	var told int64
	for i, want := range []int{3, 0} {
		n, err := d.Reseal(t.Context(), system, given, func(done int64) { told = done })
		if err != nil || n != want {
			t.Errorf("run %d sealed %d again, %v; want %d", i, n, err, want)
		}
	}
	if told != 0 {
		t.Errorf("the second run told of %d", told)
	}
	now := d.keyList(t, service.SealKeys)
	if len(now) != 2 || now[0].ID != id || now[0].Sealed != 3 || now[1].Sealed != 0 {
		t.Errorf("after: %+v", now)
	}
	if _, err := d.RetireKey(t.Context(), system, given, old[0].ID); err != nil {
		t.Fatal(err)
	}
	for _, text := range sealed {
		for _, file := range []string{d.path, d.path + "-wal"} {
			if data, err := os.ReadFile(file); err != nil || bytes.Contains(data, []byte(text)) {
				t.Errorf("%s has what the old key sealed: %v", filepath.Base(file), err)
			}
		}
	}
	d.signInWithApp(t, "jlee", 0)
	if _, err := d.SignIn().ProveEnrolment(t.Context(), enrolling.Token, totp.Code(pending, totp.Step(d.Now())), logiqc.Source{}); err != nil {
		t.Errorf("the enrolment under way: %v", err)
	}
	d.Check(t)
}

// startEnrolment begins one and returns the key it showed.
func (d *desk) startEnrolment(t *testing.T, username string) (logiqc.Attempt, totp.Key) {
	t.Helper()
	at, err := d.SignIn().Start(t.Context(), logiqc.SigninRequest{User: username, Password: servicetest.Password, Purpose: logiqc.SigninPurpose})
	if err != nil {
		t.Fatal(err)
	}
	return at, d.shownKey(t, at)
}

// shownKey is the key of an enrolment that a sign-in starts.
func (d *desk) shownKey(t *testing.T, at logiqc.Attempt) totp.Key {
	t.Helper()
	p, err := d.SignIn().StartEnrolment(t.Context(), at.Token, logiqc.Source{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := totp.ParseKey(p.Secret.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sealed are the secrets as they are in the store.
func (d *desk) sealed(t *testing.T) (texts []string) {
	t.Helper()
	d.raw(t, func(tx *store.Tx) error {
		all, err := tx.SealedSecrets("", 100)
		for _, s := range all {
			texts = append(texts, s.Sealed)
		}
		return err
	})
	return texts
}

// A signing key that cannot be read is named by its file, not by its text: a
// line of it is the key itself (S-63).
func TestDamagedSigningKeyIsNotQuoted(t *testing.T) {
	d := openDesk(t)
	path := filepath.Join(d.keys(), "log.key")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("X"+string(good)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = d.Audit(system).SignCheckpoint(t.Context())
	if !errors.Is(err, logiqc.Unavailable) || !strings.Contains(err.Error(), path+" is damaged") {
		t.Errorf("a damaged key: %v", err)
	}
	if line := strings.TrimSpace(string(good)); strings.Contains(err.Error(), line[len(line)-20:]) {
		t.Error("the error has the key")
	}
}

// A secret that was moved to another account is not sealed again as if it were
// that one's.
func TestResealRefusesMovedSecrets(t *testing.T) {
	d := openDesk(t)
	d.happens(t, "jlee", "mchen")
	d.importApp(t, "jlee", 0)
	d.importApp(t, "mchen", 1)
	if _, _, err := d.RotateSealKey(t.Context(), system, given); err != nil {
		t.Fatal(err)
	}
	d.exec(t, `UPDATE enrolment SET sealed = (SELECT max(sealed) FROM enrolment)`)
	if _, err := d.Reseal(t.Context(), system, given, nil); !errors.Is(err, logiqc.Integrity) {
		t.Errorf("sealed again: %v", err)
	}
}

func TestKeysAreForAdmins(t *testing.T) {
	d := openDesk(t)
	nobody := logiqc.Actor{}
	_, err1 := d.StoreKeys(t.Context(), nobody)
	_, _, err2 := d.RotateLogKey(t.Context(), nobody, given)
	_, _, err3 := d.RotateSealKey(t.Context(), nobody, given)
	_, err4 := d.Reseal(t.Context(), nobody, given, nil)
	_, err5 := d.RetireKey(t.Context(), nobody, given, "x")
	for i, err := range []error{err1, err2, err3, err4, err5} {
		if !errors.Is(err, logiqc.Forbidden) {
			t.Errorf("call %d: %v", i+1, err)
		}
	}
}

func appOf(b byte) totp.Key {
	key, err := totp.KeyFromBytes(bytes.Repeat([]byte{b + 1}, 20))
	if err != nil {
		panic(err)
	}
	return key
}

// importApp gives an account an app and the password of the suite.
func (d *desk) importApp(t *testing.T, username string, b byte) {
	t.Helper()
	helen, err := d.As(t.Context(), d.init)
	if err != nil {
		t.Fatal(err)
	}
	row := logiqc.ImportRow{Row: 1, Username: username, TOTP: logiqc.Secret(totp.URI("Logiqc", username, appOf(b)))}
	_, err1 := helen.ImportUsers(t.Context(), logiqc.Import{Request: given, OnExisting: logiqc.ExistingUpdate,
		Rows: func(yield func(logiqc.ImportRow, error) bool) { yield(row, nil) }})
	_, err2 := helen.SetPassword(t.Context(), logiqc.PasswordChange{Request: given, User: username, New: servicetest.Password})
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
}

func (d *desk) signInWithApp(t *testing.T, username string, b byte) {
	t.Helper()
	at, err := d.SignIn().Start(t.Context(), logiqc.SigninRequest{User: username, Password: servicetest.Password, Purpose: logiqc.SigninPurpose})
	if err != nil {
		t.Fatal(err)
	}
	at, err = d.SignIn().Code(t.Context(), at.Token, totp.Code(appOf(b), totp.Step(d.Now())), logiqc.Source{})
	if err != nil || at.Stage != logiqc.StageSignedIn {
		t.Errorf("sign-in with the app: %+v, %v", at, err)
	}
}

// exec changes the store behind the service's back.
func (d *desk) exec(t *testing.T, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", d.path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}
