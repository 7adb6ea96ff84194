package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
)

// anchorSuffix is that of the files in a folder of checkpoints.
const anchorSuffix = ".ckpt"

// toFile keeps the checkpoint in a file, or in a new one of a folder, once the
// log is proved to continue what is there.
func (p *push) toFile(ctx context.Context, path string) error {
	full, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	write, file, newest := seal.ReplaceFile, full, full
	if info, err := os.Stat(full); err == nil && info.IsDir() || strings.HasSuffix(path, "/") {
		write, file = seal.WriteFile, filepath.Join(full, p.app.Now().UTC().Format("20060102T150405.000Z")+anchorSuffix)
		if newest, err = newestIn(full); err != nil {
			return logiqc.Errorf(logiqc.Unavailable, "%w", err)
		}
	}
	if err := p.continues(ctx, newest); err != nil {
		return err
	}
	if err := write(file, []byte(p.cp.Note)); err != nil {
		return logiqc.Errorf(logiqc.Unavailable, "the checkpoint could not be kept: %w", err)
	}
	return p.audit.KeepAnchor(ctx, logiqc.NewAnchor{Place: "file:" + full, Note: p.cp.Note})
}

// newestIn is the newest checkpoint of a folder, "" for none: their names are
// their times.
func newestIn(dir string) (string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "[0-9]*"+anchorSuffix))
	if err != nil || len(names) == 0 {
		return "", err
	}
	return names[len(names)-1], nil
}

// continues proves that the log continues the checkpoint in a file; one that is
// not there asks for nothing.
func (p *push) continues(ctx context.Context, file string) error {
	if file == "" {
		return nil
	}
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return logiqc.Errorf(logiqc.Unavailable, "what is there cannot be read: %w", err)
	}
	old, err := ledger.OpenCheckpoint(raw, p.e.Origin, p.keys.verifiers...)
	if err == nil {
		err = ledger.CheckGrowth(old, ledgerHead(p.cp.LogHead), ledger.NewHashReader(ctx, logSource{p.audit}))
	}
	if ledger.ProblemOf(err) != ledger.OK {
		return logiqc.Errorf(logiqc.Integrity, "%s stays as it is: %w", file, err).
			WithHint("keep that file; logiqc audit verify --since %s tells more", file)
	}
	return err
}

// commandSays bounds what is repeated of a command's output.
const commandSays = 300

// toCommand gives the checkpoint to a command of the shell. Only its first word
// is remembered: the rest may be somebody's address, or worse.
func (p *push) toCommand(ctx context.Context, command string) error {
	shell := []string{"sh", "-c", command}
	if runtime.GOOS == "windows" {
		shell = []string{"cmd", "/C", command}
	}
	var said bytes.Buffer
	c := exec.CommandContext(ctx, shell[0], shell[1:]...) //nolint:gosec // the caller's own command, in the caller's own shell
	c.Stdin, c.Stdout, c.Stderr, c.WaitDelay = strings.NewReader(p.cp.Note), &said, &said, time.Second
	if err := c.Run(); err != nil {
		text := strings.TrimSpace(said.String())
		if len(text) > commandSays {
			text = "…" + strings.ToValidUTF8(text[len(text)-commandSays:], "")
		}
		return logiqc.Errorf(logiqc.Unavailable, "the command failed: %w", errors.Join(err, saying(text)))
	}
	word, _, _ := strings.Cut(strings.TrimSpace(command), " ")
	return p.audit.KeepAnchor(ctx, logiqc.NewAnchor{Place: "command:" + word, Note: p.cp.Note})
}

// saying is what a command said as an error; nil for nothing.
func saying(text string) error {
	if text == "" {
		return nil
	}
	return fmt.Errorf("it said: %s", text)
}
