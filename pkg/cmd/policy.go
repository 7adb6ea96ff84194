package cmd

import (
	"github.com/spf13/cobra"
)

// newPolicy groups what is done to the organisation's settings.
func newPolicy(a *App) *cobra.Command {
	return group("policy", "Look at and change the organisation's settings", newPolicyShow(a), newPolicySet(a))
}
