package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// newMFAEnrolmentCode makes `mfa enrolment-code`.
func newMFAEnrolmentCode(a *App) *cobra.Command {
	var ttl string
	c := &cobra.Command{
		Use: "enrolment-code <user>", Short: "Give an account that has yet to enrol a fresh enrolment code",
		Annotations: oneAnswer,
		Long: "Makes a one-time code of twelve digits for an account that has no authenticator app set up,\n" +
			"and shows it once. Without it nobody enrols, whoever has the password; five wrong tries\n" +
			"and it is dead. The code before it dies.\n\n" +
			"Tell the user the code on a way that you trust, after you have verified who they are.\n\n" +
			"Exit status: 4 not permitted; 5 already_enrolled, sso_account, self_reset, or the policy wants\n" +
			"a reason, a ticket or a verification.",
		Example: "  logiqc mfa enrolment-code jlee --reason \"code expired\" --verified-by callback",
		Args:    atMostOneUser,
	}
	f := addRequestFlags(c, false)
	f.addGrounds(c)
	addCodeTTL(c, &ttl)
	c.RunE = func(c *cobra.Command, args []string) error {
		life, err := readCodeTTL(ttl)
		if err != nil {
			return err
		}
		if firstArg(args) == "" && !a.IO().CanPrompt() {
			return errNoUser()
		}
		svc, req, err := a.calling(c.Context(), f, a.IO().CanPrompt())
		if err != nil {
			return err
		}
		return a.issueCode(c.Context(), svc, firstArg(args), logiqc.CodeIssue{Request: req, TTL: life})
	}
	return c
}

// addCodeTTL gives a command --code-ttl.
func addCodeTTL(c *cobra.Command, ttl *string) {
	c.Flags().StringVar(ttl, "code-ttl", "", "how long the enrolment code is good: a `TIME` such as 15m or 72h")
}

// readCodeTTL reads --code-ttl; "" is as the policy says.
func readCodeTTL(s string) (d time.Duration, err error) {
	if s == "" {
		return 0, nil
	}
	if d, err = logiqc.ParseAge(s); err != nil {
		return 0, err
	}
	return d, logiqc.CheckCodeTTL(d)
}

// issueCode issues an enrolment code: at once, or once the policy's questions
// are answered.
func (a *App) issueCode(ctx context.Context, svc logiqc.Service, ref string, r logiqc.CodeIssue) error {
	var out logiqc.CodeIssued
	r.Given = !r.CanAsk
	err := a.orPicked(ctx, svc, ref, func(ref string) (err error) {
		r.User = ref
		out, err = svc.IssueEnrolmentCode(ctx, r)
		return err
	})
	if err == nil && out.Audit == nil && !r.DryRun {
		if err = a.askGrounds(ctx, svc, &out.Account, &r.Request, "Enrolment code for "+titled(out.Account)); err != nil {
			return err
		}
		r.Given = true
		out, err = svc.IssueEnrolmentCode(ctx, r)
	}
	if err != nil {
		return err
	}
	return a.answer(struct {
		Changed       bool             `json:"changed"`
		User          string           `json:"user"`
		EnrolmentCode *deskCode        `json:"enrolment_code"`
		Account       logiqc.Account   `json:"account"`
		Audit         *logiqc.AuditRef `json:"audit"`
		logiqc.Replayed
	}{out.Changed, out.Account.Username, deskCodeOf(out.Code), out.Account, out.Audit, out.Replayed}, func(io *ui.IO) error {
		if r.DryRun {
			io.Answerf("This would give %s a fresh enrolment code. Nothing was changed.", titled(out.Account))
			return nil
		}
		io.Answerf("Enrolment code for %s. Event %d.", titled(out.Account), out.Audit.Seq)
		tellDeskCode(io, out.Code, out.Account)
		return nil
	})
}

// deskCode is an enrolment code in JSON.
type deskCode struct {
	Code      string      `json:"code"`
	ExpiresAt logiqc.Time `json:"expires_at"`
}

// deskCodeOf puts a code that is shown here, once, into its JSON shape; nil
// where there is none, or none any more.
func deskCodeOf(c *logiqc.IssuedCode) *deskCode {
	if c == nil || c.Code == "" {
		return nil
	}
	return &deskCode{Code: c.Code.Reveal(), ExpiresAt: c.ExpiresAt}
}

// tellDeskCode shows an enrolment code to the operator who asked for it.
func tellDeskCode(io *ui.IO, c *logiqc.IssuedCode, acct logiqc.Account) {
	shown := deskCodeOf(c)
	switch {
	case c == nil:
	case shown == nil:
		io.Answerf("The enrolment code was shown the first time and is not shown again: logiqc mfa enrolment-code %s", acct.Username)
	default:
		io.Answerf("  Enrolment code  %s     good until %s, shown once", shown.Code, clock(shown.ExpiresAt, time.Now()))
		io.Answerf("  They type it after the password, before the app is set up.")
	}
}
