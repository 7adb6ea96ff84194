package cmd

import (
	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// whoamiAnswer is who acts, by what, and where.
type whoamiAnswer struct {
	User      string      `json:"user"`
	Role      logiqc.Role `json:"role"`
	Via       string      `json:"via"` // session or token
	Store     string      `json:"store"`
	ExpiresAt logiqc.Time `json:"expires_at"`
	Waiting   int         `json:"approvals_waiting,omitempty"` // for them to decide about
}

// newWhoami tells who is signed in.
func newWhoami(a *App) *cobra.Command {
	return &cobra.Command{
		Use:     "whoami",
		Short:   "Tell who is signed in here",
		Long:    "Tells whose session or token the commands act with, and on which store.\n\nExit status: 4 when nobody is signed in.",
		Example: "  logiqc whoami",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.Settings()
			if err != nil {
				return err
			}
			svc, err := a.Service(c.Context())
			if err != nil {
				return err
			}
			who := svc.Actor()
			out := whoamiAnswer{User: who.Username, Role: who.Role, Via: "session", Store: s.Store.Display(), ExpiresAt: who.ExpiresAt,
				Waiting: waiting(c.Context(), svc)}
			if who.Kind == logiqc.Token {
				out.Via = "token"
			}
			defer tellWaiting(a.IO(), out.Waiting)
			return a.answer(out, func(io *ui.IO) error {
				return io.Card(ui.Card{Title: out.User, Status: string(out.Role), Sections: []ui.Section{{Rows: []ui.CardRow{
					{Label: "Via", Value: out.Via}, {Label: "Store", Value: out.Store}, {Label: "Until", Value: minute(out.ExpiresAt)},
				}}}})
			})
		},
	}
}
