package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// newMFA groups what is done to the MFA of accounts.
func newMFA(a *App) *cobra.Command {
	return group("mfa", "Look at, reset, enable and disable MFA",
		newMFAStatus(a), newMFAReset(a), newMFAToggle(a, logiqc.EnableMFA), newMFAToggle(a, logiqc.DisableMFA), newMFAEnforce(a),
		newMFAVerify(a), newMFAEnrolmentCode(a),
		newMFARequest(a), newMFAApprovals(a), newMFADecide(a, true), newMFADecide(a, false))
}

// usersOf is whom a command line names: its arguments, or a list. bulk says
// that the answer is one for several, even where they are only one.
func (a *App) usersOf(ctx context.Context, args []string, from string) (refs []string, bulk bool, err error) {
	switch {
	case from == "":
		return args, len(args) > 1, nil
	case len(args) > 0:
		return nil, false, logiqc.Errorf(logiqc.Usage, "users are named either on the command line or by --from")
	}
	refs, err = readFrom(from, a.IO().Stdin(ctx))
	return refs, true, err
}
