package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// newMFAEnforce makes `mfa enforce on|off`.
func newMFAEnforce(a *App) *cobra.Command {
	c := &cobra.Command{
		Use:         "enforce on|off",
		Annotations: oneAnswer,
		Short:       "Require MFA of everybody, or leave it to each account's toggle",
		Long: "Turns the organisation's enforcement of MFA on or off. On: every account that signs in\n" +
			"by password needs MFA, and who has none enrols at the next sign-in; those who are\n" +
			"enrolled stay as they are. Off: each account's own toggle decides; whoever enrolled has\n" +
			"it on. Accounts that sign in by SSO are not touched by either.",
		Example:   "  logiqc mfa enforce on",
		ValidArgs: []string{"on", "off"},
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 || (args[0] != "on" && args[0] != "off") {
				return logiqc.Errorf(logiqc.Usage, "mfa enforce takes on or off").WithHint("logiqc mfa enforce on")
			}
			return nil
		},
	}
	f := addRequestFlags(c, true)
	f.addReason(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.enforce(c.Context(), args[0] == "on", f)
	}
	return c
}

// enforce shows whom it would touch, asks, and turns enforcement on or off.
func (a *App) enforce(ctx context.Context, on bool, f *requestFlags) error {
	svc, req, err := a.calling(ctx, f, a.IO().CanPrompt())
	if err != nil {
		return err
	}
	if req.CanAsk && !req.DryRun {
		preview := logiqc.Request{RequestID: req.RequestID, Consent: logiqc.Consent{DryRun: true}}
		would, err := svc.Enforce(ctx, logiqc.Enforcement{Request: preview, On: on})
		if err != nil {
			return err
		}
		if would.Enforced != on { // otherwise it is so already and nothing is asked
			if err := a.agree(ctx, enforceDialog(on, would.Figures)); err != nil {
				return err
			}
			req.Given = true
		}
	}
	out, err := svc.Enforce(ctx, logiqc.Enforcement{Request: req, On: on})
	if err != nil {
		return err
	}
	return a.answer(struct {
		Changed  bool           `json:"changed"`
		Enforced bool           `json:"enforced"`
		Accounts logiqc.Figures `json:"accounts"`
		logiqc.Replayed
	}{out.Changed, out.Enforced, out.Figures, out.Replayed}, func(io *ui.IO) error {
		io.Answerf("%s", enforceTold(on, out))
		return nil
	})
}

// toEnrol counts the accounts that MFA is required of and that have no
// enrolment.
func toEnrol(f logiqc.Figures) string {
	n := max(f.Required-f.Enrolled, 0)
	if n == 1 {
		return "1 account has"
	}
	return number(n) + " accounts have"
}

func enforceDialog(on bool, f logiqc.Figures) ui.Dialog {
	d := ui.Dialog{
		Title: "Require MFA of everybody?",
		Facts: []ui.Fact{
			{Label: "By password", Value: counted(f.Password, "account") + ", " + number(f.Enrolled) + " of them enrolled", Keep: true},
			{Label: "By SSO", Value: counted(f.SSO, "account") + ", not touched by this"},
		},
		Will: []string{
			"require MFA at every sign-in by password; " + toEnrol(f) + " to enrol at the next one",
			"lock the MFA toggle of every account on",
		},
		WillNot: []string{"change anything for those enrolled already", "end sessions"},
		Action:  "require MFA",
	}
	if !on {
		d.Title, d.Action = "Stop requiring MFA of everybody?", "stop requiring MFA"
		d.Will = []string{
			"leave it to each account's own toggle: MFA stays required of " + counted(f.Required, "account"),
			"let the password alone sign in for all others",
		}
		d.WillNot = []string{"take the factor from anybody who enrolled and has the toggle on", "remove enrolments", "end sessions"}
	}
	return d
}

// enforceTold is what became of it, in words.
func enforceTold(on bool, out logiqc.EnforcementResult) string {
	state := "MFA is required of everybody who signs in by password. " + toEnrol(out.Figures) + " to enrol at the next sign-in."
	if !on {
		state = "MFA is left to each account's own toggle: it is required of " + counted(out.Figures.Required, "account") + "."
	}
	switch {
	case out.Changed:
		return state
	case out.Enforced == on:
		return "It is so already; nothing was changed. " + state
	}
	return "Nothing was changed. With this: " + state
}
