package cmd

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// newMFAVerify makes `mfa verify`.
func newMFAVerify(a *App) *cobra.Command {
	f := &requestFlags{}
	var code string
	c := &cobra.Command{
		Use: "verify <user> --code C", Short: "Prove a caller's app code, without a reset",
		Annotations: oneAnswer,
		Long: "Proves that a caller still has the authenticator app: they read out the code it shows.\n" +
			"The code is spent and what came of it is in the audit log; nothing else changes. A wrong\n" +
			"code counts as one at sign-in does.\n\n" +
			"On a terminal it asks for the code.\n\n" +
			"Exit status: 0 the code is right; 4 not permitted; 5 wrong_code, throttled, or there is no app.",
		Example: "  logiqc mfa verify jlee --code 492039",
		Args:    atMostOneUser,
	}
	c.Flags().StringVar(&code, "code", "", "the app `code` that the caller reads out")
	c.Flags().StringVar(&f.requestID, "request-id", "", "make a retry with the same `ID` return the first outcome")
	f.addReason(c)
	f.addTicket(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case code == "" && !a.IO().CanPrompt():
			return logiqc.Errorf(logiqc.Usage, "there is no terminal to ask for the code: give --code C")
		case firstArg(args) == "" && !a.IO().CanPrompt():
			return errNoUser()
		}
		svc, req, err := a.calling(c.Context(), f, false)
		if err != nil {
			return err
		}
		out, err := a.verifyCode(c.Context(), svc, firstArg(args), logiqc.CodeCheck{Request: req, Code: code})
		if err != nil {
			return err
		}
		return a.answer(struct {
			Verified bool            `json:"verified"`
			User     string          `json:"user"`
			Account  logiqc.Account  `json:"account"`
			Audit    logiqc.AuditRef `json:"audit"`
			logiqc.Replayed
		}{true, out.Account.Username, out.Account, out.Audit, out.Replayed}, func(io *ui.IO) error {
			return verifiedTold(io, out)
		})
	}
	return c
}

func verifiedTold(io *ui.IO, out logiqc.CodeChecked) error {
	io.Answerf("The code is right: %s has the app. Nothing was reset. Event %d.", titled(out.Account), out.Audit.Seq)
	return nil
}

// verifyCode proves the code that was given, or codes that are asked for until
// one is right, a few times.
func (a *App) verifyCode(ctx context.Context, svc logiqc.Service, ref string, r logiqc.CodeCheck) (out logiqc.CodeChecked, err error) {
	if r.Code != "" {
		err = a.orPicked(ctx, svc, ref, func(ref string) error {
			r.User = ref
			out, err = svc.VerifyCode(ctx, r)
			return err
		})
		return out, err
	}
	acct, err := a.pickUser(ctx, svc, ref)
	if err != nil {
		return out, err
	}
	r.User = acct.Username
	spec := ui.InputSpec{Title: "Code from the app of " + titled(acct), Description: "The six digits that the caller reads out.",
		Validate: checkAppCode}
	for left := logiqc.EnrolmentTries - 1; ; left-- {
		if r.Code, err = a.IO().Input(ctx, spec); err != nil {
			return out, leftVerifying(err, acct, logiqc.EnrolmentTries-1-left)
		}
		out, err = svc.VerifyCode(ctx, r)
		if !errors.Is(err, logiqc.WrongCode) || left == 0 {
			return out, err
		}
		spec.Description = inSentences(err) + " " + triesLeft(left)
	}
}

// leftVerifying is err, or how somebody left who has tried: that has left traces.
func leftVerifying(err error, acct logiqc.Account, wrong int) error {
	if wrong == 0 || !errors.Is(err, ui.ErrCancelled) {
		return err
	}
	return logiqc.Errorf(logiqc.Cancelled, "cancelled; %s has %s more, and nothing else was changed", acct.Username, counted(wrong, "wrong code"))
}
