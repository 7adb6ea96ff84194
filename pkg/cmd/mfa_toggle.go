package cmd

import (
	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// newMFAToggle makes `mfa enable` and `mfa disable`.
func newMFAToggle(a *App, verb logiqc.Verb) *cobra.Command {
	c := &cobra.Command{
		Use:   "enable [<user>…]",
		Short: "Turn the MFA toggle of accounts on",
		Long: "Turns the MFA toggle of accounts on: from the next sign-in on MFA is required, and\n" +
			"who has no enrolment is led into one. An enrolment that was kept is used again.",
		Example: "  logiqc mfa enable jlee\n  logiqc mfa enable jlee mleeson --yes",
	}
	if verb == logiqc.DisableMFA {
		c.Use, c.Short = "disable [<user>…]", "Turn the MFA toggle of accounts off"
		c.Long = "Turns the MFA toggle of accounts off: the password alone signs in. The enrolment is\n" +
			"kept, for when MFA is turned on again. Somebody with a new phone needs a reset, not this.\n\n" +
			"It is refused (exit 5, enforced) while the organisation requires MFA of everybody:\n" +
			"logiqc mfa enforce off."
		c.Example = "  logiqc mfa disable jlee"
	}
	c.Long += "\n\nExit status: 0 done, or it was so already; 5 the account signs in by SSO, or the toggle\n" +
		"is locked; 7 cancelled, or a confirmation is needed; 8 some of several were refused."
	c.Args = cobra.ArbitraryArgs
	f := addRequestFlags(c, true)
	f.addReason(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 && !a.IO().CanPrompt() {
			return errNoUser()
		}
		return a.change(c.Context(), verb, args, false, f)
	}
	return c
}
