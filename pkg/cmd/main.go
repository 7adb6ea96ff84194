package cmd

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// Main runs the command line of the process and returns its exit status.
func Main() int {
	learnUser()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app := NewApp()
	defer app.Close()
	return app.Run(ctx, os.Args[1:])
}

// Run carries out one command line and returns the exit status (cli.md, "Exit
// status"). A failure is told once, here.
func (a *App) Run(ctx context.Context, args []string) int {
	a.args = args
	root := newRoot(a)
	root.SetArgs(args)
	err := a.unheard(root.ExecuteContext(ctx))
	if err == nil {
		return 0
	}
	e := asError(ctx, err)
	if e.Message != "" {
		a.errorIO().Error(string(e.Code), e.Message, e.Hint)
	}
	return e.Code.ExitStatus()
}

// unheard is err, or that the answer could not be written: then it was not
// given, whatever was done.
func (a *App) unheard(err error) error {
	lost := a.helpLost
	if a.io != nil {
		lost = cmp.Or(lost, a.io.OutErr())
	}
	if lost == nil || err != nil && !errors.Is(err, lost) || errors.Is(lost, syscall.EPIPE) {
		return cmp.Or(err, lost)
	}
	return logiqc.Errorf(logiqc.Internal, "the answer could not be written: %w", lost).
		WithHint("only the answer is lost, what the command does was done; changes are in: logiqc audit list")
}

// asError gives an error from any layer its code.
func asError(ctx context.Context, err error) *logiqc.Error {
	var conf *config.Error
	var known *logiqc.Error
	switch {
	case errors.As(err, &known):
		return withMatches(known)
	case errors.Is(err, ui.ErrCancelled), errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return logiqc.Errorf(logiqc.Cancelled, "cancelled; nothing was changed")
	case errors.Is(err, ui.ErrNoPrompt):
		return logiqc.Errorf(logiqc.Usage, "this asks questions, and there is no terminal to ask on").
			WithHint("say it with flags: add --help to see them")
	case errors.As(err, &conf):
		return logiqc.Errorf(logiqc.Usage, "%s", conf.Error()).WithHint("%s", conf.Hint)
	case errors.Is(err, syscall.EPIPE):
		return &logiqc.Error{Code: logiqc.Internal} // whoever read the answer has left
	}
	return logiqc.AsError(err)
}

// withMatches puts the accounts that an error names into its hint: up to three
// near ones, or everyone who is meant.
func withMatches(e *logiqc.Error) *logiqc.Error {
	switch {
	case len(e.Matches) == 0:
		return e
	case e.Code == logiqc.NotFound:
		return e.WithHint("did you mean %s?", strings.Join(e.Matches[:min(len(e.Matches), 3)], ", "))
	case e.Hint != "":
		return e.WithHint("one of: %s; %s", strings.Join(e.Matches, ", "), e.Hint)
	}
	return e.WithHint("one of: %s", strings.Join(e.Matches, ", "))
}

// errorIO is the IO to tell a failure on, even one that came before the
// settings could be read: then the output format is what the line or the
// environment seems to say.
func (a *App) errorIO() *ui.IO {
	if a.io != nil {
		return a.io
	}
	format := ui.Format(a.getenv("LOGIQC_OUTPUT"))
	for i, arg := range a.args {
		for _, flag := range []string{"-o", "--output"} {
			if arg == flag && i+1 < len(a.args) {
				format = ui.Format(a.args[i+1])
			} else if v, ok := strings.CutPrefix(arg, flag+"="); ok {
				format = ui.Format(v)
			} else if v, ok := strings.CutPrefix(arg, "-o"); ok && v != "" {
				format = ui.Format(v)
			}
		}
	}
	if !slices.Contains([]ui.Format{ui.FormatJSON, ui.FormatJSONL, ui.FormatCSV}, format) {
		format = ui.FormatText
	}
	return ui.New(ui.Options{Stdin: a.Stdin, Stdout: a.Stdout, Stderr: a.Stderr, Getenv: a.getenv, Format: format})
}
