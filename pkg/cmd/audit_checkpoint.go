package cmd

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
	"github.com/logiqc/logiqc/pkg/witness"
)

func newAuditKey(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "key", Short: "Print the key that verifies the log's checkpoints",
		Long: "Print the line that verifies what the log's key signs. It is public: give it to your\n" +
			"auditor on the first day, by a way that the people who run the store do not control.\n" +
			"While a key is being replaced there is a line for the new one and then the old one.",
		Example: "  logiqc audit key",
		RunE: func(c *cobra.Command, _ []string) error {
			_, e, err := a.evidence(c.Context())
			if err != nil {
				return err
			}
			k, err := a.keysFor(nil, e)
			if err != nil {
				return err
			}
			if len(k.lines) == 0 {
				return logiqc.Errorf(logiqc.Unavailable, "the keys of this store are not here").WithHint("say where they are with --keys DIR")
			}
			return a.answer(struct {
				Key       string   `json:"key"`
				Keys      []string `json:"keys"` // the current one first
				KeySource string   `json:"key_source"`
			}{k.lines[0], k.lines, k.source}, func(io *ui.IO) error {
				io.Answerf("%s", ui.Lines(strings.Join(k.lines, "\n")))
				return nil
			})
		},
	}
}

func newAuditCheckpoint(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "checkpoint", Short: "Sign the log as it is now, for keeping elsewhere",
		Long: "Print a signed statement of how many events the log has and what their root is (C2SP\n" +
			"tlog-checkpoint). Keep it where the people who run the store cannot change it: with it\n" +
			"`audit verify --since FILE` proves later that nothing before it was changed.\n\n" +
			"Before signing it is proved that the log continues the checkpoint signed before; if it\n" +
			"does not, nothing is signed. It bears the signatures of witnesses, where they have signed\n" +
			"this very state of the log: audit push.\n\nExit status: 9 when the log is another one.",
		Example: "  logiqc audit checkpoint > 2026-11-23.ckpt",
		RunE: func(c *cobra.Command, _ []string) error {
			audit, err := a.Audit(c.Context())
			if err != nil {
				return err
			}
			cp, err := audit.SignCheckpoint(c.Context())
			if err != nil {
				return err
			}
			e, err := audit.Evidence(c.Context())
			if err != nil {
				return err
			}
			cosigned := []string{}
			for _, w := range e.Witnesses {
				if merged := witness.Merge(cp.Note, w.Last.Note); merged != cp.Note {
					cp.Note, cosigned = merged, append(cosigned, w.Name)
				}
			}
			return a.answer(struct {
				Checkpoint string `json:"checkpoint"`
				logiqc.LogHead
				Cosigned []string `json:"cosigned,omitempty"` // the witnesses whose signatures it bears
			}{cp.Note, cp.LogHead, cosigned}, func(io *ui.IO) error {
				io.Answerf("%s", ui.Lines(cp.Note))
				return nil
			})
		},
	}
}
