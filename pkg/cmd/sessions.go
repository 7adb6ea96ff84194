package cmd

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// newSessions groups what is done to sessions.
func newSessions(a *App) *cobra.Command {
	return group("sessions", "List and end sign-in sessions", newSessionsList(a), newSessionsRevoke(a))
}

func newSessionsList(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "list [<user>]", Short: "List who is signed in, and where from",
		Long:    "List the live sessions of an account, or of everybody. Who is not an administrator sees\ntheir own.",
		Example: "  logiqc sessions list jlee\n  logiqc sessions list -o json",
		Args:    atMostOneUser,
		RunE: func(c *cobra.Command, args []string) error {
			svc, err := a.Service(c.Context())
			if err != nil {
				return err
			}
			sessions, err := svc.Sessions(c.Context(), firstArg(args))
			if err != nil {
				return err
			}
			out := list(a.IO(), sessionColumns, sessionCells, sessionHeader, sessionRecord)
			if err := out.all(sessions); err != nil {
				return err
			}
			if out.n == 0 && a.IO().Format() == ui.FormatText {
				a.IO().Notef("There are no sessions.")
			}
			return nil
		},
	}
}

var (
	sessionColumns = []ui.Column{{Name: "User"}, {Name: "Host"}, {Name: "Since", Whole: true}, {Name: "ID", Whole: true}}
	sessionHeader  = []string{"id", "user", "host", "created_at", "last_used_at", "expires_at"}
)

func sessionCells(s logiqc.SessionInfo) []any {
	return []any{s.User, s.Host, minute(s.CreatedAt), s.ID}
}

func sessionRecord(s logiqc.SessionInfo) []string {
	return []string{s.ID, s.User, s.Host, s.CreatedAt.String(), s.LastUsedAt.String(), s.ExpiresAt.String()}
}

func newSessionsRevoke(a *App) *cobra.Command {
	r := revoking{what: "session", nothing: "Nothing was changed: there is no live session to end."}
	c := &cobra.Command{
		Use: "revoke ID|--user <user>|--all", Short: "End one session, those of a user, or all",
		Annotations: oneAnswer,
		Long: "End a session by the ID that `sessions list` shows, every session of one user, or every\n" +
			"session there is, your own among them. Whoever it was signs in again.",
		Example: "  logiqc sessions revoke 0193a7c2-…\n  logiqc sessions revoke --user jlee\n  logiqc sessions revoke --all --yes",
	}
	c.Flags().StringVar(&r.r.User, "user", "", "every session of this `<user>`")
	c.Args = r.args(c)
	r.addFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if c.Flags().Changed("user") && r.r.User == "" {
			return errNoUser()
		}
		return a.revoke(c.Context(), r.of(args), logiqc.Service.RevokeSessions, sessionDialog)
	}
	return c
}

// sessionDialog asks about the sessions that would end.
func sessionDialog(c revokeContext) (ui.Dialog, error) {
	d := ui.Dialog{
		Title: "End " + counted(c.count, "session") + "?", Action: "end them",
		Will:    []string{"make whoever it is sign in again"},
		WillNot: []string{"change the password or the MFA", "revoke tokens"},
	}
	if c.User != "" {
		d.Title = "End " + counted(c.count, "session") + " of " + c.User + "?"
	}
	if c.All {
		d.Warnings = []string{"Your own session is among them: you will have to sign in again."}
	}
	if c.ID == "" {
		return d, nil
	}
	sessions, err := c.svc.Sessions(c.ctx, "")
	if err != nil {
		return d, err
	}
	if i := slices.IndexFunc(sessions, func(s logiqc.SessionInfo) bool { return s.ID == c.ID }); i >= 0 {
		s := sessions[i]
		d.Title, d.Action = "End the session of "+s.User+"?", "end it"
		d.Facts = []ui.Fact{{Label: "Session", Value: s.User + " on " + s.Host, Keep: true},
			{Label: "Since", Value: minute(s.CreatedAt)}, {Label: "Last used", Value: minute(s.LastUsedAt)}}
	}
	return d, nil
}
