package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
	"github.com/logiqc/logiqc/pkg/totp"
)

// password is everybody's password.
const password = "correct horse battery"

// person is somebody in a new store beside helen, its first admin.
type person struct {
	logiqc.NewUser
	enrolled bool
}

// people are who is in a new store. Operators are signed in; see `as`.
var people = []person{
	{logiqc.NewUser{Username: "helen", Email: "helen@stmary.example", Name: "Helen Marsh", Role: logiqc.RoleAdmin}, true},
	{logiqc.NewUser{Username: "tom", Email: "tom@stmary.example", Name: "Tom Baker", Role: logiqc.RoleAdmin}, true},
	{logiqc.NewUser{Username: "priya", Email: "priya@stmary.example", Name: "Priya Nair", Role: logiqc.RoleHelpdesk}, true},
	{logiqc.NewUser{Username: "ines", Email: "ines@stmary.example", Name: "Inês Duarte", Role: logiqc.RoleAuditor}, true},
	{logiqc.NewUser{Username: "jlee", Email: "jlee@stmary.example", Name: "Jordan Lee", Phone: "+61 2 5550 1234"}, true},
	{logiqc.NewUser{Username: "rgold", Email: "rgold@stmary.example", Name: "Ruth Gold"}, false},
	{logiqc.NewUser{Username: "mchen", Email: "mchen@stmary.example", Name: "Marcus Chen", Phone: "+61 4 5550 7788", Protected: true}, true},
	{logiqc.NewUser{Username: "ssmith", Email: "ssmith@stmary.example", Name: "Sam Smith", Auth: logiqc.BySSO}, false},
	{logiqc.NewUser{Username: "mleeson", Email: "mlee@stmary.example", Name: "Matt Leeson", Status: logiqc.Inactive}, true},
}

// source is where the events of a new store come from.
var source = logiqc.Source{Host: "desk-3", OSUser: "tester"}

// secretOf is the setup key in the app of one of the people; the same in every
// store, so that a script need not be told.
func secretOf(username string) totp.Key {
	sum := sha256.Sum256([]byte("setup key of " + username))
	key, err := totp.KeyFromBytes(sum[:20])
	if err != nil {
		panic(err)
	}
	return key
}

// template is a finished store, to be copied for each script: making one takes
// longer than most scripts.
type template struct {
	dir, id  string // holds logiqc.db, if there is one, and the folder id with the keys
	sessions sessions
}

// sessions are those of who is signed in, by username.
type sessions map[string]logiqc.Secret

// file is the template's store, if it is in a file.
func (tpl *template) file() string { return filepath.Join(tpl.dir, "logiqc.db") }

// firstTemplate is the template in a file that all others are copies of.
var firstTemplate = sync.OnceValues(func() (*template, error) {
	tpl := &template{dir: filepath.Join(scratch, "template"), sessions: sessions{}}
	return tpl, errors.Join(os.Mkdir(tpl.dir, 0o700), tpl.make(context.Background(), tpl.file()))
})

// copyTemplate is a template in a file, for one test: its keys folder changes
// with what is done to a store.
func copyTemplate(t *testing.T) *template {
	t.Helper()
	first, err := firstTemplate()
	if err != nil {
		t.Fatalf("make a store to be copied: %v", err)
	}
	tpl := &template{dir: t.TempDir(), id: first.id, sessions: first.sessions}
	h := &home{t: t}
	files, err := filepath.Glob(filepath.Join(first.dir, first.id, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, first.file()) {
		h.copy(f, tpl.dir+strings.TrimPrefix(f, first.dir))
	}
	return tpl
}

// sqliteStores is the setting of a store in one file, at the default place.
func sqliteStores(t *testing.T) (begin func(env *testscript.Env), newStore func(ts *testscript.TestScript)) {
	tpl := copyTemplate(t)
	begin = func(env *testscript.Env) {
		env.Setenv("STORE", "sqlite:"+filepath.Join(env.Getenv("XDG_DATA_HOME"), "logiqc", "logiqc.db"))
	}
	return begin, func(ts *testscript.TestScript) {
		data := filepath.Join(ts.Getenv("XDG_DATA_HOME"), "logiqc")
		ts.Check(os.MkdirAll(data, 0o700))
		copyFile(ts, tpl.file(), filepath.Join(data, "logiqc.db"))
		tpl.keysAndSessions(ts)
	}
}

// postgresStores is the setting of a store in a PostgreSQL database, which the
// environment names. A script begins with an empty one.
func postgresStores(t *testing.T) (begin func(env *testscript.Env), newStore func(ts *testscript.TestScript)) {
	from := pgtest.Database(t)
	tpl := template{dir: t.TempDir(), sessions: sessions{}}
	if err := tpl.make(t.Context(), from); err != nil {
		t.Fatalf("make a store for the scripts: %v", err)
	}
	begin = func(env *testscript.Env) {
		dsn := pgtest.Database(t)
		env.Setenv("LOGIQC_STORE", dsn)
		env.Setenv("STORE", dsn)
	}
	return begin, func(ts *testscript.TestScript) {
		dsn := pgtest.Copy(t, from)
		ts.Setenv("LOGIQC_STORE", dsn)
		ts.Setenv("STORE", dsn)
		tpl.keysAndSessions(ts)
	}
}

// keysAndSessions gives a script what belongs to a copy of the template beside
// the store.
func (tpl *template) keysAndSessions(ts *testscript.TestScript) {
	tpl.copyKeys(ts, filepath.Join(ts.Getenv("XDG_CONFIG_HOME"), "logiqc", "keys", tpl.id))
	tpl.saveSessions(ts)
}

func (tpl *template) copyKeys(ts *testscript.TestScript, to string) {
	ts.Check(os.MkdirAll(to, 0o700))
	files, err := os.ReadDir(filepath.Join(tpl.dir, tpl.id))
	ts.Check(err)
	for _, f := range files {
		copyFile(ts, filepath.Join(tpl.dir, tpl.id, f.Name()), filepath.Join(to, f.Name()))
	}
}

func (tpl *template) saveSessions(ts *testscript.TestScript) {
	for username, bearer := range tpl.sessions {
		ts.Setenv("SESSION_"+username, bearer.Reveal())
	}
	saveSession(ts, tpl.sessions["helen"])
}

func copyFile(ts *testscript.TestScript, from, to string) {
	data, err := os.ReadFile(from)
	ts.Check(err)
	ts.Check(os.WriteFile(to, data, 0o600))
}

// saveSession signs somebody in to the script's default store, or nobody.
func saveSession(ts *testscript.TestScript, bearer logiqc.Secret) {
	where := ts.Getenv("LOGIQC_STORE")
	if where == "" {
		where = filepath.Join(ts.Getenv("XDG_DATA_HOME"), "logiqc", "logiqc.db")
	}
	address, err := config.ParseStore(where)
	ts.Check(err)
	file := config.Session(config.Paths{State: filepath.Join(ts.Getenv("XDG_STATE_HOME"), "logiqc")}, address)
	if bearer == "" {
		ts.Check(file.Delete())
		return
	}
	ts.Check(file.Save(config.Secret(bearer.Reveal())))
}

// make fills the template: helen makes the store and imports everybody with
// passwords; they sign in while MFA is not yet required; then they get their
// apps, and MFA is required from there on.
func (tpl *template) make(ctx context.Context, where string) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	tpl.id = id.String()
	origin := ledger.Origin("St Mary's", tpl.id)
	keys, _, err := service.CreateKeys(filepath.Join(tpl.dir, tpl.id), origin)
	if err != nil {
		return err
	}
	helen := people[0].NewUser
	helen.Password = password
	desk, first, err := service.Create(ctx, where, store.Options{}, func(string) (service.Keys, error) { return keys, nil },
		service.NewStore{ID: tpl.id, Origin: origin, Issuer: "St Mary's", Admin: helen, Source: source})
	if err != nil {
		return err
	}
	tpl.sessions["helen"] = first.Token
	return errors.Join(tpl.fill(ctx, desk), desk.Close())
}

func (tpl *template) fill(ctx context.Context, desk *service.Desk) error {
	actor, err := desk.Authenticate(ctx, tpl.sessions["helen"], source)
	if err != nil {
		return err
	}
	svc := desk.As(actor)
	given := logiqc.Request{Consent: logiqc.Consent{Given: true}}
	for _, p := range people[1:] {
		if p.Auth != logiqc.BySSO {
			p.Password = password
		}
		if _, err := svc.AddUser(ctx, p.NewUser); err != nil {
			return err
		}
		if p.Auth == logiqc.BySSO || p.Status == logiqc.Inactive {
			continue
		}
		at, err := desk.SignIn().Start(ctx, logiqc.SigninRequest{User: p.Username, Password: password,
			Purpose: logiqc.SigninPurpose, Source: source})
		if err != nil {
			return err
		}
		tpl.sessions[p.Username] = at.Token
	}
	apps := logiqc.Import{Request: given, OnExisting: logiqc.ExistingUpdate, Rows: func(yield func(logiqc.ImportRow, error) bool) {
		for i, p := range people {
			uri := logiqc.Secret(totp.URI("St Mary's", p.Username, secretOf(p.Username)))
			if p.enrolled && !yield(logiqc.ImportRow{Row: i + 1, Username: p.Username, TOTP: uri}, nil) {
				return
			}
		}
	}}
	if _, err := svc.ImportUsers(ctx, apps); err != nil {
		return err
	}
	_, err = svc.Enforce(ctx, logiqc.Enforcement{Request: given, On: true})
	return err
}
