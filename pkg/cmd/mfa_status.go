package cmd

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// newMFAStatus makes `mfa status`.
func newMFAStatus(a *App) *cobra.Command {
	var run string
	c := &cobra.Command{
		Use:   "status [<user>…]",
		Short: "Show the MFA of accounts, or the organisation's figures",
		Long: "Shows how MFA stands for the accounts named. With none, how many accounts there are,\n" +
			"of how many MFA is required, and how many are enrolled. With --run, how many of the\n" +
			"accounts that a run reset have enrolled since.",
		Example: "  logiqc mfa status jlee mleeson\n  logiqc mfa status -o json\n  logiqc mfa status --run 0193a…",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && a.IO().Format() == ui.FormatCSV:
				return noCSV()
			case run != "" && len(args) > 0:
				return logiqc.Errorf(logiqc.Usage, "--run is about the accounts of a run: leave the users out")
			case c.Flags().Changed("run") && run == "":
				return logiqc.Errorf(logiqc.Usage, "--run takes the id of a run")
			}
			svc, err := a.Service(c.Context())
			if err != nil {
				return err
			}
			if run != "" {
				return a.runStatus(c.Context(), svc, run)
			}
			if len(args) == 0 {
				figures, err := svc.Figures(c.Context())
				if err != nil {
					return err
				}
				return a.answer(figures, func(io *ui.IO) error { return io.Card(figuresCard(figures)) })
			}
			var accounts []logiqc.Account
			for _, ref := range args {
				acct, err := a.pickUser(c.Context(), svc, ref)
				if err != nil {
					return err
				}
				accounts = append(accounts, acct)
			}
			return a.listStatus(accounts)
		},
	}
	c.Flags().StringVar(&run, "run", "", "how far the accounts are that the run with this `ID` reset")
	return c
}

// runStatus tells how far the accounts of a run are.
func (a *App) runStatus(ctx context.Context, svc logiqc.Service, run string) error {
	f, err := svc.Run(ctx, run)
	if err != nil {
		return err
	}
	return a.answer(f, func(io *ui.IO) error {
		io.Answerf("%s reset · %s enrolled · %s waiting", thousands(f.Reset), thousands(f.Enrolled), thousands(f.Waiting))
		return nil
	})
}

func figuresCard(f logiqc.Figures) ui.Card {
	return ui.Card{Title: counted(f.Accounts, "account"), Sections: []ui.Section{
		{Name: "Sign-in", Rows: []ui.CardRow{
			{Label: "By password", Value: thousands(f.Password)}, {Label: "By SSO", Value: thousands(f.SSO)},
			{Label: "MFA required", Value: thousands(f.Required)},
		}},
		{Name: "Enrolment", Rows: []ui.CardRow{
			{Label: "Enrolled", Value: thousands(f.Enrolled)}, {Label: "Under way", Value: thousands(f.Pending)},
			{Label: "None", Value: thousands(f.None)}, {Label: "Reset, yet to enrol", Value: thousands(f.AwaitingEnrolment)},
		}},
	}}
}

// statusColumns are what `mfa status` says of an account.
var statusColumns = []ui.Column{
	{Name: "username", Whole: true}, {Name: "name"}, {Name: "mfa"}, {Name: "enrolment"}, {Name: "last reset"}, {Name: "next sign-in"},
}

func (a *App) listStatus(accounts []logiqc.Account) error {
	header := []string{"username", "name", "required", "toggle", "state", "enrolled_at", "last_used_at", "recovery_codes_left",
		"reset_at", "reset_by", "next", "why"}
	out := list(a.IO(), statusColumns, statusCells, header, func(u logiqc.Account) []string {
		m := u.MFA
		return []string{u.Username, u.Name, yesNo(m.Required), m.Toggle.String(), string(m.State), m.EnrolledAt.String(),
			m.LastUsedAt.String(), number(m.RecoveryCodesLeft), m.ResetAt.String(), m.ResetBy, u.Signin.Next, u.Signin.Why}
	})
	for _, acct := range accounts {
		if err := out.Add(acct); err != nil {
			return err
		}
	}
	return out.Close()
}

func statusCells(u logiqc.Account) []any {
	if u.Auth == logiqc.BySSO {
		return []any{u.Username, u.Name, "–", "–", "–", "sso"}
	}
	mfa := u.MFA.Toggle.String()
	if u.MFA.ToggleLocked {
		mfa += ", locked"
	}
	state, next := string(u.MFA.State), u.Signin.Next
	if !u.MFA.EnrolledAt.IsZero() {
		state += " " + day(u.MFA.EnrolledAt)
	}
	if u.Signin.Why != "" {
		next += ": " + strings.ReplaceAll(u.Signin.Why, "_", " ")
	}
	return []any{u.Username, u.Name, mfa, state, day(u.MFA.ResetAt), next}
}
