package cmd

import (
	"context"
	"errors"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
	"github.com/logiqc/logiqc/pkg/ui"
)

// demoTour does the main job. Who leaves it half way still gets the store.
func (a *App) demoTour(ctx context.Context, d *demo) error {
	if err := d.pointAt(a.flags); err != nil {
		return err
	}
	io := a.IO()
	io.Answerf("%s", ui.Bold("A store with 1,000 made-up people. You are "+demoUser+", an administrator."))
	for _, part := range []func(context.Context, *App) error{d.find, d.open, d.reset, d.enrolAgain, d.read} {
		if err := part(ctx, a); err != nil {
			if errors.Is(err, ui.ErrCancelled) {
				return nil
			}
			return err
		}
	}
	return nil
}

// errDemo ends the tour when one of its commands failed and said why.
var errDemo = logiqc.Errorf(logiqc.Internal, "the demo cannot go on")

// pause lets a person read on a terminal.
func (d *demo) pause(ctx context.Context, a *App) error {
	if !a.IO().CanPrompt() {
		return nil
	}
	_, err := a.IO().Input(ctx, ui.InputSpec{Title: "Press Enter to go on, Ctrl-C to leave"})
	return err
}

// must runs a command that the tour cannot do without.
func (d *demo) must(ctx context.Context, a *App, args ...string) error {
	if d.command(ctx, a, args...) != 0 {
		return errDemo
	}
	return d.pause(ctx, a)
}

func (d *demo) find(ctx context.Context, a *App) error {
	a.IO().Answerf("\nThe phone rings. A caller named Lee has a new phone, and codes no longer work.\nWho is it?")
	return d.must(ctx, a, "users", "find", "lee")
}

func (d *demo) open(ctx context.Context, a *App) error {
	a.IO().Answerf("\nJordan Lee. Can Jordan sign in, and what can be done?")
	return d.must(ctx, a, "users", "show", demoCaller)
}

func (d *demo) reset(ctx context.Context, a *App) error {
	io := a.IO()
	io.Answerf("\nYou call back on the number on file, and it is Jordan. Reset the MFA.")
	line := []string{"mfa", "reset", demoCaller, "--reason", "new phone"}
	if !io.CanPrompt() {
		return d.must(ctx, a, append(line, "--yes")...)
	}
	if !io.Accessible() {
		io.Notef("Cancel has the focus: press ← and then Enter to confirm.")
	}
	if d.command(ctx, a, line...) == 0 {
		return d.pause(ctx, a)
	}
	if ctx.Err() != nil {
		return ui.ErrCancelled
	}
	io.Answerf("\nYou did not confirm, so nothing was changed. Scripts say --yes:")
	return d.must(ctx, a, append(line, "--yes")...)
}

// enrolAgain is Jordan's side: a phone that is part of the demo scans and shows.
func (d *demo) enrolAgain(ctx context.Context, a *App) error {
	io, in := a.IO(), d.desk.SignIn()
	io.Answerf("\nNobody has told Jordan; you do. Jordan, on another machine, signs in:")
	io.Answerf("\n$ %s", ui.Cyan("logiqc signin --user "+demoCaller))
	at, err := d.start(ctx, demoCaller)
	if err != nil {
		return err
	}
	pending, err := in.StartEnrolment(ctx, at.Token, demoDesk)
	if err != nil {
		return err
	}
	phone, err := totp.ParseKey(pending.Secret.Reveal())
	if err != nil {
		return err
	}
	code := totp.Code(phone, totp.Step(a.Now()))
	io.Answerf("The password is right. %s", ui.Lines(strings.ReplaceAll(at.Notice, ". ", ".\n")))
	io.Answerf("There is no app yet, so a QR code fills the screen; below it the setup key:\n\n  %s\n", strings.Join(phone.Groups(), " "))
	io.Answerf("Jordan's phone scans it and shows %s %s. Jordan types that.", code[:3], code[3:])
	done, err := in.ProveEnrolment(ctx, at.Token, code, demoDesk)
	if err != nil {
		return err
	}
	io.Answerf("It is right: Jordan keeps %s, shown this once, and is signed in.", counted(len(done.RecoveryCodes), "recovery code"))
	return d.pause(ctx, a)
}

func (d *demo) read(ctx context.Context, a *App) error {
	a.IO().Answerf("\nAll of it is in the audit log, and the log can be checked.")
	if err := d.must(ctx, a, "audit", "list", "--user", demoCaller, "--since", "1h"); err != nil {
		return err
	}
	if d.command(ctx, a, "audit", "verify") != 0 {
		return errDemo
	}
	return nil
}
