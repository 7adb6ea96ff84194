package cmd

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// newSignout ends the saved session.
func newSignout(a *App) *cobra.Command {
	return &cobra.Command{
		Use:         "signout",
		Annotations: oneAnswer,
		Aliases:     []string{"logout"},
		Short:       "Sign out",
		Long: "Ends the session that is saved here and forgets it. A token is not signed out but\n" +
			"revoked: logiqc tokens revoke ID.\n\n" +
			"Exit status: 4 when nobody is signed in here.",
		Example: "  logiqc signout",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.Settings()
			if err != nil {
				return err
			}
			if _, ok, err := s.Bearer(); err != nil {
				return err
			} else if ok {
				return logiqc.Errorf(logiqc.Usage, "a token is set, and a token is not signed out but revoked").
					WithHint("logiqc tokens revoke ID; or unset the token to end the saved session")
			}
			token, ok, err := a.session(s).Load()
			if err != nil {
				return err
			}
			if !ok {
				return logiqc.Errorf(logiqc.Unauthenticated, "you are not signed in to %s", s.Store.Display())
			}
			in, err := a.SignIn()
			if err != nil {
				return err
			}
			// One that has ended already is only to be forgotten.
			err = in.End(c.Context(), logiqc.Secret(token.Reveal()), a.Source())
			if err != nil && !errors.Is(err, logiqc.Unauthenticated) {
				return err
			}
			if err := a.session(s).Delete(); err != nil {
				return err
			}
			out := signoutAnswer{Changed: true, Store: s.Store.Display()}
			return a.answer(out, func(io *ui.IO) error {
				io.Answerf("Signed out of %s.", out.Store)
				return nil
			})
		},
	}
}

type signoutAnswer struct {
	Changed bool   `json:"changed"`
	Store   string `json:"store"`
}
