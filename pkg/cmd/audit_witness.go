package cmd

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

func newAuditWitness(a *App) *cobra.Command {
	return group("witness", "Say who cosigns the log's checkpoints",
		newAuditWitnessAdd(a), newAuditWitnessList(a), newAuditWitnessRemove(a))
}

const witnessAddLong = `Note a witness: a server that somebody else runs and that cosigns checkpoints of this log
as long as each continues the one before (C2SP tlog-witness). "audit push" sends it the
next checkpoint. What it has signed nobody can take back, whoever has the store and its
keys: that is what it is for, so it should not be run by those who run the store.

Its operator gives you URL and VKEY, and needs from you the log's origin and key: the
first part, and all, of the line that "audit key" prints. The witness is kept in the
store, so that every machine with it knows; adding it is an event.

Exit status: 5 when there is another witness of that name.`

func newAuditWitnessAdd(a *App) *cobra.Command {
	var key string
	c := &cobra.Command{
		Use: "add URL", Short: "Note a witness that cosigns checkpoints", Long: witnessAddLong,
		Example: "  logiqc audit witness add https://witness.example.net --key example.net/w1+7b2f…+BA…",
		Args:    exactly(1, "the address of the witness"),
	}
	c.Flags().StringVar(&key, "key", "", "the witness's verifier `VKEY`, a line NAME+HASH+KEY")
	f := addRequestFlags(c, false)
	c.RunE = func(c *cobra.Command, args []string) error {
		if key == "" {
			return logiqc.Errorf(logiqc.Usage, "what a witness signs is checked with its key: give --key").
				WithHint("the witness's operator publishes it: one line, NAME+HASH+KEY")
		}
		audit, req, err := a.auditing(c.Context(), f)
		if err != nil {
			return err
		}
		out, err := audit.AddWitness(c.Context(), logiqc.NewWitness{Request: req, URL: strings.TrimSuffix(args[0], "/"), Key: strings.TrimSpace(key)})
		if err != nil {
			return err
		}
		return a.answer(witnessAnswerOf(out, req), func(io *ui.IO) error {
			switch {
			case !out.Changed:
				io.Answerf("%s is a witness already.", out.Witness.Name)
			case req.DryRun:
				io.Answerf("%s would be a witness.", out.Witness.Name)
			default:
				io.Answerf("%s is a witness now. Send it a checkpoint: logiqc audit push", out.Witness.Name)
			}
			return nil
		})
	}
	return c
}

// witnessAnswer is a witness that was added or removed, or would be.
type witnessAnswer struct {
	Changed bool           `json:"changed"`
	Would   bool           `json:"would_change,omitempty"`
	Witness logiqc.Witness `json:"witness"`
	logiqc.Replayed
}

func witnessAnswerOf(out logiqc.WitnessChanged, r logiqc.Request) witnessAnswer {
	return witnessAnswer{out.Changed && !r.DryRun, out.Changed && r.DryRun, out.Witness, out.Replayed}
}

// auditing is what a command begins with that changes who cosigns: the request
// of its flags, and what [App.Audit] returns.
func (a *App) auditing(ctx context.Context, f *requestFlags) (audit logiqc.Audit, req logiqc.Request, err error) {
	if req, err = f.request(false); err == nil {
		audit, err = a.Audit(ctx)
	}
	return audit, req, err
}

func newAuditWitnessList(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the witnesses, with what each has signed last",
		Example: "  logiqc audit witness list",
		RunE: func(c *cobra.Command, _ []string) error {
			_, e, err := a.evidence(c.Context())
			if err != nil {
				return err
			}
			out := list(a.IO(), []ui.Column{{Name: "Name", Whole: true}, {Name: "URL"}, {Name: "Events", Right: true, Whole: true}, {Name: "Cosigned", Whole: true}},
				func(w logiqc.Witness) []any {
					return []any{w.Name, w.URL, number(int(w.Last.Size)), a.moment(w.Last.At)}
				},
				[]string{"name", "url", "events", "cosigned", "key"}, func(w logiqc.Witness) []string {
					return []string{w.Name, w.URL, number(int(w.Last.Size)), w.Last.At.String(), w.Key}
				})
			if err := out.addAll(e.Witnesses); err != nil {
				return err
			}
			return out.Close()
		},
	}
}

// moment is a time for people on a terminal, and as machines write it in a pipe.
func (a *App) moment(t logiqc.Time) string {
	if a.IO().OutTerminal() {
		return minute(t)
	}
	return t.String()
}

func newAuditWitnessRemove(a *App) *cobra.Command {
	c := &cobra.Command{
		Use: "remove NAME", Short: "Ask a witness no more",
		Long: "Take a witness off. What it has signed stays signed, with whoever kept it; the store\n" +
			"forgets it. It is an event.\n\nExit status: 3 no such witness.",
		Example: "  logiqc audit witness remove example.net/w1",
		Args:    exactly(1, "the name of a witness"),
	}
	f := addRequestFlags(c, false)
	f.addReason(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		audit, req, err := a.auditing(c.Context(), f)
		if err != nil {
			return err
		}
		out, err := audit.RemoveWitness(c.Context(), logiqc.WitnessRemoval{Request: req, Name: args[0]})
		if err != nil {
			return err
		}
		return a.answer(witnessAnswerOf(out, req), func(io *ui.IO) error {
			if req.DryRun {
				io.Answerf("%s would be no witness any more.", out.Witness.Name)
				return nil
			}
			io.Answerf("%s is no witness any more.", out.Witness.Name)
			return nil
		})
	}
	return c
}
