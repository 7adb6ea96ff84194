package cmd

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"time"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/password"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/totp"
)

const (
	demoUser     = "sam"  // the visitor
	demoCaller   = "jlee" // whose MFA is reset
	demoIssuer   = "St Mary's"
	demoPassword = "correct horse battery staple"
)

// demoDesk is where everybody in the demo's past sat.
var demoDesk = logiqc.Source{Host: "ward3-pc2", OSUser: "demo"}

// demo is a throwaway store, and what to do on it.
type demo struct {
	demoAnswer
	dir  string
	desk *service.Desk
	now  time.Time        // the clock of the store while its past is made up
	live func() time.Time // and from then on
	app  totp.Key         // of demoCaller, before the tour
}

// makeDemo makes the store in an empty folder, with a past of some months. For
// a server transactions share commits.
func makeDemo(ctx context.Context, dir string, a *App, served bool) (d *demo, err error) {
	d = &demo{dir: dir, now: a.Now().AddDate(0, -8, 0), demoAnswer: demoAnswer{
		Store: "sqlite:" + filepath.Join(dir, "logiqc.db"), Keys: filepath.Join(dir, "keys"), State: filepath.Join(dir, "state"),
		User: demoUser,
	}}
	k, err := makeKeys(d.Keys, demoIssuer)
	if err != nil {
		return nil, err
	}
	first := logiqc.NewUser{Username: demoUser, Email: "sam@stmary.example", Name: "Sam Visitor", Password: demoPassword}
	path := filepath.Join(dir, "logiqc.db")
	desk, at, err := service.Create(ctx, path, store.Options{Now: d.clock, Group: served}, func(string) (service.Keys, error) { return service.KeysIn(k.dir), nil }, service.NewStore{
		ID: k.storeID, Origin: k.origin, Issuer: demoIssuer, Admin: first, Source: demoDesk,
	})
	if err != nil {
		return nil, err
	}
	d.desk = desk
	if err := d.past(ctx, at, a.Now()); err != nil {
		return nil, errors.Join(err, desk.Close())
	}
	d.live = a.Now
	return d, d.present(ctx)
}

// clock is the time in the store.
func (d *demo) clock() time.Time {
	if d.live != nil {
		return d.live()
	}
	return d.now
}

// as is what somebody with a session may do.
func (d *demo) as(ctx context.Context, bearer logiqc.Secret) (logiqc.Service, error) {
	actor, err := d.desk.Authenticate(ctx, bearer, demoDesk)
	return d.desk.As(actor), err
}

// past makes up what happened before today.
func (d *demo) past(ctx context.Context, first logiqc.Attempt, today time.Time) error {
	sam, err := d.as(ctx, first.Token)
	if err != nil {
		return err
	}
	hash, err := password.Hash(rand.Reader, demoPassword)
	if err != nil {
		return err
	}
	out, err := sam.ImportUsers(ctx, logiqc.Import{Request: logiqc.Request{Consent: logiqc.Consent{Given: true}, Reason: "staff list"}, Rows: demoRows(hash)})
	if err != nil {
		return err
	}
	d.Accounts = out.Added + 1
	if _, err := sam.Enforce(ctx, logiqc.Enforcement{Request: logiqc.Request{Consent: logiqc.Consent{Given: true}}, On: true}); err != nil {
		return err
	}
	d.now = today.AddDate(0, -5, 0)
	if _, d.app, err = d.enrol(ctx, demoCaller); err != nil {
		return err
	}
	if _, _, err = d.enrol(ctx, "rgold"); err != nil {
		return err
	}
	d.now = today.AddDate(0, 0, -2)
	if err := d.resets(ctx, "tom", "rgold"); err != nil {
		return err
	}
	if err := d.forgets(ctx, "rpatel", today); err != nil {
		return err
	}
	d.now = today.Add(-2 * time.Minute)
	_, err = d.signsIn(ctx, demoCaller, d.app)
	return err
}

// start is somebody who gives their password.
func (d *demo) start(ctx context.Context, username string) (logiqc.Attempt, error) {
	return d.desk.SignIn().Start(ctx, logiqc.SigninRequest{User: username, Password: demoPassword,
		Purpose: logiqc.SigninPurpose, Source: demoDesk})
}

// enrol lets somebody sign in and set up an app, and returns the session and
// the phone.
func (d *demo) enrol(ctx context.Context, username string) (at logiqc.Attempt, phone totp.Key, err error) {
	if at, err = d.start(ctx, username); err != nil {
		return at, phone, err
	}
	pending, err := d.desk.SignIn().StartEnrolment(ctx, at.Token, demoDesk)
	if err != nil {
		return at, phone, err
	}
	if phone, err = totp.ParseKey(pending.Secret.Reveal()); err != nil {
		return at, phone, err
	}
	done, err := d.desk.SignIn().ProveEnrolment(ctx, at.Token, totp.Code(phone, totp.Step(d.clock())), demoDesk)
	return done.Attempt, phone, err
}

// signsIn lets somebody sign in with an app.
func (d *demo) signsIn(ctx context.Context, username string, phone totp.Key) (at logiqc.Attempt, err error) {
	if at, err = d.start(ctx, username); err != nil {
		return at, err
	}
	return d.desk.SignIn().Code(ctx, at.Token, totp.Code(phone, totp.Step(d.clock())), demoDesk)
}

// resets lets an operator of the cast reset somebody who has not come back since.
func (d *demo) resets(ctx context.Context, operator, username string) error {
	at, err := d.signsIn(ctx, operator, demoPhone(operator))
	if err != nil {
		return err
	}
	desk, err := d.as(ctx, at.Token)
	if err != nil {
		return err
	}
	results, err := desk.ResetMFA(ctx, logiqc.Reset{Request: logiqc.Request{Consent: logiqc.Consent{Given: true}, Reason: "lost phone"},
		Users: []logiqc.ResetTarget{{User: username}}, Total: 1})
	if err == nil && results[0].Err != nil {
		err = results[0].Err
	}
	return err
}

// forgets lets somebody mistype their password until they have to wait, some
// minutes before today.
func (d *demo) forgets(ctx context.Context, username string, today time.Time) error {
	pauses := []time.Duration{36, 35, 34, 33, 32, 31, 29, 26, 20, 3}
	for _, minutes := range pauses {
		d.now = today.Add(-minutes * time.Minute)
		_, err := d.desk.SignIn().Start(ctx, logiqc.SigninRequest{User: username, Password: "summer2025", Purpose: logiqc.SigninPurpose, Source: demoDesk})
		if !errors.Is(err, logiqc.SigninDenied) {
			return errors.Join(errors.New("a wrong password was not refused"), err)
		}
	}
	return nil
}

// present gives the visitor an app and signs them in.
func (d *demo) present(ctx context.Context) error {
	at, _, err := d.enrol(ctx, demoUser)
	if err != nil {
		return err
	}
	return d.session().Save(config.Secret(at.Token.Reveal()))
}

// session is where the visitor's session is saved.
func (d *demo) session() config.SessionFile {
	address := config.Store{Kind: config.SQLite, Path: filepath.Join(d.dir, "logiqc.db")}
	return config.Session(config.Paths{State: filepath.Join(d.State, "logiqc")}, address)
}
