package cmd

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// newRecoveryCodes makes a fresh set of recovery codes.
func newRecoveryCodes(a *App) *cobra.Command {
	var f credentials
	c := &cobra.Command{
		Use:         "recovery-codes",
		Annotations: oneAnswer,
		Short:       "Get a fresh set of recovery codes",
		Long: "Makes ten new recovery codes for the user who is signed in here, and shows\n" +
			"them once. It takes the password and a code of the app; the old recovery codes\n" +
			"die.\n\n" +
			"Exit status: 4 not signed in, or denied; 5 a wrong code, or no app is set up.",
		Example: "  logiqc recovery-codes\n" +
			"  logiqc recovery-codes --password-stdin --code 492039 -o json < password",
		RunE: func(c *cobra.Command, _ []string) (err error) {
			ctx := c.Context()
			if err := f.check(a.IO(), ""); err != nil {
				return err
			}
			if f.code == "" && !a.IO().CanPrompt() {
				return logiqc.Errorf(logiqc.Usage, "there is no terminal to ask for a code of the app: give --code C")
			}
			if f.user, err = a.whoIsSignedIn(ctx); err != nil {
				return err
			}
			e, err := a.enter(ctx, &f, logiqc.RecoveryPurpose)
			if err != nil {
				return err
			}
			defer e.leave(ctx)
			if err := e.secondFactor(ctx, &f, false); err != nil {
				return err
			}
			r, err := e.in.NewRecoveryCodes(ctx, e.at.Token, e.src)
			if err != nil {
				return err
			}
			e.over = true
			return a.answerRecoveryCodes(ctx, r)
		},
	}
	f.addPassword(c)
	f.addCode(c, "app `code`")
	return c
}

// whoIsSignedIn is the user of the saved session, or "" where there is none
// and the person can be asked.
func (a *App) whoIsSignedIn(ctx context.Context) (string, error) {
	svc, err := a.Service(ctx)
	switch {
	case err == nil:
		return svc.Actor().Username, nil
	case errors.Is(err, logiqc.Unauthenticated) && a.IO().CanPrompt():
		return "", nil
	}
	return "", err
}

// answerRecoveryCodes answers as a proved enrolment does.
func (a *App) answerRecoveryCodes(ctx context.Context, r logiqc.Enrolled) error {
	io := a.IO()
	if io.Format() != ui.FormatText || !io.CanPrompt() {
		return a.answerEnrolled(ctx, r)
	}
	err := a.showRecoveryCodes(ctx, r)
	io.Answerf("%s has %s; the old ones are dead. Event %d.", r.User, counted(len(r.RecoveryCodes), "new recovery code"), r.Audit.Seq)
	return err
}
