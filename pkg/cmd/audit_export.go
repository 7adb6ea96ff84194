package cmd

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

func newAuditExport(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "export DIR", Short: "Write the log to a folder that others can check",
		Long: "Write the log with a signed checkpoint to a folder, in the form that tools of the\n" +
			"transparency world read (C2SP tlog-tiles). A folder that holds an older state of this\n" +
			"log is continued: only what is new is written. Check it anywhere, with nothing but the\n" +
			"key: logiqc audit verify --dir DIR --key VKEY. The export itself is an event.\n\n" +
			"For a SIEM, one event a line: logiqc audit list -o jsonl, or -o csv.\n\n" +
			"Exit status: 9 when the folder, or what was signed before, is of another log.",
		Example: "  logiqc audit export /mnt/evidence/log",
		Args:    exactly(1, "the folder to write to"),
		RunE: func(c *cobra.Command, args []string) error {
			if a.IO().Format() == ui.FormatCSV {
				return noCSV()
			}
			audit, err := a.Audit(c.Context())
			if err != nil {
				return err
			}
			e, err := audit.Evidence(c.Context())
			if err != nil {
				return err
			}
			x, err := a.export(c.Context(), audit, e, args[0])
			if err != nil {
				return err
			}
			return a.answer(struct {
				Dir        string `json:"dir"`
				Added      int64  `json:"added"`
				Checkpoint string `json:"checkpoint"`
				logiqc.LogHead
			}{x.dir, x.added, x.Note, x.LogHead}, func(io *ui.IO) error {
				io.Answerf("%s in %s, %s of them new; root %s", events(x.Size), x.dir, thousands(int(x.added)), x.Root.String())
				return nil
			})
		},
	}
}

// exported is what an export wrote.
type exported struct {
	dir   string // its full name
	added int64  // events that were not in the folder before
	logiqc.Checkpoint
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
	x.added, err = ledger.Export(ctx, x.dir, countedSource{logSource{audit}, bar.Set}, []byte(x.Note), e.Origin, k.verifiers...)
	if ledger.ProblemOf(err) != ledger.OK {
		err = logiqc.Errorf(logiqc.Integrity, "nothing more was exported: %w", err).
			WithHint("export into an empty folder, and keep this one: logiqc audit verify tells more")
	}
	return x, err
}
