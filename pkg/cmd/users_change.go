package cmd

import (
	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

func newUsersActivate(a *App) *cobra.Command {
	return newUsersChange(a, logiqc.Activate, "Let accounts sign in again",
		"Activate accounts, so that they can sign in again. Nothing else changes.")
}

func newUsersDeactivate(a *App) *cobra.Command {
	return newUsersChange(a, logiqc.Deactivate, "Stop accounts from signing in",
		"Deactivate accounts: their sessions end and they cannot sign in. Nothing is\n"+
			"deleted. The last active admin cannot be deactivated.")
}

func newUsersUnlock(a *App) *cobra.Command {
	return newUsersChange(a, logiqc.Unlock, "End the wait after wrong passwords or codes",
		"Unlock accounts: forget their wrong passwords and wrong codes, and end the wait\n"+
			"that these caused. A sign-in that is held goes on: after mfa reset --hold, or when the\n"+
			"time to enrol after a reset is over, which begins anew. The password and the MFA stay\n"+
			"as they are.")
}

// newUsersChange makes the command of one verb.
func newUsersChange(a *App, verb logiqc.Verb, short, long string) *cobra.Command {
	var f *requestFlags
	var from string
	name := string(verb)
	c := &cobra.Command{
		Use: name + " <user>…", Short: short,
		Long: long + "\n\nSeveral accounts are changed in one go; each has its own outcome.\n" +
			"Exit status: 8 when some of several were refused, 7 when a confirmation is needed.",
		Example: "  logiqc users " + name + " jlee\n" +
			"  logiqc users " + name + " --from list.txt --yes -o json",
		RunE: func(c *cobra.Command, args []string) error {
			switch given := c.Flags().Changed("from"); {
			case given && len(args) > 0:
				return logiqc.Errorf(logiqc.Usage, "give users either as arguments or with --from, not both")
			case given:
				refs, err := readFrom(from, a.IO().Stdin(c.Context()))
				if err != nil {
					return err
				}
				return a.change(c.Context(), verb, refs, true, f)
			case len(args) == 0 || len(args) == 1 && firstArg(args) == "":
				return logiqc.Errorf(logiqc.Usage, "no user was named").
					WithHint("logiqc users %s <user>…, or --from FILE with one on each line", name)
			}
			return a.change(c.Context(), verb, args, false, f)
		},
		Args: cobra.ArbitraryArgs,
	}
	f = addRequestFlags(c, true)
	f.addReason(c)
	c.Flags().StringVar(&from, "from", "", "read the users from `FILE`, one on each line, or CSV or JSONL; - is standard input")
	return c
}
