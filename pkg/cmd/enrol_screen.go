package cmd

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
	"github.com/logiqc/logiqc/pkg/totp"
	"github.com/logiqc/logiqc/pkg/ui"
)

// keyFlags say how a new setup key is shown.
type keyFlags struct{ qr, png string }

func (k *keyFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&k.qr, "qr", "auto", "`auto|none`: draw the QR code on the terminal, or not")
	c.Flags().StringVar(&k.png, "png", "", "save the QR code as a picture in `FILE`, for you alone to read")
}

// check finds wrong usage; a picture never takes the place of another file.
func (k *keyFlags) check() error {
	if k.qr != "auto" && k.qr != "none" {
		return logiqc.Errorf(logiqc.Usage, "--qr takes auto or none, not %q", k.qr)
	}
	if k.png == "" {
		return nil
	}
	if _, err := os.Lstat(k.png); !errors.Is(err, fs.ErrNotExist) {
		return logiqc.Errorf(logiqc.Usage, "--png %s: there is a file of that name already", k.png).WithHint("name another, or delete it")
	}
	return nil
}

// savePicture writes the QR code of a setup key, readable by its owner alone.
func savePicture(path string, uri logiqc.Secret) error {
	qr, err := totp.QR(uri.Reveal())
	if err != nil {
		return err
	}
	var picture bytes.Buffer
	if err := qr.PNG(&picture, pictureScale); err != nil {
		return err
	}
	if err := seal.WriteFile(path, picture.Bytes()); errors.Is(err, seal.ErrExists) {
		return fmt.Errorf("there is a file %s already; name another", path)
	} else if err != nil {
		return err
	}
	return nil
}

// pictureScale is the pixels to a module: some 360 pixels square.
const pictureScale = 8

// startEnrolment gives the enrolment code, where one is needed, and makes the
// setup key and the picture that was asked for.
func (e *entry) startEnrolment(ctx context.Context, k keyFlags) (logiqc.PendingEnrolment, error) {
	if err := e.deskCode(ctx); err != nil {
		return logiqc.PendingEnrolment{}, err
	}
	p, err := e.in.StartEnrolment(ctx, e.at.Token, e.src)
	if err != nil || k.png == "" {
		return p, err
	}
	if err := savePicture(k.png, p.URI); err != nil {
		return p, logiqc.Errorf(logiqc.Usage, "--png: %w", err).WithHint("run the command again, with another file")
	}
	e.picture = k.png
	e.app.IO().Notef("Saved the QR code as %s. It holds the secret: delete it afterwards.", k.png)
	return p, nil
}

// enrol shows a new setup key on the terminal until a code of the app proves
// it. It returns [ui.ErrCancelled] when the person leaves.
func (e *entry) enrol(ctx context.Context, k keyFlags) (logiqc.Enrolled, error) {
	p, err := e.startEnrolment(ctx, k)
	if err != nil {
		return logiqc.Enrolled{}, err
	}
	key, err := totp.ParseKey(p.Secret.Reveal())
	if err != nil {
		return logiqc.Enrolled{}, err
	}
	var enrolled logiqc.Enrolled
	var wrong error
	screen := ui.EnrolScreen{
		Title: "Set up your authenticator app", Account: p.Label, Issuer: p.Issuer, URI: p.URI.Reveal(),
		Groups: key.Groups(), Tries: logiqc.EnrolmentTries, Check: checkAppCode,
		SavePNG: func(path string) error { return savePicture(path, p.URI) },
		Submit: func(ctx context.Context, code string) (bool, string, error) {
			r, err := e.in.ProveEnrolment(ctx, e.at.Token, code, e.src)
			if errors.Is(err, logiqc.WrongCode) {
				wrong = err
				return false, inSentences(err), nil
			}
			enrolled = r
			return err == nil, "", err
		},
	}
	if !e.app.IO().Accessible() { // where it would be read out twice
		screen.Notice = e.at.Notice
	}
	if k.qr != "none" {
		// A code too big to be drawn is none: the key alone does.
		if qr, err := totp.QR(p.URI.Reveal()); err == nil {
			screen.QR = qr
		}
	}
	out, err := e.app.IO().Enrol(ctx, screen)
	e.picture = cmp.Or(out.PNG, e.picture)
	switch {
	case errors.Is(err, context.Canceled):
		return enrolled, ui.ErrCancelled
	case err != nil:
		return enrolled, err
	case !out.Proved:
		return enrolled, wrong
	}
	return enrolled, nil
}

// showRecoveryCodes shows fresh recovery codes until they are kept. However
// the screen is left, they are in force.
func (a *App) showRecoveryCodes(ctx context.Context, r logiqc.Enrolled) error {
	err := a.IO().ShowSecrets(ctx, ui.SecretScreen{
		Title: fmt.Sprintf("Recovery codes of %s", r.User), Lines: revealed(r.RecoveryCodes), Label: "Code",
		Note: "Each signs you in once without the app. Keep them apart from the phone; they are not shown again.",
	})
	if errors.Is(err, ui.ErrCancelled) {
		return nil
	}
	return err
}

func revealed(secrets []logiqc.Secret) []string {
	out := make([]string, len(secrets))
	for i, s := range secrets {
		out[i] = s.Reveal()
	}
	return out
}
