package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

func newUsersEdit(a *App) *cobra.Command {
	var edit logiqc.UserEdit
	var email, name, phone string
	var role logiqc.Role
	var protected bool
	var f *requestFlags
	c := &cobra.Command{
		Use: "edit <user>", Short: "Change an account's email, name, phone, role or protection",
		Annotations: oneAnswer,
		Long: "Change what the flags name, and nothing else. A new role ends the account's\n" +
			"sessions. A new email or phone is shown beside the account for a month.",
		Example: "  logiqc users edit jlee --phone '+61 2 5550 1234'\n" +
			"  logiqc users edit tom --role helpdesk\n" +
			"  logiqc users edit mchen --protected",
		Args: atMostOneUser,
		RunE: func(c *cobra.Command, args []string) error {
			given := func(flag string, set func()) {
				if c.Flags().Changed(flag) {
					set()
				}
			}
			given("email", func() { edit.Email = &email })
			given("name", func() { edit.Name = &name })
			given("phone", func() { edit.Phone = &phone })
			given("role", func() { edit.Role = &role })
			given("protected", func() { edit.Protected = &protected })
			edit.User = firstArg(args)
			return a.editUser(c.Context(), edit, f)
		},
	}
	f = addRequestFlags(c, false)
	f.addReason(c)
	c.Flags().StringVar(&email, "email", "", "email address")
	c.Flags().StringVar(&name, "name", "", "the name people know")
	c.Flags().StringVar(&phone, "phone", "", "the number the help desk calls back")
	enumFlag(c, &role, "role", "what the account may do", logiqc.AccountRoles...)
	c.Flags().BoolVar(&protected, "protected", false, "a reset takes more than --yes; =false takes the mark away")
	return c
}

// editUser changes the given fields of one account.
func (a *App) editUser(ctx context.Context, edit logiqc.UserEdit, f *requestFlags) (err error) {
	switch {
	case edit.Email == nil && edit.Name == nil && edit.Phone == nil && edit.Role == nil && edit.Protected == nil:
		return logiqc.Errorf(logiqc.Usage, "nothing to change was given").
			WithHint("give one of --email, --name, --phone, --role, --protected")
	case edit.User == "" && !a.IO().CanPrompt():
		return errNoUser()
	}
	svc, req, err := a.calling(ctx, f, false)
	if err != nil {
		return err
	}
	edit.Request = req
	var out logiqc.Changed
	err = a.orPicked(ctx, svc, edit.User, func(ref string) (err error) {
		edit.User = ref
		out, err = svc.EditUser(ctx, edit)
		return err
	})
	if err != nil {
		return err
	}
	said := "%s was changed."
	switch {
	case f.dryRun:
		said = "The change of %s would go through. Nothing was changed."
	case !out.Changed:
		said = "%s is so already; nothing was changed."
	}
	return a.answerChanged(out, ui.Sprintf(said, titled(out.Account)))
}
