package cmd

import (
	"context"
	"errors"
	"io"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// secretLine reads the next line of standard input as the secret that what
// names.
func (a *App) secretLine(what string) (logiqc.Secret, error) {
	line, err := a.IO().ReadSecretLine()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), err == nil && line == "":
		return "", logiqc.Errorf(logiqc.Usage, "there is no line with the %s on standard input", what)
	case err != nil:
		return "", err
	}
	return logiqc.Secret(line), nil
}

// askPassword asks for a password without showing it.
func (a *App) askPassword(ctx context.Context, title string, twice bool) (logiqc.Secret, error) {
	p, err := a.IO().Password(ctx, title, twice)
	return logiqc.Secret(p), err
}
