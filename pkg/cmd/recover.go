package cmd

import (
	"cmp"
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/ui"
)

const recoverLong = `Break-glass: resets the MFA of an administrator when no other administrator is there to do
it. It works only where the store and its keys are, opened directly, by whoever may read
both; it needs no sign-in, and there is no way to it through a server.

It asks for the username on a terminal; no flag answers that. It clears the enrolment, ends
the sessions, and ends waits and a hold. It keeps the password and revokes no token. You get
an enrolment code, shown once, without which nobody enrols.

What the policy asks of a reset is not asked here. It is not quiet: the audit log names who
ran it, as the operating system says and as sudo says, and every operator is told at the next
sign-in. A store that is frozen takes it after store thaw, which needs no sign-in either.

Exit status: 3 no such user; 4 not an administrator; 5 signs in by SSO, or the store is frozen or has moved; 7 cancelled, or there
is no terminal to type the username on; 9 the keys are of another store; 10 the account
changed meanwhile; 11 the store or its keys cannot be opened.`

// newRecover makes `recover`.
func newRecover(a *App) *cobra.Command {
	c := &cobra.Command{
		Use: "recover USERNAME --reason T", Short: "Break-glass: reset an administrator, beside store and keys", Long: recoverLong,
		Annotations: oneAnswer,
		Example:     "  sudo -u logiqc logiqc recover helen --reason \"lost phone, sole on-call\"",
		Args:        exactly(1, "the username of an administrator"),
	}
	f := addRequestFlags(c, false)
	f.confirmation = true // which no flag answers
	f.addReason(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		unsaid := strings.TrimSpace(f.reason) == ""
		if unsaid && (f.dryRun || !a.IO().CanPrompt()) {
			return logiqc.Errorf(logiqc.Usage, "break-glass needs a reason: --reason T")
		}
		desk, err := a.Desk()
		if err != nil {
			return err
		}
		if unsaid {
			if f.reason, err = a.askWhy(c.Context()); err != nil {
				return err
			}
		}
		req, err := f.request(a.IO().CanPrompt())
		if err != nil {
			return err
		}
		r := logiqc.Recovery{Request: req, User: args[0], SudoUser: a.sudoUser(), LoginUser: loginUser()}
		return a.recover(c.Context(), desk, r)
	}
	return c
}

// askWhy asks for the reason of a recovery, which has to have one.
func (a *App) askWhy(ctx context.Context) (string, error) {
	return a.IO().Input(ctx, ui.InputSpec{Title: "Reason", Description: "Why is this done here? Every operator can read it.",
		Validate: func(s string) error {
			if strings.TrimSpace(s) == "" {
				return logiqc.Errorf(logiqc.Usage, "break-glass needs a reason")
			}
			return logiqc.CheckText("the reason", s, logiqc.MaxReason)
		}})
}

// recover previews, asks for the username, and recovers.
func (a *App) recover(ctx context.Context, desk *service.Desk, r logiqc.Recovery) error {
	by := logiqc.Actor{Kind: logiqc.System, Source: a.Source()}
	res, err := desk.Recover(ctx, by, r)
	if err != nil {
		return err
	}
	if isCode(res.Err, logiqc.ConfirmationRequired) && a.IO().CanPrompt() {
		d, err := a.recoverDialog(res, by.Source.Host, whoRuns(by.Source.OSUser, r))
		if err != nil {
			return err
		}
		if err := a.agree(ctx, d); err != nil {
			return err
		}
		r.Given, r.Typed, r.Shown = true, d.TypeToConfirm, res.Shown
		if res, err = desk.Recover(ctx, by, r); err != nil {
			return err
		}
	}
	if res.Err != nil {
		return res.Err
	}
	return a.answer(struct {
		resetOutcome
		Account *logiqc.Account  `json:"account"`
		Audit   *logiqc.AuditRef `json:"audit"`
		logiqc.Replayed
	}{outcomeOf(res), res.Account, res.Audit, res.Replayed}, func(io *ui.IO) error {
		recoverTold(io, res)
		return nil
	})
}

// recoverDialog asks for the username of whom the preview is about.
func (a *App) recoverDialog(preview logiqc.ResetResult, host, who string) (d ui.Dialog, err error) {
	s, err := a.Settings()
	if err != nil {
		return d, err
	}
	acct := *preview.Account
	d = ui.Dialog{
		Title: "Break-glass recovery of " + titled(acct) + "?",
		Facts: append([]ui.Fact{{Label: "Store", Value: cmp.Or(s.StoreProfile(), s.Store.Display())}}, append(whoFacts(acct),
			ui.Fact{Label: "Run by", Value: who + " on " + host},
			ui.Fact{Label: "Enrolment", Value: enrolmentCell(acct.MFA)},
			ui.Fact{Label: "Last reset", Value: lastReset(acct)})...),
		Will:          append(recoverWill(preview), "tell every operator at the next sign-in"),
		WillNot:       []string{"change the password, the status, the toggle or the policy", "revoke a token"},
		TypeToConfirm: acct.Username,
		Action:        "go on",
	}
	if acct.Signin.Why == logiqc.WhyInactive || acct.Signin.Why == logiqc.WhyNoPassword {
		d.Warnings = append(d.Warnings, "This will not let them sign in: "+whyBlocked(acct)+".")
	}
	return d, nil
}

// recoverWill lists what a recovery would do, one clause each.
func recoverWill(preview logiqc.ResetResult) []string {
	p := preview
	if !p.Cleared.Authenticator && !p.Cleared.Pending {
		p.Cleared.Pending = true // there is nothing of the kind to tell of
		return resetWill(p, false)[1:]
	}
	return resetWill(p, false)
}

// recoverTold tells that a recovery was made, or would be.
func recoverTold(io *ui.IO, res logiqc.ResetResult) {
	acct := *res.Account
	if res.Outcome == logiqc.ResetWould {
		io.Answerf("This would recover %s. Nothing was changed.\nIt would %s.", titled(acct), strings.Join(recoverWill(res), "; "))
		return
	}
	io.Answerf("Break-glass recovery of %s. Event %d.", titled(acct), res.Audit.Seq)
	if res.Replayed.Replayed {
		io.Answerf("It was done at %s; this repeats its outcome.", minute(res.At))
	}
	ended := "No session was open"
	if n := res.Cleared.Sessions; n > 0 {
		ended = counted(n, "session") + " ended"
	}
	io.Answerf("%s; no token was revoked.\nEvery operator is told of it at the next sign-in.", ended)
	if res.NextSignin == logiqc.NextBlocked {
		io.Answerf("They cannot sign in: %s.", whyBlocked(acct))
	}
	tellDeskCode(io, res.EnrolmentCode, acct)
}

// whoRuns names who runs a recovery: whom the operating system says, and what
// that person is called elsewhere.
func whoRuns(osUser string, r logiqc.Recovery) string {
	e := logiqc.Event{Body: logiqc.Body{Actor: logiqc.EventActor{OSUser: osUser},
		Details: logiqc.Details{SudoUser: r.SudoUser, LoginUser: r.LoginUser}}}
	return e.Whence()
}

// sudoUser is who ran sudo, by what sudo left in the environment. Anybody can
// put something there, so it is recorded beside the user that the operating
// system names, never instead.
func (a *App) sudoUser() string {
	name := strings.ToValidUTF8(a.getenv("SUDO_USER"), "?")
	if logiqc.CheckText("the user", name, logiqc.MaxName) != nil {
		return "?"
	}
	return name
}
