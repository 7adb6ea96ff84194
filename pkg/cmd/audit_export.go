package cmd

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
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
			desk, actor, err := a.Direct(c.Context())
			if err != nil {
				return err
			}
			x, dir, err := a.export(c.Context(), desk, actor, args[0])
			if err != nil {
				return err
			}
			return a.answer(struct {
				Dir        string `json:"dir"`
				Added      int64  `json:"added"`
				Checkpoint string `json:"checkpoint"`
				headOf
			}{dir, x.Added, x.Note, headOf{x.Head.Size, x.Head.Root.String()}}, func(io *ui.IO) error {
				io.Answerf("%s in %s, %s of them new; root %s", events(x.Head.Size), dir, thousands(int(x.Added)), x.Head.Root.String())
				return nil
			})
		},
	}
}

// export exports the log to a folder, with progress, and returns its full name.
func (a *App) export(ctx context.Context, desk *service.Desk, by logiqc.Actor, folder string) (x service.Exported, full string, err error) {
	if full, err = filepath.Abs(folder); err != nil {
		return x, folder, err
	}
	if err := logiqc.CheckText("the name of the folder", full, logiqc.MaxReason); err != nil {
		return x, full, err
	}
	bar := a.IO().Progress(0, "events")
	defer bar.Done()
	x, err = desk.Export(ctx, by, full, bar.Set)
	return x, full, err
}
