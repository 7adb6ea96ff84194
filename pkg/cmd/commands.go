package cmd

import "github.com/spf13/cobra"

// commands lists every top-level command, in the order of help.
func commands(a *App) []*cobra.Command {
	return []*cobra.Command{
		newInit(a), newDemo(a),
		newSignin(a), newSignout(a), newWhoami(a),
		newAdmin(a),
		newUsers(a),
		newMFA(a),
		newEnrol(a), newEnroll(a), newRecoveryCodes(a), newRecover(a),
		newTokens(a), newSessions(a), newPolicy(a),
		newAudit(a), newKeysGroup(a), newStoreGroup(a),
		newServe(a),
		newDoctor(a), newConfig(a), newCompletion(a), newVersion(a),
	}
}
