package cmd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/password"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/ui"
)

// initFlags are the flags of init.
type initFlags struct {
	admin, email, name, issuer string
	passwordStdin, enforce     bool

	password logiqc.Secret
}

// newInit makes a store.
func newInit(a *App) *cobra.Command {
	var f initFlags
	c := &cobra.Command{
		Use:         "init",
		Annotations: oneAnswer,
		Short:       "Make a store, its keys and the first admin",
		Long: "Makes a new store, the keys that seal its secrets and sign its log, and the\n" +
			"first admin, who is signed in. On a terminal it asks for what is missing and\n" +
			"goes on to set up the admin's authenticator app.\n\n" +
			"Exit status: 5 when the store exists; it is left alone.",
		Example: "  logiqc init\n" +
			"  logiqc init --admin helen --email helen@example.org --password-stdin < password",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.check(a.IO()); err != nil {
				return err
			}
			return a.makeStore(c.Context(), &f)
		},
	}
	c.Flags().StringVar(&f.admin, "admin", "", "the first admin's `USERNAME`")
	c.Flags().StringVar(&f.email, "email", "", "the first admin's email")
	c.Flags().StringVar(&f.name, "name", "", "the first admin's name")
	c.Flags().StringVar(&f.issuer, "issuer", "", "the name users will see in their app (default Logiqc)")
	c.Flags().BoolVar(&f.passwordStdin, "password-stdin", false, "read the first admin's password from standard input, one line")
	c.Flags().BoolVar(&f.enforce, "enforce-mfa", true, "require MFA of everybody who signs in with a password")
	return c
}

// makeStore makes the keys, then the store with its admin in one transaction:
// a crash leaves at most a folder of keys that nothing was sealed with.
func (a *App) makeStore(ctx context.Context, f *initFlags) error {
	s, err := a.Settings()
	if err != nil {
		return err
	}
	where, options, err := a.place(s)
	if err != nil {
		return err
	}
	if err := checkPlace(ctx, a, s); err != nil {
		return err
	}
	if err := f.ask(ctx, a); err != nil {
		return err
	}
	k, err := makeKeys(s.Keys, f.issuer)
	if err != nil {
		return err
	}
	desk, at, err := service.Create(ctx, where, options, a.openKeys, service.NewStore{
		ID: k.storeID, Origin: k.origin, Issuer: f.issuer, Enforced: f.enforce, Source: a.Source(),
		Admin: logiqc.NewUser{Username: f.admin, Email: f.email, Name: f.name, Password: f.password},
	})
	if err != nil {
		if _, gone := os.Lstat(s.Store.Path); errors.Is(gone, fs.ErrNotExist) && !errors.Is(err, logiqc.UnknownOutcome) {
			k.discard() // nothing was sealed with them
		}
		return err
	}
	admin, err := firstAdmin(ctx, desk, at)
	if err != nil {
		return err
	}
	if err := desk.Close(); err != nil {
		return err
	}
	if err := a.session(s).Save(config.Secret(at.Token.Reveal())); err != nil {
		a.IO().Warnf("the store is made, but the session could not be saved: %v", err)
	}
	out := initAnswer{
		Store: s.Store.Display(), Keys: k.dir, AuditKey: k.vkey, Account: admin,
		MFADue: admin.MFA.Required && admin.MFA.State != logiqc.EnrolmentEnrolled, Warnings: a.IO().Warnings(),
	}
	if err := a.answer(out, out.text); err != nil || a.IO().Machine() {
		return err
	}
	return a.afterInit(ctx, at, out.MFADue)
}

// firstAdmin is the account that a new store begins with.
func firstAdmin(ctx context.Context, desk *service.Desk, at logiqc.Attempt) (logiqc.Account, error) {
	actor, err := desk.Authenticate(ctx, at.Token, logiqc.Source{})
	if err != nil {
		return logiqc.Account{}, err
	}
	return desk.As(actor).GetUser(ctx, at.User)
}

// check finds wrong usage before anything is opened or asked.
func (f *initFlags) check(io *ui.IO) error {
	for _, given := range []struct {
		value string
		check func(string) error
	}{
		{f.admin, logiqc.CheckUsername}, {f.email, logiqc.CheckEmail}, {f.issuer, logiqc.CheckIssuer},
		{f.name, func(s string) error { return logiqc.CheckText("the name", s, logiqc.MaxName) }},
	} {
		if given.value == "" {
			continue
		}
		if err := given.check(given.value); err != nil {
			return err
		}
	}
	if io.CanPrompt() {
		return nil
	}
	for _, needed := range [][2]string{{"--admin USERNAME", f.admin}, {"--email E", f.email}} {
		if needed[1] == "" {
			return logiqc.Errorf(logiqc.Usage, "there is no terminal to ask on: give %s", needed[0])
		}
	}
	if f.issuer == "" {
		f.issuer = logiqc.DefaultPolicy().Issuer
	}
	return checkSecretLines(io, f.passwordStdin)
}

// checkPlace refuses a store that cannot be made here, before anything is.
func checkPlace(ctx context.Context, a *App, s *config.Settings) error {
	if s.Store.Kind == config.Postgres {
		if err := store.VacantPostgres(ctx, s.Store.URL.Reveal()); err != nil {
			return err
		}
	} else if _, err := os.Lstat(s.Store.Path); !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			return logiqc.Errorf(logiqc.Unavailable, "the store cannot be made: %w", err)
		}
		return logiqc.Errorf(logiqc.Exists, "there is something at %s already; it was left alone", s.Store.Path).
			WithHint("if it is your store: logiqc signin; to make another: --store PATH")
	}
	// A folder of sessions that others can read is better found out now.
	_, _, err := a.session(s).Load()
	return err
}

// ask fills in what the flags left open.
func (f *initFlags) ask(ctx context.Context, a *App) (err error) {
	for _, q := range []struct {
		value *string
		spec  ui.InputSpec
	}{
		{&f.issuer, ui.InputSpec{Title: "Name users will see in their app", Default: logiqc.DefaultPolicy().Issuer, Validate: logiqc.CheckIssuer}},
		{&f.admin, ui.InputSpec{Title: "First admin's username", Validate: logiqc.CheckUsername}},
		{&f.email, ui.InputSpec{Title: "Email", Validate: logiqc.CheckEmail}},
	} {
		if *q.value != "" {
			continue
		}
		if *q.value, err = a.IO().Input(ctx, q.spec); err != nil {
			return err
		}
		*q.value = strings.TrimSpace(*q.value)
	}
	if f.passwordStdin {
		if f.password, err = a.secret(ctx, "Password"); err != nil {
			return err
		}
		return fitPassword(f.password)
	}
	f.password, err = a.newPassword(ctx, "Password")
	return err
}

// newPassword asks for a new password, twice, until it is fit for use.
func (a *App) newPassword(ctx context.Context, title string) (logiqc.Secret, error) {
	for {
		given, err := a.askPassword(ctx, title, true)
		if err != nil {
			return "", err
		}
		if err = fitPassword(given); err == nil {
			return given, nil
		}
		a.IO().Notef("%s", inSentences(err))
	}
}

func fitPassword(given logiqc.Secret) error {
	if err := password.CheckNew(given.Reveal()); err != nil {
		return logiqc.Errorf(logiqc.Invalid, "%w", err)
	}
	return nil
}

// initAnswer is what init made.
type initAnswer struct {
	Store    string         `json:"store"`
	Keys     string         `json:"keys"` // the folder of this store's keys
	AuditKey string         `json:"audit_key"`
	Account  logiqc.Account `json:"account"`
	MFADue   bool           `json:"mfa_due"`
	Warnings []string       `json:"warnings,omitempty"`
}

// text tells it to a person.
func (out initAnswer) text(io *ui.IO) error {
	if !io.OutTerminal() {
		return facts(io, "store", out.Store, "keys", out.Keys, "audit_key", out.AuditKey, "admin", out.Account.Username)
	}
	io.Answerf("Store  %s", out.Store)
	io.Answerf("Keys   %s\n       back these up apart from the store", out.Keys)
	io.Answerf("Audit  %s\n       give this line to your auditor today", out.AuditKey)
	return nil
}

// afterInit leads the first admin into setting up MFA, and says what is next.
func (a *App) afterInit(ctx context.Context, at logiqc.Attempt, due bool) error {
	io, user := a.IO(), at.User
	if due && io.CanPrompt() {
		io.Notef("MFA is required here. Set up your own now.")
		in, err := a.SignIn()
		if err != nil {
			return err
		}
		e := &entry{app: a, in: in, src: a.Source(), at: at, over: true}
		defer e.tellPicture()
		done, err := e.enrol(ctx, keyFlags{})
		switch {
		case err == nil:
			due = false
			if err := a.showRecoveryCodes(ctx, done); err != nil {
				return err
			}
			io.Notef("Your authenticator app is set up.")
		case !errors.Is(err, ui.ErrCancelled):
			return err
		}
	}
	if due {
		io.Notef("You are signed in for now. MFA is not set up yet: logiqc enrol %s", user)
	}
	io.Notef("Next: logiqc users import FILE · logiqc doctor")
	io.Notef("%s is the only admin, and nobody resets their own MFA: logiqc users add USERNAME --email E --role admin", user)
	return nil
}
