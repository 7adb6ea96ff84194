package cmd

import (
	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/ui"
)

func newUsersShow(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "show <user>", Short: "Open an account: who it is, how it signs in, what can be done",
		Long: "Show an account with its Authentication section: the sign-in method, the MFA\n" +
			"toggle and who requires it, the enrolment, and whether the user can sign in now\n" +
			"and, if not, why. On a terminal, part of a name opens a picker.",
		Example: "  logiqc users show jlee\n  logiqc users show jlee@stmary.example -o json",
		Args:    atMostOneUser,
		RunE: func(c *cobra.Command, args []string) error {
			ref := firstArg(args)
			if ref == "" && !a.IO().CanPrompt() {
				return errNoUser()
			}
			svc, err := a.Service(c.Context())
			if err != nil {
				return err
			}
			account, err := a.pickUser(c.Context(), svc, ref)
			if err != nil {
				return err
			}
			return a.answer(account, func(io *ui.IO) error {
				return io.Card(accountCard(account, svc.Actor(), a.Now()))
			})
		},
	}
}
