package cmd

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// enrolFlags are the flags of enrol.
type enrolFlags struct {
	credentials
	keyFlags
	replace bool
	newCode string
}

// newEnrol sets up an authenticator app.
func newEnrol(a *App) *cobra.Command {
	var f enrolFlags
	c := &cobra.Command{
		Use:         "enrol [<user>]",
		Annotations: oneAnswer,
		Short:       "Set up an authenticator app",
		Long: "Sets up an authenticator app for whoever gives the password. On a terminal it\n" +
			"shows a QR code and a setup key, takes the first code of the app and shows ten\n" +
			"recovery codes. A script does it in two calls: without --code it starts, and\n" +
			"answers with the secret; with --code it proves, and answers with the recovery\n" +
			"codes. Starting again replaces a secret that was not proved. It signs nobody\n" +
			"in.\n\n" +
			"--replace moves to a new phone: it starts with --code of the old app or with a\n" +
			"recovery code, and proves with --new-code. The old app works until then.\n\n" +
			"Where the help desk gave out an enrolment code, the call that starts takes it:\n" +
			"--enrolment-code - reads it as the line after the password.\n\n" +
			"Exit status: 4 denied; 5 enrolled already, a wrong code, or one more step.",
		Example: "  logiqc enrol\n" +
			"  logiqc enrol jlee --password-stdin -o json < password\n" +
			"  logiqc enrol jlee --password-stdin --code 492039 -o json < password\n" +
			"  logiqc enrol jlee --replace",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			f.user = firstArg(args)
			if err := f.check(a.IO()); err != nil {
				return err
			}
			return a.enrol(c.Context(), &f)
		},
	}
	f.addPassword(c)
	f.addCode(c, "app `code`: the first of the new app; with --replace one of the old app")
	f.addRecoveryCode(c)
	f.addEnrolmentCode(c)
	c.Flags().BoolVar(&f.replace, "replace", false, "move to a new phone")
	c.Flags().StringVar(&f.newCode, "new-code", "", "with --replace: the first `code` of the new app")
	f.add(c)
	return c
}

// enrol goes through an enrolment, as far as this call takes it.
func (a *App) enrol(ctx context.Context, f *enrolFlags) error {
	e, err := a.enter(ctx, &f.credentials, f.purpose())
	if err != nil {
		return err
	}
	defer e.leave(ctx)
	defer e.tellPicture() // last, where no screen of recovery codes clears it away
	if proof := f.proof(); proof != "" {
		if e.desk != "" && !e.at.Pending { // the code may be given again
			if err := e.deskCode(ctx); err != nil {
				return err
			}
		}
		done, err := e.in.ProveEnrolment(ctx, e.at.Token, proof, e.src)
		if err != nil {
			return err
		}
		e.over = true
		return a.answerEnrolled(ctx, done)
	}
	if f.replace {
		if err := e.secondFactor(ctx, &f.credentials, true); err != nil {
			return err
		}
	}
	if !a.IO().CanPrompt() {
		p, err := e.startEnrolment(ctx, f.keyFlags)
		if err != nil {
			return err
		}
		return a.answerPending(p)
	}
	done, err := e.enrol(ctx, f.keyFlags)
	switch {
	case errors.Is(err, ui.ErrCancelled) && f.replace:
		return logiqc.Errorf(logiqc.Cancelled, "cancelled; the new phone was not set up, and the old app works as before")
	case errors.Is(err, ui.ErrCancelled):
		return logiqc.Errorf(logiqc.Cancelled, "cancelled; the authenticator app was not set up")
	case err != nil:
		return err
	}
	e.over = true
	return a.answerEnrolled(ctx, done)
}

// newEnroll is enrol for those who spell it so.
func newEnroll(a *App) *cobra.Command {
	c := newEnrol(a)
	c.Use, c.Hidden = "enroll [<user>]", true
	return c
}

// check finds wrong usage before anything is opened or asked.
func (f *enrolFlags) check(io *ui.IO) error {
	started := f.code != "" || f.recoveryFrom != ""
	switch {
	case !f.replace && f.newCode != "":
		return logiqc.Errorf(logiqc.Usage, "--new-code goes with --replace").WithHint("the first code of an app is given with --code")
	case !f.replace && f.recoveryFrom != "":
		return logiqc.Errorf(logiqc.Usage, "--recovery-code goes with --replace")
	case f.newCode != "" && started:
		return logiqc.Errorf(logiqc.Usage, "--new-code proves what a call with --code or --recovery-code has started: give one of them")
	case f.replace && f.newCode == "" && !started && !io.CanPrompt():
		return logiqc.Errorf(logiqc.Usage, "--replace needs --code C of the old app or --recovery-code - to start, or --new-code C to prove")
	case f.png != "" && f.proof() != "":
		return logiqc.Errorf(logiqc.Usage, "--png goes with the call that starts")
	}
	if err := f.keyFlags.check(); err != nil {
		return err
	}
	return f.credentials.check(io, "the user: logiqc enrol <user>")
}

func (f *enrolFlags) purpose() logiqc.Purpose {
	if f.replace {
		return logiqc.ReplacePurpose
	}
	return logiqc.EnrolPurpose
}

// proof is the first code of the new app, "" in a call that starts.
func (f *enrolFlags) proof() string {
	if f.replace {
		return f.newCode
	}
	return f.code
}
