package cmd

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

func newUsersImport(a *App) *cobra.Command {
	var f *requestFlags
	var file importFile
	var imp logiqc.Import
	c := &cobra.Command{
		Use: "import FILE|-", Short: "Add many accounts from CSV or JSONL, all or none",
		Annotations: oneAnswer,
		Long: "Add the accounts of a file, all of them or none. CSV has a header that names any\n" +
			"of these columns, in any order; JSONL has an object on each line with these keys:\n\n" +
			"  " + strings.Join(importColumns, ", ") + "\n\n" +
			"mfa is the account's own toggle, on or off. password_hash is an argon2id or\n" +
			"bcrypt string, totp an otpauth URI. The list of `logiqc users find -o csv` is\n" +
			"taken back. What is wrong is named by row, as an editor counts lines.\n\n" +
			"--on-existing says what becomes of accounts whose username exists: fail imports\n" +
			"nothing, skip leaves them alone, update changes the fields that the row has.",
		Example: "  logiqc users import staff.csv --dry-run\n" +
			"  logiqc users import staff.csv\n" +
			"  logiqc users import - --format jsonl --on-existing update <staff.jsonl",
		Args: exactly(1, "one FILE, or - for standard input"),
		RunE: func(c *cobra.Command, args []string) error {
			file.path, file.stdin = args[0], a.IO().Stdin(c.Context())
			return a.importUsers(c.Context(), file, imp, f)
		},
	}
	f = addRequestFlags(c, false)
	f.addReason(c)
	enumFlag(c, &file.format, "format", "what the file is, if that cannot be told by its name or beginning", "csv", "jsonl")
	imp.OnExisting = logiqc.ExistingFail
	enumFlag(c, &imp.OnExisting, "on-existing", "what to do with accounts that exist",
		logiqc.ExistingFail, logiqc.ExistingSkip, logiqc.ExistingUpdate)
	return c
}

// importUsers imports a file and tells what became of it.
func (a *App) importUsers(ctx context.Context, file importFile, imp logiqc.Import, f *requestFlags) (err error) {
	io := a.IO()
	if err := file.check(); err != nil {
		return err
	}
	svc, req, err := a.calling(ctx, f, false)
	if err != nil {
		return err
	}
	imp.Request = req
	var total int64
	if io.ErrTerminal() {
		total = file.lines()
	}
	progress := io.Progress(total, "accounts")
	defer progress.Done()
	imp.Rows, imp.Progress = file.rows(), progress.Set
	out, err := svc.ImportUsers(ctx, imp)
	progress.Done()
	if err != nil {
		return err
	}
	return a.answer(out, func(io *ui.IO) error {
		io.Answerf("%s", importText(out, f.dryRun))
		return nil
	})
}

// importText tells a person what an import did, or would do.
func importText(out logiqc.ImportResult, dryRun bool) ui.Text {
	rows := out.Added + out.Updated + out.Skipped
	text := ui.Sprintf("%s: %s new, %s updated, %s left as they are.", counted(rows, "row"),
		thousands(out.Added), thousands(out.Updated), thousands(out.Skipped))
	if n := len(out.Admins); n > 0 {
		names := strings.Join(out.Admins[:min(n, 10)], ", ")
		if n > 10 {
			names += ", …"
		}
		text = ui.Sprintf("%s %s an admin: %s.", text, counted(n, "row")+map[bool]string{true: " makes", false: " make"}[n == 1], names)
	}
	if out.WithoutPassword > 0 {
		text = ui.Sprintf("%s\n%s no password and cannot sign in until: logiqc users passwd <user>", text,
			counted(out.WithoutPassword, "account")+map[bool]string{true: " has", false: " have"}[out.WithoutPassword == 1])
	}
	switch {
	case dryRun:
		text = ui.Sprintf("%s\nThis was a dry run: nothing was imported.", text)
	case out.Replayed.Replayed:
		text = ui.Sprintf("%s\nThis was done before, by the same request.", text)
	}
	return text
}
