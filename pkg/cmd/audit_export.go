package cmd

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

func newAuditExport(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "export DIR", Short: "Write the log to a folder that others can check",
		Annotations: oneAnswer,
		Long: "Write the log with a signed checkpoint to a folder, in the form that tools of the\n" +
			"transparency world read (C2SP tlog-tiles). A folder that holds an older state of this\n" +
			"log is continued: only what is new is written. Check it anywhere, with nothing but the\n" +
			"key: logiqc audit verify --dir DIR --key VKEY. The export itself is an event.\n\n" +
			"Witnesses cosign the checkpoint, if there are any and they can be reached.\n\n" +
			"For a SIEM, one event a line: logiqc audit list -o jsonl, or -o csv.\n\n" +
			"Exit status: 9 when the folder, what was signed before, or what a witness has seen, is of\n" +
			"another log.",
		Example: "  logiqc audit export /mnt/evidence/log",
		Args:    exactly(1, "the folder to write to"),
		RunE: func(c *cobra.Command, args []string) error {
			audit, e, err := a.evidence(c.Context())
			if err != nil {
				return err
			}
			x, err := a.export(c.Context(), audit, e, args[0])
			if err != nil {
				return err
			}
			err = a.answer(struct {
				Dir        string `json:"dir"`
				Added      int64  `json:"added"`
				Checkpoint string `json:"checkpoint"`
				logiqc.LogHead
				Cosigned []string `json:"cosigned"`
				Warnings []string `json:"warnings,omitempty"`
			}{x.dir, x.added, x.Note, x.LogHead, x.cosigned, a.IO().Warnings()}, func(io *ui.IO) error {
				io.Answerf("%s in %s, %s of them new; root %s", events(x.Size), x.dir, thousands(int(x.added)), x.Root.String())
				if len(x.cosigned) > 0 {
					io.Answerf("Cosigned by %s.", strings.Join(x.cosigned, ", "))
				}
				return nil
			})
			return errors.Join(err, x.refused)
		},
	}
}

// exported is what an export wrote.
type exported struct {
	dir   string // its full name
	added int64  // events that were not in the folder before
	logiqc.Checkpoint
	cosigned []string // the witnesses that signed it
	refused  error    // what a witness has against the log
}

// cosign has the witnesses sign the checkpoint too. One that cannot be asked is
// a warning: what is there is exported all the same.
func (x *exported) cosign(ctx context.Context, a *App, audit logiqc.Audit, e logiqc.Evidence, k logKeys) {
	x.cosigned = []string{}
	p := &push{app: a, audit: audit, e: e, keys: k, cp: x.Checkpoint}
	for _, w := range e.Witnesses {
		err := p.toWitness(ctx, w)
		switch {
		case err == nil:
			x.cosigned = append(x.cosigned, w.Name)
		case ledger.ProblemOf(err) != ledger.OK:
			x.refused = err
		default:
			a.IO().Warnf("the export is not cosigned: %s (try again: logiqc audit push, then logiqc audit export)", logiqc.AsError(err).Message)
		}
	}
	x.Checkpoint = p.cp
}

// export writes the log to a folder as C2SP tlog-tiles, or continues one that
// was written before; see [ledger.Export]. The event that says so comes first
// and is part of what is exported. A folder that was not written from this log
// is Integrity and stays as it is.
func (a *App) export(ctx context.Context, audit logiqc.Audit, e logiqc.Evidence, folder string) (x exported, err error) {
	if x.dir, err = filepath.Abs(folder); err != nil {
		return x, err
	}
	k, err := a.keysFor(nil, e)
	if err != nil {
		return x, err
	}
	bar := a.IO().Progress(0, "events")
	defer bar.Done()
	if x.Checkpoint, err = audit.BeginExport(ctx, logiqc.LogExport{Folder: x.dir}); err != nil {
		return x, err
	}
	x.cosign(ctx, a, audit, e, k)
	x.added, err = ledger.Export(ctx, x.dir, countedSource{logSource{audit}, bar.Set}, []byte(x.Note), e.Origin, k.verifiers...)
	if ledger.ProblemOf(err) != ledger.OK {
		err = logiqc.Errorf(logiqc.Integrity, "nothing more was exported: %w", err).
			WithHint("export into an empty folder, and keep this one: logiqc audit verify tells more")
	}
	return x, err
}
