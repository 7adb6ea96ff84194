package cmd

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// secret is [App.secretLine] for a line that is called as the question is.
func (a *App) secret(ctx context.Context, title string) (logiqc.Secret, error) {
	return a.secretLine(ctx, title, strings.ToLower(title))
}

// secretLine asks for a secret on a terminal by that title, or reads the next line
// of standard input as the secret that what names. Either may keep it waiting;
// Ctrl-C still ends it.
func (a *App) secretLine(ctx context.Context, title, what string) (logiqc.Secret, error) {
	switch {
	case a.IO().CanPrompt():
		return a.askPassword(ctx, title, false)
	case a.IO().InTerminal():
		return "", errNothingToRead()
	}
	line, err := a.IO().ReadSecretLine(ctx)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), err == nil && line == "":
		return "", logiqc.Errorf(logiqc.Usage, "there is no line with the %s on standard input", what)
	case err != nil:
		return "", err
	}
	return logiqc.Secret(line), nil
}

// errNothingToRead is the answer where a secret would come from a terminal on
// which nothing may be asked.
func errNothingToRead() error {
	return logiqc.Errorf(logiqc.Usage, "--password-stdin has nothing to read: standard input is a terminal, and nothing may be asked")
}

// askPassword asks for a password without showing it.
func (a *App) askPassword(ctx context.Context, title string, twice bool) (logiqc.Secret, error) {
	p, err := a.IO().Password(ctx, title, twice)
	return logiqc.Secret(p), err
}
