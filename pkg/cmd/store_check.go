package cmd

import (
	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/ui"
)

func newStoreCheck(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Look whether the store is sound",
		Annotations: oneAnswer,
		Long: "Look whether the store is sound: its files and keys are yours alone; the database is not\n" +
			"damaged; tables, columns and the guards of the log are as this program made them; the\n" +
			"search index and the names that accounts answer to fit them; the keys open every secret; the\n" +
			"log is whole, is shown as it is, and is the one that checkpoints were signed of. Whether\n" +
			"accounts are what the log says is asked by `audit reconcile`.\n\n" +
			"Exit status: 9 when there is a problem; they are on standard output.",
		Example: "  logiqc store check\n  logiqc store check -o json | jq .problems",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.Settings()
			if err != nil {
				return err
			}
			at := service.Place{Name: s.Store.Display()}
			if at.Where, at.Options, err = a.place(s); err != nil {
				return err
			}
			found, err := a.checkStore(c, at)
			if err != nil {
				return err
			}
			return a.wasChecked(at.Name, found)
		},
	}
}

// checkStore checks as much as can be opened.
func (a *App) checkStore(c *cobra.Command, at service.Place) ([]store.Problem, error) {
	desk, actor, err := a.Direct(c.Context())
	if err != nil {
		// What keeps it from being opened may be what is wrong with it.
		found, failed := store.Check(c.Context(), at.Where, at.Options)
		if len(found) == 0 {
			return nil, err
		}
		return found, failed
	}
	progress, done := a.progressOf("events")
	defer done()
	return desk.Check(c.Context(), actor, at, progress)
}

func (a *App) wasChecked(name string, found []store.Problem) error {
	if found == nil {
		found = []store.Problem{}
	}
	err := a.answer(struct {
		OK       bool            `json:"ok"`
		Problems []store.Problem `json:"problems"`
	}{len(found) == 0, found}, func(io *ui.IO) error {
		if len(found) == 0 {
			io.Answerf("%s is sound.", name)
			return nil
		}
		return tellProblems(io, found)
	})
	if err != nil || len(found) == 0 {
		return err
	}
	return logiqc.Errorf(logiqc.Integrity, "the store is not sound: %s", counted(len(found), "problem")).
		WithHint("change nothing more before it is clear why; docs/operations.md, \"When a check fails\"")
}

func tellProblems(io *ui.IO, found []store.Problem) error {
	table := io.Table(ui.Column{Name: "check", Whole: true}, ui.Column{Name: "problem"})
	for _, p := range found {
		if err := table.Row(p.Check, p.Detail); err != nil {
			return err
		}
	}
	return table.Close()
}

func newStoreUpgrade(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "upgrade", Short: "Bring the store to this program's schema",
		Annotations: oneAnswer,
		Long: "Bring a store that an older logiqc made to the schema of this program. There has been one\n" +
			"schema so far, so there is nothing to do yet; every other command refuses a store of\n" +
			"another schema.\n\nExit status: 11 when the store is of a newer program, or cannot be opened.",
		Example: "  logiqc store upgrade",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.Settings()
			if err != nil {
				return err
			}
			where, options, err := a.place(s)
			if err != nil {
				return err
			}
			changed, err := store.Upgrade(c.Context(), where, options)
			if err != nil {
				return err
			}
			return a.answer(struct {
				Changed bool `json:"changed"`
				Schema  int  `json:"schema"`
			}{changed, store.SchemaVersion}, func(io *ui.IO) error {
				io.Answerf("The store has schema %d, the newest; nothing was changed.", store.SchemaVersion)
				return nil
			})
		},
	}
}
