package service_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/servicetest"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

// finding is what a checkup says of one thing.
func (d *desk) finding(t *testing.T, check string) logiqc.CheckupFinding {
	t.Helper()
	c, err := d.Audit(system).Checkup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range c.Findings {
		if f.Check == check {
			return f
		}
	}
	t.Fatalf("nothing is said of %s: %+v", check, c)
	return logiqc.CheckupFinding{}
}

func addAdmin(t *testing.T, d *desk, name string) {
	t.Helper()
	helen, err := d.As(t.Context(), d.init)
	if err == nil {
		_, err = helen.AddUser(t.Context(), logiqc.NewUser{Request: given, Username: name, Email: name + "@x", Role: logiqc.RoleAdmin})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// kept anchors a checkpoint of the log.
func kept(t *testing.T, d *desk) {
	t.Helper()
	c := d.checkpoint(t)
	if err := d.Audit(system).KeepAnchor(t.Context(), logiqc.NewAnchor{Place: "file:/worm", Note: c.Note}); err != nil {
		t.Fatal(err)
	}
}

// byHand does something to the store, and to helen, past the rules.
func byHand(fn func(tx *store.Tx, helen logiqc.User) error) func(*testing.T, *desk) {
	return func(t *testing.T, d *desk) {
		d.raw(t, func(tx *store.Tx) error {
			u, err := tx.UserExact("helen")
			if err != nil {
				return err
			}
			return fn(tx, u)
		})
	}
}

// checkups are what is done to a store, and what doctor says of one of its checks
// then.
var checkups = map[string]struct {
	do    func(t *testing.T, d *desk)
	check string
	grade logiqc.Grade
	said  string
	next  string
}{
	"the clock is behind the events": {func(_ *testing.T, d *desk) { d.Advance(-24 * time.Hour) }, "clock", logiqc.GradeProblem, "the newest event is of 2026-11-23", "timedatectl"},
	"the clock is a little behind":   {func(_ *testing.T, d *desk) { d.Advance(-4 * time.Second) }, "clock", logiqc.GradeOK, "nothing is later", ""},
	"the clock is behind the codes": {func(t *testing.T, d *desk) {
		byHand(func(tx *store.Tx, u logiqc.User) error {
			return tx.PutEnrolled(logiqc.Enrolment{ID: "e", UserID: u.ID, Step: d.Now().AddDate(1, 0, 0).Unix() / 30})
		})(t, d)
	}, "clock", logiqc.GradeProblem, "app codes of later times have been accepted (1 account)", "timedatectl"},
	"the clock of 2038": {func(_ *testing.T, d *desk) { d.Advance(time.Date(2038, 1, 20, 0, 0, 0, 0, time.UTC).Sub(d.Now())) }, "clock", logiqc.GradeOK, "2038-01-20", ""},
	"the clock went back": {func(t *testing.T, d *desk) {
		d.Advance(-time.Hour)
		d.happens(t, "ann")
		d.Advance(2 * time.Hour)
		d.happens(t, "bob")
	}, "order", logiqc.GradeWarn, "the clock went back: event 3 is of", "NTP"},
	"times grow":        {func(t *testing.T, d *desk) { d.happens(t, "ann") }, "order", logiqc.GradeOK, "", ""},
	"one admin":         {nil, "admins", logiqc.GradeWarn, "only one active administrator", "users add"},
	"two admins":        {func(t *testing.T, d *desk) { addAdmin(t, d, "tom") }, "admins", logiqc.GradeOK, "2 administrators", ""},
	"no admin":          {byHand(func(tx *store.Tx, u logiqc.User) error { u.Role = logiqc.RoleUser; return tx.UpdateUser(&u) }), "admins", logiqc.GradeProblem, "no active administrator", ""},
	"it has moved":      {byHand(func(tx *store.Tx, _ logiqc.User) error { return tx.SetMoved("postgres://db1/x", true) }), "state", logiqc.GradeWarn, "has moved to postgres://db1/x", "--store postgres://db1/x"},
	"a move is begun":   {byHand(func(tx *store.Tx, _ logiqc.User) error { return tx.SetMoved("postgres://db1/x", false) }), "state", logiqc.GradeWarn, "begun and not finished", "store thaw"},
	"it is frozen":      {byHand(func(tx *store.Tx, _ logiqc.User) error { return tx.SetFrozen(true, "INC-9001") }), "state", logiqc.GradeWarn, "frozen: INC-9001", "store thaw"},
	"it takes changes":  {nil, "state", logiqc.GradeOK, "takes changes", ""},
	"nothing is signed": {nil, "guard", logiqc.GradeWarn, "no log.state here", "audit checkpoint"},
	"it is guarded":     {kept, "guard", logiqc.GradeOK, "continues what was signed", ""},
	"log.state is of another log": {func(t *testing.T, d *desk) {
		kept(t, d)
		if err := os.WriteFile(filepath.Join(d.keys(), "log.state"), []byte("nothing\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}, "guard", logiqc.GradeProblem, "not the log that checkpoints were signed of", "audit verify"},
	"log.state is everybody's": {func(t *testing.T, d *desk) {
		kept(t, d)
		if err := os.Chmod(filepath.Join(d.keys(), "log.state"), 0o644); err != nil {
			t.Fatal(err)
		}
	}, "keys", logiqc.GradeProblem, "log.state", "chmod 600"},
	"keys are everybody's": {func(t *testing.T, d *desk) {
		if err := os.Chmod(filepath.Join(d.keys(), "seal.json"), 0o640); err != nil {
			t.Fatal(err)
		}
	}, "keys", logiqc.GradeProblem, "seal.json", "chmod 600"},
	"the folder is everybody's": {func(t *testing.T, d *desk) {
		if err := os.Chmod(d.keys(), 0o755); err != nil {
			t.Fatal(err)
		}
	}, "keys", logiqc.GradeProblem, "store-1", "chmod 700"},
	"a key is missing": {func(t *testing.T, d *desk) {
		if err := os.Remove(filepath.Join(d.keys(), "log.key")); err != nil {
			t.Fatal(err)
		}
	}, "keys", logiqc.GradeWarn, "keys of this store are not here", "--keys DIR"},
	"the keys are here":  {nil, "keys", logiqc.GradeOK, "for their owner only", ""},
	"no checkpoint":      {nil, "checkpoint", logiqc.GradeWarn, "no checkpoint", "audit checkpoint"},
	"a fresh checkpoint": {kept, "checkpoint", logiqc.GradeOK, "less than an hour old, and of the whole log", ""},
	"an old checkpoint":  {func(t *testing.T, d *desk) { kept(t, d); d.Advance(8 * 24 * time.Hour); d.something(t) }, "checkpoint", logiqc.GradeWarn, "8 days old, and 1 event behind", "audit checkpoint"},
	"nothing new is ok":  {func(t *testing.T, d *desk) { kept(t, d); d.Advance(80 * 24 * time.Hour) }, "checkpoint", logiqc.GradeOK, "of the whole log", ""},
	"no anchor":          {nil, "anchor", logiqc.GradeWarn, "could rewrite the log unseen", "audit push"},
	"a fresh anchor":     {kept, "anchor", logiqc.GradeOK, "at file:/worm, is less than an hour old", ""},
	"an old anchor":      {func(t *testing.T, d *desk) { kept(t, d); d.Advance(8 * 24 * time.Hour); d.something(t) }, "anchor", logiqc.GradeWarn, "at file:/worm, is 8 days old", "audit push"},
	"a witness never asked": {func(t *testing.T, d *desk) {
		d.something(t)
	}, "witness", logiqc.GradeWarn, "has cosigned nothing yet", "audit push"},
}

// Each thing that doctor looks at is ok in a store that is well kept, and is
// found when it is not, with what to do.
func TestCheckup(t *testing.T) {
	for name, c := range checkups {
		t.Run(name, func(t *testing.T) {
			d := openDesk(t)
			if c.do != nil {
				c.do(t, d)
			}
			f := d.finding(t, c.check)
			if f.Grade != c.grade || !strings.Contains(f.Said, c.said) || !strings.Contains(f.Next, c.next) || (f.Next == "") != (c.next == "") {
				t.Errorf("%+v, want %s, %q and the next step %q", f, c.grade, c.said, c.next)
			}
		})
	}
}

// something adds an event, whoever is signed in.
func (d *desk) something(t *testing.T) {
	t.Helper()
	_, err := d.Audit(system).AddWitness(t.Context(), logiqc.NewWitness{URL: "http://127.0.0.1:9",
		Key: "witness.example/w1+7e136b5c+BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"})
	if err != nil {
		t.Fatal(err)
	}
}

// A database server is looked at too: one that may forget what it answered, one
// that searches without its index, and one that can only be read, which is not
// ready to be served from either.
func TestCheckupOfServer(t *testing.T) {
	dsn := pgtest.Database(t)
	ring, _, err := service.CreateKeys(filepath.Join(t.TempDir(), "store-1"), "logiqc/test/store-1")
	if err != nil {
		t.Fatal(err)
	}
	keys := func(string) (service.Keys, error) { return ring, nil }
	made, _, err := service.Create(t.Context(), dsn, store.Options{}, keys, service.NewStore{ID: "store-1", Origin: "logiqc/test/store-1", Issuer: "Logiqc",
		Admin: logiqc.NewUser{Username: "helen", Email: "helen@example.org", Password: servicetest.Password}})
	if err != nil {
		t.Fatal(err)
	}
	if err := made.Close(); err != nil {
		t.Fatal(err)
	}
	if pgtest.Value(t, dsn, `SHOW fsync`) == "on" || pgtest.Value(t, dsn, `SELECT to_regclass('account_text_folded') IS NULL`) == "true" {
		t.Skip("is about a server that is only for tests")
	}
	for name, c := range map[string]struct {
		dsn, ddl, check, said, next string
		grade                       logiqc.Grade
	}{
		"careless":  {dsn, "", "server", "may be lost with the machine", "SET fsync = on", logiqc.GradeWarn},
		"an index":  {dsn, "", "search", "by an index", "", logiqc.GradeOK},
		"no index":  {dsn, `DROP INDEX account_text_folded`, "search", "every account", "CREATE EXTENSION pg_trgm", logiqc.GradeWarn},
		"only read": {pgtest.With(t, dsn, "default_transaction_read_only", "on"), "", "server", "can only be read", "target_session_attrs", logiqc.GradeWarn},
	} {
		t.Run(name, func(t *testing.T) {
			if c.ddl != "" {
				pgtest.Exec(t, dsn, c.ddl)
				defer pgtest.Exec(t, dsn, `CREATE INDEX account_text_folded ON account_text USING gin (folded gin_trgm_ops)`)
			}
			s, err := store.Open(c.dsn, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			d := &desk{Desk: service.New(s, keys)}
			f := d.finding(t, c.check)
			if f.Grade != c.grade || !strings.Contains(f.Said, c.said) || !strings.Contains(f.Next, c.next) {
				t.Errorf("%+v", f)
			}
			if err := d.Ready(t.Context()); (err != nil) != (name == "only read") || err != nil && !errors.Is(err, logiqc.Unavailable) {
				t.Errorf("ready: %v", err)
			}
		})
	}
}
