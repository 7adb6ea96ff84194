package cmd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
	"github.com/logiqc/logiqc/pkg/ui"
)

func newAuditProve(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "prove SEQ", Short: "Prove to an outsider that an event is in the log",
		Long: "Print a proof that the event with this number is in the log (C2SP tlog-proof). It holds\n" +
			"the event and a signed checkpoint, so that whoever has the key of the log can check it\n" +
			"without the store: logiqc audit verify --proof FILE --key VKEY.\n\n" +
			"Exit status: 3 no such event; 9 when the log is another one than was signed before.",
		Example: "  logiqc audit prove 42 > event-42.proof\n" +
			"  logiqc audit verify --proof event-42.proof --key \"$(logiqc audit key)\"",
		Args: exactly(1, "the number of one event"),
		RunE: func(c *cobra.Command, args []string) error {
			seq, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || seq < 0 {
				return logiqc.Errorf(logiqc.Usage, "%q is not the number of an event", args[0]).WithHint("logiqc audit list")
			}
			audit, err := a.Audit(c.Context())
			if err != nil {
				return err
			}
			p, err := audit.Prove(c.Context(), seq)
			if err != nil {
				return err
			}
			return a.answer(p, func(io *ui.IO) error {
				io.Answerf("%s", ui.Lines(p.Proof))
				return nil
			})
		},
	}
}

// checkReceipt refuses a place for a receipt before anything is reset: one
// that is taken, and one for several resets.
func checkReceipt(path string, several bool) error {
	if path == "" {
		return nil
	}
	if several {
		return logiqc.Errorf(logiqc.Usage, "a receipt is for one reset").WithHint("logiqc audit prove SEQ for each of them, afterwards")
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return logiqc.Errorf(logiqc.Usage, "there is something at %s already, and a receipt replaces nothing", path).
			WithHint("give --receipt another name")
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return logiqc.Errorf(logiqc.Usage, "the receipt has no place: %s is no folder", filepath.Dir(path))
	}
	return nil
}

// writeReceipt writes the proof of a reset that was made. A failure undoes
// nothing, and says so.
func (r *resetter) writeReceipt(ctx context.Context, ref logiqc.AuditRef) error {
	audit, err := r.Audit(ctx)
	var p logiqc.LogProof
	if err == nil {
		p, err = audit.Receipt(ctx, ref)
	}
	if err == nil {
		err = seal.WriteFile(r.receipt, []byte(p.Proof))
	}
	if err == nil {
		r.IO().Notef("Receipt: %s", r.receipt)
		return nil
	}
	code := logiqc.Internal
	if errors.Is(err, logiqc.Integrity) {
		code = logiqc.Integrity
	}
	return logiqc.Errorf(code, "the reset was made (event %d), but there is no receipt of it: %w", ref.Seq, err).
		WithHint("logiqc audit prove %d > %s", ref.Seq, r.receipt)
}
