package cmd

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/ui"
)

// backedUp is the answer of `store backup`.
type backedUp struct {
	File       string   `json:"file"`
	Accounts   int64    `json:"accounts"`
	Secrets    int64    `json:"secrets"`
	Events     int64    `json:"events"`
	Size       int64    `json:"size"`
	Root       string   `json:"root"`
	Checkpoint string   `json:"checkpoint"`
	Warnings   []string `json:"warnings,omitempty"`

	Problems []store.Problem `json:"problems"`
}

const backupLong = "Write the whole store to a new file, as it is at one moment, while others go on working.\n" +
	"The file is checked before it appears: its database and its log are whole. It is a store\n" +
	"itself, of one file wherever the store is, readable by you only. Before that a checkpoint\n" +
	"is signed.\n\n" +
	"It holds no key, and setup keys only sealed: whoever has the file and the folder of keys\n" +
	"has everything, so keep copies of the two apart.\n\n" +
	"Exit status: 5 when there is something at FILE; 9 when the store is not sound: its backup\nis kept, unless the database is damaged."

func newStoreBackup(a *App) *cobra.Command {
	c := &cobra.Command{
		Use: "backup FILE", Short: "Write the whole store to a new file, and check it",
		Annotations: oneAnswer,
		Long:        backupLong,
		Example:     "  logiqc store backup /mnt/backup/$(date +%F).db",
		Args:        exactly(1, "the file to write"),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		file, err := filepath.Abs(args[0])
		if err != nil {
			return err
		}
		desk, actor, req, err := a.directly(c.Context(), &requestFlags{})
		if err != nil {
			return err
		}
		progress, done := a.progressOf("rows")
		b, err := desk.Backup(c.Context(), actor, req, file, progress)
		done()
		if err != nil {
			return err
		}
		if b.Checkpoint == "" {
			a.IO().Warnf("no checkpoint was signed, as the keys of this store are not here")
		}
		out := backedUp{File: file, Accounts: b.Accounts, Secrets: b.Secrets, Events: b.Events, Size: b.Head.Size,
			Root: b.Head.Root.String(), Checkpoint: b.Checkpoint, Warnings: a.IO().Warnings(), Problems: b.Problems}
		if out.Problems == nil {
			out.Problems = []store.Problem{}
		}
		err = a.answer(out, func(io *ui.IO) error {
			io.Answerf("%s, %s, %s written to %s. Root %s.", counted(int(b.Accounts), "account"),
				counted(int(b.Secrets), "secret"), counted(int(b.Events), "event"), file, out.Root)
			if len(out.Problems) > 0 {
				return tellProblems(io, out.Problems)
			}
			io.Answerf("Checked: it is sound, and its log is whole.")
			io.Notef("It holds no key. Keep a copy of the folder of keys too, somewhere else.")
			return nil
		})
		if err == nil && len(out.Problems) > 0 {
			err = logiqc.Errorf(logiqc.Integrity, "the backup is what the store is, and that is not sound: %s", counted(len(out.Problems), "problem")).
				WithHint("keep your older backups; logiqc store check")
		}
		return err
	}
	return c
}
