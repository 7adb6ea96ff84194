package service_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/store"
)

// keep puts a checkpoint into the store at path, as the last one signed.
func (d *desk) keep(t *testing.T, path string, c logiqc.Checkpoint) {
	t.Helper()
	s, err := store.OpenSQLite(path, store.Options{Now: d.Now})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), func(tx *store.Tx) error {
		return tx.SetCheckpoint(store.Checkpoint{Size: c.Size, At: c.At, Note: c.Note})
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
}

// forge is the checkpoint under the name of the log's key, signed with another.
func forge(t *testing.T, c logiqc.Checkpoint) logiqc.Checkpoint {
	t.Helper()
	key, _, err := ledger.GenerateKey(zeros{}, testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := ledger.SignCheckpoint(ledger.Head{Size: c.Size, Root: ledger.Hash(c.Root)}, signer)
	if err != nil {
		t.Fatal(err)
	}
	c.Note = string(text)
	return c
}

// The checkpoint in the store is held against the log too, where log.state has
// been lost: a log that is shorter than it, another, or signed with another key
// is not signed.
func TestCheckpointInTheStoreIsEnough(t *testing.T) {
	d := openDesk(t)
	state := filepath.Join(d.keys(), "log.state")
	d.happens(t, "jlee", "mchen")
	d.checkpoint(t)
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}
	d.happens(t, "rgold")
	c := d.checkpoint(t)
	if text, err := os.ReadFile(state); err != nil || string(text) != c.Note {
		t.Errorf("log.state is not back: %q, %v", text, err)
	}

	old := filepath.Join(t.TempDir(), "logiqc.db")
	d.copyTo(t, old)
	d.happens(t, "swong")
	newest := d.checkpoint(t)
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}
	d.keep(t, old, newest)
	other := d.openAt(t, old, d.keys())
	sign := func(problem ledger.Problem) {
		t.Helper()
		_, err := other.Audit(system).SignCheckpoint(t.Context())
		wantIntegrity(t, err, problem)
	}
	sign(ledger.Truncated)
	keep := logiqc.NewAnchor{Place: "file:x", Note: newest.Note}
	wantIntegrity(t, other.Audit(system).KeepAnchor(t.Context(), keep), ledger.Truncated)
	actor, err := other.Authenticate(t.Context(), d.init, logiqc.Source{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.As(actor).AddUser(t.Context(), logiqc.NewUser{Request: given, Username: "eve", Email: "eve@example.org"}); err != nil {
		t.Fatal(err)
	}
	sign(ledger.Forked)
	d.keep(t, old, forge(t, c))
	sign(ledger.BadSignature)
	if _, err := os.Stat(state); err == nil {
		t.Error("refused, and log.state was written")
	}
	d.keep(t, old, c)
	if _, err := other.Audit(system).SignCheckpoint(t.Context()); err != nil {
		t.Errorf("what it continues: %v", err)
	}
}

// A log.state that another key signed, of the very log, vouches for nothing.
func TestStateOfAnotherKeyIsNotContinued(t *testing.T) {
	d := openDesk(t)
	c := d.checkpoint(t)
	if err := os.WriteFile(filepath.Join(d.keys(), "log.state"), []byte(forge(t, c).Note), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := d.Audit(system).SignCheckpoint(t.Context())
	wantIntegrity(t, err, ledger.BadSignature)
}

// Where writers share a transaction, what is signed is committed already: its
// end may fail, and log.state would be ahead of the log for good.
func TestSignsWhatIsCommitted(t *testing.T) {
	d := openDesk(t)
	s, err := store.OpenSQLite(d.path, store.Options{Now: d.Now, Group: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	var committed int64 // when the keys were asked for last
	signing := service.New(s, func(string) (service.Keys, error) {
		head, err := d.Audit(system).LogHead(context.Background())
		committed = head.Size
		return service.KeysIn(d.keys()), err
	})
	adding := service.New(s, func(string) (service.Keys, error) { return service.KeysIn(d.keys()), nil })
	actor, err := adding.Authenticate(t.Context(), d.init, logiqc.Source{})
	if err != nil {
		t.Fatal(err)
	}
	holding, release, errs := make(chan struct{}), make(chan struct{}), make(chan error)
	start := func(do func() error) {
		go func() { errs <- do() }()
		time.Sleep(20 * time.Millisecond) // so that they wait in this order
	}
	go func() {
		_ = s.Update(context.Background(), func(*store.Tx) error { close(holding); <-release; return errors.New("nothing") })
	}()
	<-holding
	add := func(name string) {
		start(func() error {
			_, err := adding.As(actor).AddUser(context.Background(), logiqc.NewUser{Request: given, Username: name, Email: name + "@example.org"})
			return err
		})
	}
	add("jlee")
	add("mchen")
	var c logiqc.Checkpoint
	start(func() (err error) {
		c, err = signing.Audit(system).SignCheckpoint(context.Background())
		return err
	})
	add("rgold")
	close(release)
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if c.Size == 0 || c.Size != committed {
		t.Errorf("%d events were signed when %d were committed", c.Size, committed)
	}
}
