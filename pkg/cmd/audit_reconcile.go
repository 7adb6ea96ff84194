package cmd

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

func newAuditReconcile(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "reconcile", Short: "Compare accounts, policy, tokens and sessions with the log",
		Long: "Replay the log and compare what it comes to with what the store holds: of every account\n" +
			"the role, status, sign-in method, protected mark, toggle, contact and who changed it last,\n" +
			"password, enrolment and its last step, recovery codes, enrolment code, last reset and\n" +
			"sign-in, hold and window to enrol in; the policy, tokens and sessions with their secrets,\n" +
			"and requests for approval that are open. A role given, an enrolment removed or a session\n" +
			"taken over behind the log's back is found, with what both say and the last event about the\n" +
			"account.\n\n" +
			"Exit status: 9 when there are differences; they are on standard output.",
		Example: "  logiqc audit reconcile\n  logiqc audit reconcile -o json | jq .differences",
		RunE: func(c *cobra.Command, _ []string) error {
			audit, err := a.Audit(c.Context())
			if err != nil {
				return err
			}
			out, err := audit.Reconcile(c.Context())
			if err != nil {
				return err
			}
			if err := a.reconciled(out.Compared, out.Differences); err != nil {
				return err
			}
			return differencesError(out.Differences)
		},
	}
}

// differencesError is the failure that differences are.
func differencesError(diffs []logiqc.Difference) error {
	if len(diffs) == 0 {
		return nil
	}
	return logiqc.Errorf(logiqc.Integrity, "the store says otherwise than the log in %s", counted(len(diffs), "place")).
		WithHint("somebody changed the store itself: change nothing more, and tell whoever answers for it")
}

// reconciled answers with the differences; -o csv has one row for each.
func (a *App) reconciled(compared int, diffs []logiqc.Difference) error {
	io := a.IO()
	if io.Format() == ui.FormatCSV {
		out := io.CSV([]string{"user", "field", "log", "store", "last_event"})
		for _, d := range diffs {
			if err := out.Row(d.User, d.Field, d.Log, d.Store, lastEvent(d, "")); err != nil {
				return err
			}
		}
		return out.Close()
	}
	return a.answer(struct {
		OK          bool                `json:"ok"`
		Compared    int                 `json:"compared"`
		Differences []logiqc.Difference `json:"differences"`
	}{len(diffs) == 0, compared, diffs}, func(io *ui.IO) error {
		if len(diffs) > 0 {
			table := io.Table(ui.Column{Name: "user", Whole: true}, ui.Column{Name: "field", Whole: true},
				ui.Column{Name: "log says"}, ui.Column{Name: "store says"}, ui.Column{Name: "last event", Right: true, Whole: true})
			for _, d := range diffs {
				if err := table.Row(d.User, d.Field, d.Log, d.Store, lastEvent(d, "–")); err != nil {
					return err
				}
			}
			if err := table.Close(); err != nil {
				return err
			}
		}
		io.Answerf("%s compared with the log, %s", counted(compared, "account"), counted(len(diffs), "difference"))
		return nil
	})
}

func lastEvent(d logiqc.Difference, none string) string {
	if d.LastEvent < 0 {
		return none
	}
	return strconv.FormatInt(d.LastEvent, 10)
}
