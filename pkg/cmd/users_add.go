package cmd

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// addFlags are the flags of `users add`.
type addFlags struct {
	*requestFlags
	user          logiqc.NewUser
	mfa           string
	passwordStdin bool
	nameGiven     bool
}

func newUsersAdd(a *App) *cobra.Command {
	var f addFlags
	c := &cobra.Command{
		Use: "add USERNAME --email E", Short: "Add an account",
		Annotations: oneAnswer,
		Long: "Add an account. On a terminal it asks for what is missing. Without a password\n" +
			"the user cannot sign in until one is set with: logiqc users passwd.",
		Example: "  logiqc users add jlee --email jlee@stmary.example --name 'Jordan Lee'\n" +
			"  logiqc users add tom --email tom@stmary.example --role helpdesk --password-stdin <pw.txt\n" +
			"  logiqc users add mira --email mira@stmary.example --auth sso",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return logiqc.Errorf(logiqc.Usage, "users add takes one username, not %d", len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			f.user.Username = firstArg(args)
			f.nameGiven = c.Flags().Changed("name")
			return a.addUser(c.Context(), &f)
		},
	}
	f.requestFlags = addRequestFlags(c, false)
	f.addReason(c)
	c.Flags().StringVar(&f.user.Email, "email", "", "email address")
	c.Flags().StringVar(&f.user.Name, "name", "", "the name people know")
	c.Flags().StringVar(&f.user.Phone, "phone", "", "the number the help desk calls back")
	enumFlag(c, &f.user.Role, "role", "what the account may do", logiqc.AccountRoles...)
	enumFlag(c, &f.user.Auth, "auth", "how it signs in", logiqc.ByPassword, logiqc.BySSO)
	enumFlag(c, &f.mfa, "mfa", "the account's own MFA toggle", "off", "on")
	c.Flags().BoolVar(&f.user.Protected, "protected", false, "a reset takes more than --yes")
	c.Flags().BoolVar(&f.passwordStdin, "password-stdin", false, "read the password from standard input, one line")
	return c
}

// addUser adds the account that the flags and the answers make.
func (a *App) addUser(ctx context.Context, f *addFlags) (err error) {
	if err := a.checkAdd(f); err != nil {
		return err
	}
	svc, req, err := a.calling(ctx, f.requestFlags, false)
	if err != nil {
		return err
	}
	f.user.Request = req
	switch {
	case f.passwordStdin:
		f.user.Password, err = a.secret(ctx, "Password")
	case a.IO().CanPrompt() && svc.Actor().May(logiqc.UsersWrite): // or it is refused before anything is asked
		err = a.askNewUser(ctx, f)
	}
	if err != nil {
		return err
	}
	f.user.Toggle = f.mfa == "on"
	out, err := svc.AddUser(ctx, f.user)
	if err != nil {
		return err
	}
	if f.dryRun {
		return a.answerChanged(out, ui.Sprintf("%s would be added. Nothing was changed.", titled(out.Account)))
	}
	if err := a.answerChanged(out, ui.Sprintf("%s was added as %s.", titled(out.Account), string(out.Account.Role))); err != nil {
		return err
	}
	if out.Account.Signin.Why == logiqc.WhyNoPassword {
		a.IO().Notef("There is no password yet, so nobody can sign in with it: logiqc users passwd %s", out.Account.Username)
	}
	return nil
}

// checkAdd refuses what is wrong before anything is opened.
func (a *App) checkAdd(f *addFlags) error {
	if f.passwordStdin && f.user.Auth == logiqc.BySSO {
		return logiqc.Errorf(logiqc.Usage, "an account that signs in by SSO has no password here").WithHint("leave --password-stdin out")
	}
	if a.IO().CanPrompt() {
		return nil
	}
	switch {
	case f.user.Username == "":
		return logiqc.Errorf(logiqc.Usage, "users add takes a username").WithHint("logiqc users add USERNAME --email E")
	case f.user.Email == "":
		return logiqc.Errorf(logiqc.Usage, "users add needs --email").WithHint("logiqc users add %s --email E", f.user.Username)
	}
	return nil
}

// askNewUser asks for what the flags do not say.
func (a *App) askNewUser(ctx context.Context, f *addFlags) error {
	valid := func(check func(string) error) func(string) error {
		return func(s string) error { return check(strings.TrimSpace(s)) }
	}
	for _, q := range []struct {
		title string
		value *string
		asked bool
		check func(string) error
	}{
		{"Username", &f.user.Username, f.user.Username == "", logiqc.CheckUsername},
		{"Email", &f.user.Email, f.user.Email == "", logiqc.CheckEmail},
		{"Name (may be left empty)", &f.user.Name, !f.nameGiven, func(s string) error {
			return logiqc.CheckText("the name", s, logiqc.MaxName)
		}},
	} {
		if !q.asked {
			continue
		}
		answer, err := a.IO().Input(ctx, ui.InputSpec{Title: q.title, Validate: valid(q.check)})
		if err != nil {
			return err
		}
		*q.value = strings.TrimSpace(answer)
	}
	if f.user.Auth == logiqc.BySSO {
		return nil
	}
	choice, err := a.IO().Select(ctx, "A password for "+f.user.Username+"?", []ui.Option{
		{Label: "Set one now"}, {Label: "Leave it out", Detail: "no sign-in until: logiqc users passwd " + f.user.Username},
	})
	if err != nil || choice == 1 {
		return err
	}
	f.user.Password, err = a.askPassword(ctx, "Password for "+f.user.Username, true)
	return err
}
