package service_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/servicetest"
	"github.com/logiqc/logiqc/pkg/store"
)

const testOrigin = "logiqc/test/store-1"

var (
	system = logiqc.Actor{Kind: logiqc.System, Source: logiqc.Source{Host: "desk-3", OSUser: "root"}}
	given  = logiqc.Request{Consent: logiqc.Consent{Given: true}}
)

func (d *desk) keys() string { return filepath.Join(filepath.Dir(d.path), "keys", "store-1") }

// openAt opens the store at path with the keys in a folder.
func (d *desk) openAt(t *testing.T, path, keys string) *service.Desk {
	t.Helper()
	s, err := store.OpenSQLite(path, store.Options{Now: d.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return service.New(s, func(string) (service.Keys, error) { return service.KeysIn(keys), nil })
}

func (d *desk) verifiers(t *testing.T) []note.Verifier {
	t.Helper()
	e, err := d.Audit(system).Evidence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	verifiers, err := service.ParseVerifiers(e.Keys...)
	if err != nil {
		t.Fatal(err)
	}
	return verifiers
}

func (d *desk) checkpoint(t *testing.T) logiqc.Checkpoint {
	t.Helper()
	c, err := d.Audit(system).SignCheckpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// happens adds events to the log.
func (d *desk) happens(t *testing.T, users ...string) {
	t.Helper()
	helen, err := d.As(t.Context(), d.init)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range users {
		if _, err := helen.AddUser(t.Context(), logiqc.NewUser{Request: given, Username: u, Email: u + "@example.org"}); err != nil {
			t.Fatal(err)
		}
	}
}

// copyTo copies the store as a backup would.
func (d *desk) copyTo(t *testing.T, path string) {
	t.Helper()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(d.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCheckpointIsKeptTwice(t *testing.T) {
	d := openDesk(t)
	first := d.checkpoint(t)
	head, err := ledger.OpenCheckpoint([]byte(first.Note), testOrigin, d.verifiers(t)...)
	if err != nil || head.Size != first.Size || logiqc.Hash(head.Root) != first.Root || head.Size == 0 {
		t.Fatalf("checkpoint %+v opens as %+v, %v", first, head, err)
	}
	d.happens(t, "jlee")
	second := d.checkpoint(t)
	if second.Size != head.Size+1 {
		t.Errorf("after one event: %+v", second.LogHead)
	}
	if again := d.checkpoint(t); again != second {
		t.Errorf("nothing happened, and the checkpoint changed from %+v to %+v", second, again)
	}
	e, err := d.Audit(system).Evidence(t.Context())
	if err != nil || e.Last.Note != second.Note || e.State != second.Note || e.Last.Size != second.Size ||
		e.Last.At != logiqc.At(d.Now()) || e.Origin != testOrigin || e.StoreID != "store-1" {
		t.Errorf("kept: %+v, %v", e, err)
	}
	info, err := os.Stat(filepath.Join(d.keys(), "log.state"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("log.state: %v, %v", info.Mode(), err)
	}
	d.Check(t)
}

func TestOrdinaryCommandsSignNothing(t *testing.T) {
	d := openDesk(t)
	d.happens(t, "jlee")
	if e, err := d.Audit(system).Evidence(t.Context()); err != nil || e.Last.Note != "" || e.State != "" {
		t.Errorf("signed: %+v, %v", e, err)
	}
}

// A backup of yesterday is put back: whoever has the keys refuses to write to
// it and to sign it; without the keys folder it works, since resets must.
func TestRestoredBackupIsRefused(t *testing.T) {
	d := openDesk(t)
	d.happens(t, "jlee")
	step, err := d.SignIn().Start(t.Context(), logiqc.SigninRequest{User: "helen", Password: servicetest.Password, Purpose: logiqc.SigninPurpose})
	if err != nil {
		t.Fatal(err)
	}
	desk := d.deskToken(t)
	dir := t.TempDir()
	old := filepath.Join(dir, "logiqc.db")
	d.copyTo(t, old)
	d.happens(t, "mchen")
	d.checkpoint(t)

	restored := d.openAt(t, old, d.keys())
	actor, err := restored.Authenticate(t.Context(), d.init, logiqc.Source{})
	if err != nil {
		t.Fatal(err)
	}
	helen := restored.As(actor)
	add := logiqc.NewUser{Request: given, Username: "eve", Email: "eve@example.org"}
	_, err = helen.AddUser(t.Context(), add)
	wantIntegrity(t, err, ledger.Truncated)
	_, err = restored.Audit(system).SignCheckpoint(t.Context())
	wantIntegrity(t, err, ledger.Truncated)
	dry := add
	dry.DryRun = true
	_, err = helen.AddUser(t.Context(), dry)
	wantIntegrity(t, err, ledger.Truncated)
	if _, err := restored.SignIn().Start(t.Context(), logiqc.SigninRequest{User: "helen", Password: servicetest.Password,
		Purpose: logiqc.SigninPurpose}); !errors.Is(err, logiqc.Integrity) {
		t.Errorf("a sign-in: %v", err)
	}
	if _, err := helen.GetUser(t.Context(), "jlee"); err != nil {
		t.Errorf("reading: %v", err)
	}
	_, err = restored.SignIn().StartEnrolment(t.Context(), step.Token, logiqc.Source{})
	wantIntegrity(t, err, ledger.Truncated)
	_, err = restored.As(desk).Tokens(t.Context()) // a refusal is an event
	wantIntegrity(t, err, ledger.Truncated)

	without := d.openAt(t, old, filepath.Join(dir, "none"))
	if _, err := without.As(actor).AddUser(t.Context(), add); err != nil {
		t.Fatalf("without the keys: %v", err)
	}
	// Now the log is as long as the signed one, and another.
	_, err = helen.AddUser(t.Context(), logiqc.NewUser{Request: given, Username: "mallory", Email: "m@example.org"})
	wantIntegrity(t, err, ledger.Forked)
	_, err = restored.Audit(system).SignCheckpoint(t.Context())
	wantIntegrity(t, err, ledger.Forked)
}

func wantIntegrity(t *testing.T, err error, problem ledger.Problem) {
	t.Helper()
	if !errors.Is(err, logiqc.Integrity) || ledger.ProblemOf(err) != problem || logiqc.AsError(err).Hint == "" {
		t.Errorf("error %v (%s), want integrity, %s, with a hint", err, ledger.ProblemOf(err), problem)
	}
}

func TestGuardRefusesOtherState(t *testing.T) {
	d := openDesk(t)
	good := d.checkpoint(t)
	other, _, err := ledger.GenerateKey(zeros{}, "logiqc/other/87654321")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(other)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := ledger.SignCheckpoint(ledger.Head{Size: good.Size, Root: ledger.Hash(good.Root)}, signer)
	if err != nil {
		t.Fatal(err)
	}
	helen, err := d.As(t.Context(), d.init)
	if err != nil {
		t.Fatal(err)
	}
	for problem, state := range map[ledger.Problem]string{
		ledger.WrongOrigin: string(elsewhere), ledger.BadSignature: "not a checkpoint",
	} {
		if err := os.WriteFile(filepath.Join(d.keys(), "log.state"), []byte(state), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := helen.AddUser(t.Context(), logiqc.NewUser{Request: given, Username: "x", Email: "x@example.org"})
		wantIntegrity(t, err, problem)
	}
}

// zeros is a source of bad randomness.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestProofAndReceipt(t *testing.T) {
	d := openDesk(t)
	d.happens(t, "jlee", "mchen")
	for seq := range int64(4) {
		text, err := d.Audit(system).Prove(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		p, err := ledger.VerifyProof([]byte(text.Proof), nil, testOrigin, d.verifiers(t)...)
		if err != nil || p.Seq != seq || p.Head.Size < 4 {
			t.Errorf("proof of %d: %+v, %v", seq, p, err)
		}
		if _, err := logiqc.ParseLeaf(seq, p.Leaf); err != nil {
			t.Errorf("event %d: %v", seq, err)
		}
	}
	if _, err := d.Audit(system).Prove(t.Context(), 99); !errors.Is(err, logiqc.NotFound) {
		t.Errorf("event 99: %v", err)
	}
	actor, err := d.Authenticate(t.Context(), d.init, logiqc.Source{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := d.Desk.As(actor).EventAt(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Audit(actor).Receipt(t.Context(), logiqc.AuditRef{Seq: 3, ID: e.ID}); !errors.Is(err, logiqc.NotFound) {
		t.Errorf("a receipt of %s: %v", e.Action, err)
	}
}

// deskToken is a token of the help desk.
func (d *desk) deskToken(t *testing.T) logiqc.Actor {
	t.Helper()
	helen, err := d.As(t.Context(), d.init)
	if err != nil {
		t.Fatal(err)
	}
	_, bearer, err := helen.CreateToken(t.Context(), logiqc.NewToken{Request: given, Name: "bot", Role: logiqc.RoleHelpdesk, Lifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	bot, err := d.Authenticate(t.Context(), bearer, logiqc.Source{})
	if err != nil {
		t.Fatal(err)
	}
	return bot
}

// Whoever may not check the log gets neither checkpoint nor proof, and the
// attempt is recorded.
func TestCheckpointIsForAuditors(t *testing.T) {
	d := openDesk(t)
	helen, err := d.As(t.Context(), d.init)
	if err != nil {
		t.Fatal(err)
	}
	bot := d.deskToken(t)
	_, err1 := d.Audit(bot).SignCheckpoint(t.Context())
	_, err2 := d.Audit(bot).Prove(t.Context(), 0)
	_, err3 := d.Audit(bot).Evidence(t.Context())
	for _, err := range []error{err1, err2, err3} {
		if !errors.Is(err, logiqc.Forbidden) {
			t.Errorf("a help-desk token: %v", err)
		}
	}
	page, err := helen.Events(t.Context(), logiqc.EventQuery{Actions: []logiqc.Action{logiqc.AuditViewed}, Outcome: logiqc.Denied})
	if err != nil || len(page.Events) != 3 {
		t.Errorf("%d refusals recorded, %v", len(page.Events), err)
	}
}
