package cmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

const doctorLong = `Look at what is likely to go wrong, and say what to do about it: the settings and saved
sessions here; the store's schema and whether it takes changes; whether its database server may
forget what it answered; its keys and who can read them; whether an older copy of the store
would be noticed (guard); the clock, by app codes and events of later times than it says; how
many administrators are active, and whether the policy leaves somebody to approve what it
wants approved; how old the last checkpoint is, and the last one that went to a witness or
another place (anchor).

It is quick and does not read the whole log: audit verify and audit reconcile do. Of a
server it tells what the server finds where it is.

Exit status: 0 with warnings too; 9 when there is a problem; 11 when the store cannot be
opened or reached.`

// doctorAnswer is the answer of `doctor`.
type doctorAnswer struct {
	OK       bool                    `json:"ok"` // no problem; there may be warnings
	Store    string                  `json:"store"`
	Findings []logiqc.CheckupFinding `json:"findings"`
}

func newDoctor(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Look for what is likely to go wrong", Long: doctorLong,
		Example: "  logiqc doctor\n  logiqc doctor -o json | jq '.findings[] | select(.grade != \"ok\")'",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.Settings()
			if err != nil {
				return err
			}
			found, failed := a.checkup(c.Context())
			out := doctorAnswer{OK: found.Worst() != logiqc.GradeProblem, Store: s.Store.Display(), Findings: found.Findings}
			if err := a.doctorSays(out); err != nil {
				return err
			}
			if failed != nil {
				return failed
			}
			return doctorError(found)
		},
	}
}

// checkup looks here, and then at the store. err is why the store could not be
// looked at; that is a finding too.
func (a *App) checkup(ctx context.Context) (c logiqc.Checkup, err error) {
	c.Findings = []logiqc.CheckupFinding{}
	sessions := config.CheckSessions(config.DefaultPaths())
	if sessions != nil {
		e := asError(ctx, sessions)
		c.Add("sessions", logiqc.GradeProblem, e.Error(), e.Hint)
	} else {
		c.Add("sessions", logiqc.GradeOK, "saved sessions are for their owner only", "")
	}
	audit, err := a.Audit(ctx)
	if err != nil && sessions != nil {
		audit, err = a.systemAudit()
	}
	var there logiqc.Checkup
	if err == nil {
		there, err = audit.Checkup(ctx)
	}
	if err != nil {
		e := asError(ctx, err)
		c.Add("store", logiqc.GradeProblem, e.Error(), e.Hint)
		return c, err
	}
	c.Add("store", logiqc.GradeOK, "the store can be opened", "")
	c.Findings = append(c.Findings, there.Findings...)
	return c, nil
}

// systemAudit is [App.Audit] on a store that is opened directly, whoever is
// signed in.
func (a *App) systemAudit() (logiqc.Audit, error) {
	desk, err := a.Desk()
	if err != nil {
		return nil, err
	}
	return desk.Audit(logiqc.Actor{Kind: logiqc.System, Source: a.Source()}), nil
}

// doctorSays tells the findings; a program may want them one a line.
func (a *App) doctorSays(out doctorAnswer) error {
	io := a.IO()
	if io.Format() == ui.FormatCSV {
		csv := io.CSV([]string{"check", "grade", "said", "next"})
		for _, f := range out.Findings {
			if err := csv.Row(f.Check, string(f.Grade), f.Said, f.Next); err != nil {
				return err
			}
		}
		return csv.Close()
	}
	return a.answer(out, func(io *ui.IO) error {
		for _, f := range out.Findings {
			io.Answerf("%s  %-10s  %s", gradeText(f.Grade), f.Check, f.Said)
			if f.Next != "" {
				io.Answerf("         %-10s  → %s", "", f.Next)
			}
		}
		return nil
	})
}

// gradeText is a grade as wide as the others, a bad one in red.
func gradeText(g logiqc.Grade) ui.Text {
	text := fmt.Sprintf("%-7s", g)
	if g == logiqc.GradeProblem {
		return ui.Red(text)
	}
	return ui.Sprintf("%s", text)
}

// doctorError is the failure that a problem is.
func doctorError(c logiqc.Checkup) error {
	n, first := 0, logiqc.CheckupFinding{}
	for _, f := range c.Findings {
		if f.Grade != logiqc.GradeProblem {
			continue
		}
		if n++; n == 1 {
			first = f
		}
	}
	if n == 0 {
		return nil
	}
	return logiqc.Errorf(logiqc.Integrity, "%s found: %s", counted(n, "problem"), first.Said).WithHint("%s", first.Next)
}
