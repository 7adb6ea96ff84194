package cmd

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

func newUsersPasswd(a *App) *cobra.Command {
	var f *requestFlags
	var stdin bool
	c := &cobra.Command{
		Use: "passwd [<user>]", Short: "Set a password: your own, or as an administrator another's",
		Annotations: oneAnswer,
		Long: "Set a password. Your own takes the current one first and then the new one; an\n" +
			"administrator gives somebody else a new one. Every session of the account ends.\n" +
			"With --password-stdin the passwords are lines of standard input in that order.",
		Example: "  logiqc users passwd\n  logiqc users passwd jlee\n  logiqc users passwd jlee --password-stdin <pw.txt",
		Args:    atMostOneUser,
		RunE: func(c *cobra.Command, args []string) error {
			return a.setPassword(c.Context(), firstArg(args), stdin, f)
		},
	}
	f = addRequestFlags(c, false)
	f.addReason(c)
	c.Flags().BoolVar(&stdin, "password-stdin", false, "read the passwords from standard input, one line each")
	return c
}

// setPassword sets the password of the account that ref means, the caller's own
// without one.
func (a *App) setPassword(ctx context.Context, ref string, stdin bool, f *requestFlags) (err error) {
	if !stdin && !a.IO().CanPrompt() {
		return logiqc.Errorf(logiqc.Usage, "there is no terminal to ask for the password on").WithHint("give it with --password-stdin")
	}
	svc, req, err := a.calling(ctx, f, false)
	if err != nil {
		return err
	}
	change := logiqc.PasswordChange{Request: req, User: ref}
	own, err := a.whosePassword(ctx, svc, &change)
	if err != nil {
		return err
	}
	if err := a.readPasswords(ctx, &change, own, stdin); err != nil {
		return err
	}
	out, err := svc.SetPassword(ctx, change)
	switch {
	case errors.Is(err, logiqc.SigninDenied):
		return logiqc.Errorf(logiqc.SigninDenied, "the current password is not right; nothing was changed")
	case err != nil:
		return err
	case f.dryRun:
		return a.answerChanged(out, ui.Sprintf("The password of %s could be set. Nothing was changed.", titled(out.Account)))
	}
	return a.answerChanged(out, ui.Sprintf("The password of %s was set; every session of the account has ended.", titled(out.Account)))
}

// whosePassword finds the account whose password is meant, and whether it is
// the caller's own. Whoever may not set the passwords of others is refused here,
// before anything is asked.
func (a *App) whosePassword(ctx context.Context, svc logiqc.Service, change *logiqc.PasswordChange) (own bool, err error) {
	actor := svc.Actor()
	if change.User == "" {
		if actor.Kind != logiqc.Person {
			return false, logiqc.Errorf(logiqc.Usage, "a token has no password of its own").WithHint("logiqc users passwd <user>")
		}
		return true, nil
	}
	if actor.May(logiqc.UsersWrite) && actor.May(logiqc.UsersRead) {
		account, err := a.pickUser(ctx, svc, change.User)
		change.User = account.Username
		return actor.Kind == logiqc.Person && actor.IsSelf(account.ID), err
	}
	// Without a password the service refuses either way, and says which: as
	// Usage when the account is the caller's own.
	_, err = svc.SetPassword(ctx, *change)
	if errors.Is(err, logiqc.Usage) {
		return actor.Kind == logiqc.Person, nil
	}
	return false, err
}

// readPasswords takes the current password, if it is the caller's own account,
// and the new one.
func (a *App) readPasswords(ctx context.Context, change *logiqc.PasswordChange, own, stdin bool) (err error) {
	title, line := "New password", "new password"
	if own {
		line += ", after the current one,"
		if change.Current, err = a.secret(ctx, "Current password"); err != nil {
			return err
		}
	} else {
		title += " for " + change.User
	}
	if stdin {
		change.New, err = a.secretLine(ctx, title, line)
		return err
	}
	change.New, err = a.askPassword(ctx, title, true)
	return err
}
