package cmd

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// newSignin signs somebody in.
func newSignin(a *App) *cobra.Command {
	var f credentials
	var noSave bool
	c := &cobra.Command{
		Use:         "signin",
		Annotations: oneAnswer,
		Aliases:     []string{"login"},
		Short:       "Sign in",
		Long: "Signs you in and saves the session for the commands that follow. It asks for\n" +
			"the password, then for a code of the authenticator app or a recovery code, or\n" +
			"leads into setting up the app where MFA is required and there is none.\n\n" +
			"Without a terminal it takes flags; standard input gives the password and the\n" +
			"recovery code, one line each, in that order.\n\n" +
			"Exit status: 4 denied; 5 with the result on standard output when one more step\n" +
			"is needed (code_required, enrolment_required, enrolment_code_required) or the\n" +
			"code was wrong; 5 held when the help desk holds the sign-in.",
		Example: "  logiqc signin\n" +
			"  logiqc signin --user jlee --password-stdin --code 492039 < password\n" +
			"  logiqc signin --user jlee --password-stdin --recovery-code - < both",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.check(a.IO(), "--user U"); err != nil {
				return err
			}
			return a.signin(c.Context(), &f, noSave)
		},
	}
	c.Flags().StringVarP(&f.user, "user", "u", "", "who signs in: a username, an email or an id")
	f.addPassword(c)
	f.addCode(c, "app `code`")
	f.addRecoveryCode(c)
	f.addEnrolmentCode(c)
	c.Flags().BoolVar(&noSave, "no-save", false, "only check: end the session at once")
	return c
}

// signin goes through a sign-in. Its session is saved before anything else is
// shown, so that nobody who was let in has to come again.
func (a *App) signin(ctx context.Context, f *credentials, noSave bool) error {
	e, err := a.enter(ctx, f, logiqc.SigninPurpose)
	if err != nil {
		return err
	}
	defer e.leave(ctx)
	enrolled, err := e.finish(ctx, f)
	if err != nil {
		return e.unfinished(err)
	}
	defer e.tell()
	if noSave {
		e.leave(ctx)
	} else if err := e.save(); err != nil {
		return err
	}
	if enrolled.RecoveryCodes != nil {
		if err := a.showRecoveryCodes(ctx, enrolled); err != nil {
			return err
		}
	}
	if err := e.answerSignedIn(noSave); err != nil {
		return err
	}
	if io := a.IO(); !noSave && io.CanPrompt() && !io.Machine() {
		if svc, err := a.Service(ctx); err == nil {
			tellWaiting(io, waiting(ctx, svc))
		}
	}
	return e.offerNewPhone(ctx)
}

// finish goes through the stages that are left. It returns the recovery codes
// of an enrolment on the way.
func (e *entry) finish(ctx context.Context, f *credentials) (done logiqc.Enrolled, err error) {
	switch e.at.Stage {
	case logiqc.StageCode:
		return done, e.secondFactor(ctx, f, true)
	case logiqc.StageSignedIn:
		return done, nil
	}
	if !e.app.IO().CanPrompt() {
		if e.at.CodeNeeded && e.desk == "" {
			return done, e.needsDeskCode()
		}
		if err := e.deskCode(ctx); err != nil {
			return done, err
		}
		hint := "logiqc enrol " + e.at.User + " --password-stdin"
		if e.desk != "" {
			hint += " --enrolment-code -"
		}
		return done, logiqc.Errorf(logiqc.EnrolmentRequired, "the password is right; %s has to set up an authenticator app first", e.at.User).
			WithHint("%s", hint)
	}
	done, err = e.enrol(ctx, keyFlags{})
	if errors.Is(err, ui.ErrCancelled) {
		return done, logiqc.Errorf(logiqc.Cancelled, "you are not signed in: your MFA is not set up yet").
			WithHint("logiqc signin")
	}
	return done, e.moved(done.Attempt, err)
}

// save keeps the session, or ends it where it cannot be kept.
func (e *entry) save() error {
	s, err := e.app.Settings()
	if err != nil {
		return err
	}
	if err := e.app.session(s).Save(config.Secret(e.at.Token.Reveal())); err != nil {
		return err
	}
	e.over = true
	return nil
}

// signinAnswer is the result of a sign-in, finished or not.
type signinAnswer struct {
	Outcome logiqc.Stage   `json:"outcome"`
	User    string         `json:"user"`
	Session *sessionAnswer `json:"session,omitempty"`
	Notice  string         `json:"notice"`
}

type sessionAnswer struct {
	ID        string      `json:"id"`
	ExpiresAt logiqc.Time `json:"expires_at"`
}

// unfinished answers how far the sign-in came, to a script, and returns why it
// did not come further.
func (e *entry) unfinished(why error) error {
	io := e.app.IO()
	if logiqc.AsError(why).Code.ExitStatus() != 5 || io.CanPrompt() && !io.Machine() {
		return why
	}
	out := signinAnswer{Outcome: e.at.Stage, User: e.at.User, Notice: e.at.Notice}
	err := e.app.answer(out, func(io *ui.IO) error {
		return facts(io, "outcome", string(out.Outcome), "user", out.User)
	})
	return errors.Join(err, why)
}

// answerSignedIn answers that the sign-in is done.
func (e *entry) answerSignedIn(ended bool) error {
	out := signinAnswer{Outcome: e.at.Stage, User: e.at.User, Notice: e.at.Notice}
	if !ended {
		out.Session = &sessionAnswer{ID: e.at.ID, ExpiresAt: e.at.ExpiresAt}
	}
	e.tell()
	return e.app.answer(out, func(io *ui.IO) error {
		if ended {
			io.Answerf("%s can sign in. The session was ended at once.", out.User)
		} else {
			io.Answerf("You are signed in as %s.", out.User)
		}
		return nil
	})
}

// offerNewPhone leads somebody who signed in with a recovery code to a new
// phone, if they like (product.md R16).
func (e *entry) offerNewPhone(ctx context.Context) error {
	io, user := e.app.IO(), e.at.User
	if !e.recovered {
		return nil
	}
	left := counted(e.at.RecoveryCodesLeft, "recovery code") + " left."
	if !io.CanPrompt() || e.at.Token == "" {
		io.Notef("%s To move to a new phone: logiqc enrol %s --replace", left, user)
		return nil
	}
	now, err := io.Confirm(ctx, ui.Dialog{
		Title: left + " Set up a new phone now?", Affirmative: "Set up now", Negative: "Later", Word: "now",
		Action: "set up a new phone",
		Extra:  []string{"The old app works until the new one has shown its first code. You get ten new recovery codes."},
	})
	var done logiqc.Enrolled
	if err == nil && now {
		done, err = e.enrol(ctx, keyFlags{})
	}
	switch {
	case errors.Is(err, ui.ErrCancelled), err == nil && !now:
		io.Notef("When you have the new phone: logiqc enrol %s --replace", user)
		return nil
	case err != nil:
		return err
	}
	if err := e.app.showRecoveryCodes(ctx, done); err != nil {
		return err
	}
	io.Notef("The new phone is set up; the old app is dead. Event %d.", done.Audit.Seq)
	return nil
}
