package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
	"github.com/logiqc/logiqc/pkg/ui"
)

// credentials are how somebody proves who they are: by flags and standard input
// in a script, and by answers on a terminal.
type credentials struct {
	user          string
	passwordStdin bool
	code          string
	recoveryFrom  string // "-" or ""
	enrolmentFrom string // "-" or ""

	password, recoveryCode, enrolmentCode logiqc.Secret
}

func (f *credentials) addPassword(c *cobra.Command) {
	c.Flags().BoolVar(&f.passwordStdin, "password-stdin", false, "read the password from standard input, one line")
}

func (f *credentials) addCode(c *cobra.Command, usage string) {
	c.Flags().StringVar(&f.code, "code", "", usage)
}

func (f *credentials) addRecoveryCode(c *cobra.Command) {
	c.Flags().StringVar(&f.recoveryFrom, "recovery-code", "", "read a recovery code from standard input: only `-` is taken")
}

func (f *credentials) addEnrolmentCode(c *cobra.Command) {
	c.Flags().StringVar(&f.enrolmentFrom, "enrolment-code", "",
		"read the enrolment code of the help desk from standard input: only `-` is taken")
}

// check finds wrong usage before anything is opened or asked. whoFlag is how
// the user is named in a script, "" where nobody has to be.
func (f *credentials) check(io *ui.IO, whoFlag string) error {
	switch {
	case f.recoveryFrom != "" && f.recoveryFrom != "-":
		return logiqc.Errorf(logiqc.Usage, "a recovery code is not typed on the command line, where others can see it").
			WithHint("--recovery-code - reads it from standard input, one line after the password")
	case f.enrolmentFrom != "" && f.enrolmentFrom != "-":
		return logiqc.Errorf(logiqc.Usage, "an enrolment code is not typed on the command line, where others can see it").
			WithHint("--enrolment-code - reads it from standard input, one line after the password")
	case f.recoveryFrom != "" && f.code != "":
		return logiqc.Errorf(logiqc.Usage, "--code and --recovery-code stand for each other: give one of them")
	case io.CanPrompt():
		return nil
	case f.user == "" && whoFlag != "":
		return logiqc.Errorf(logiqc.Usage, "there is no terminal to ask who you are: give %s", whoFlag)
	}
	return checkSecretLines(io, f.passwordStdin)
}

// checkSecretLines makes sure that a password can be had without waiting for
// somebody who is not there.
func checkSecretLines(io *ui.IO, passwordStdin bool) error {
	switch {
	case io.CanPrompt():
		return nil
	case !passwordStdin:
		return logiqc.Errorf(logiqc.Usage, "there is no terminal to ask for the password: give --password-stdin").
			WithHint("--password-stdin reads it from standard input, one line")
	case io.InTerminal():
		return errNothingToRead()
	}
	return nil
}

// ask fills in what the flags left open; standard input is read in the order
// of the contract: the password, the recovery code, the enrolment code.
func (f *credentials) ask(ctx context.Context, a *App) (err error) {
	if f.user = strings.TrimSpace(f.user); f.user == "" {
		if f.user, err = a.askWho(ctx); err != nil {
			return err
		}
	}
	for _, s := range []struct {
		what  string
		asked bool
		to    *logiqc.Secret
	}{
		{"Password", true, &f.password}, {"Recovery code", f.recoveryFrom != "", &f.recoveryCode},
		{"Enrolment code", f.enrolmentFrom != "", &f.enrolmentCode},
	} {
		if !s.asked {
			continue
		}
		if *s.to, err = a.secret(ctx, s.what); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) askWho(ctx context.Context) (string, error) {
	who, err := a.IO().Input(ctx, ui.InputSpec{Title: "Username or email", Validate: func(s string) error {
		if strings.TrimSpace(s) == "" {
			return errors.New("type your username or email")
		}
		return nil
	}})
	return strings.TrimSpace(who), err
}

// entry is one sign-in under way.
type entry struct {
	app       *App
	in        logiqc.SignIn
	src       logiqc.Source
	at        logiqc.Attempt
	desk      logiqc.Secret // the enrolment code that was given, or ""
	recovered bool          // a recovery code was spent on it
	news      string        // what was learnt after the password and is still to be told
	picture   string        // of the setup key, still to be deleted
	over      bool          // it is a session to keep, or has ended
}

// enter starts a sign-in: who, and the password.
func (a *App) enter(ctx context.Context, f *credentials, purpose logiqc.Purpose) (*entry, error) {
	in, err := a.SignIn()
	if err != nil {
		return nil, err
	}
	if err := f.ask(ctx, a); err != nil {
		return nil, err
	}
	e := &entry{app: a, in: in, src: a.Source(), desk: f.enrolmentCode}
	e.at, err = in.Start(ctx, logiqc.SigninRequest{User: f.user, Password: f.password, Purpose: purpose, Source: e.src})
	if err != nil {
		return nil, err
	}
	if e.at.Notice != "" {
		a.IO().Notef("%s", ui.Lines(e.at.Notice))
	}
	return e, nil
}

// leaveWithin bounds how long a sign-in that was given up keeps the process.
const leaveWithin = 5 * time.Second

// leave ends a sign-in that was not finished. It dies by itself in minutes, so
// a failure is nobody's concern.
func (e *entry) leave(ctx context.Context) {
	if e.over {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer cancel()
	_ = e.in.End(ctx, e.at.Token, e.src)
	e.at.Token, e.over = "", true
}

// secondFactor proves the app code or the recovery code that was given, or one
// that is asked for.
func (e *entry) secondFactor(ctx context.Context, f *credentials, recoveryToo bool) error {
	switch {
	case f.code != "":
		return e.code(ctx, f.code)
	case f.recoveryCode != "":
		return e.recoveryCode(ctx, f.recoveryCode)
	case e.app.IO().CanPrompt():
		return e.askFactor(ctx, recoveryToo)
	}
	return logiqc.Errorf(logiqc.CodeRequired, "the password is right; a code of the authenticator app is needed too").
		WithHint("add --code C, or --recovery-code - and the recovery code as the second line of standard input")
}

func (e *entry) code(ctx context.Context, code string) error {
	at, err := e.in.Code(ctx, e.at.Token, code, e.src)
	return e.moved(at, err)
}

func (e *entry) recoveryCode(ctx context.Context, code logiqc.Secret) error {
	at, err := e.in.RecoveryCode(ctx, e.at.Token, code, e.src)
	e.recovered = err == nil
	return e.moved(at, err)
}

// moved takes over where the sign-in stands now.
func (e *entry) moved(at logiqc.Attempt, err error) error {
	if err == nil {
		news := strings.TrimSpace(strings.TrimPrefix(at.Notice, e.at.Notice))
		if news != "" {
			e.news = news
		}
		at.Notice = strings.TrimSpace(e.at.Notice + "\n" + news)
		e.at = at
	}
	return err
}

// tell says what was learnt on the way, once. It comes last, where no screen of
// recovery codes clears it away.
func (e *entry) tell() {
	if e.news != "" {
		e.app.IO().Notef("%s", ui.Lines(e.news))
	}
	e.news = ""
	e.tellPicture()
}

// tellPicture reminds of a picture of the setup key, once.
func (e *entry) tellPicture() {
	if e.picture != "" {
		e.app.IO().Notef("Delete %s: it holds the secret.", e.picture)
	}
	e.picture = ""
}

// askFactor asks for a code until one is right, a few times.
func (e *entry) askFactor(ctx context.Context, recoveryToo bool) error {
	spec := ui.InputSpec{Title: "Code from your authenticator app", Validate: checkAppCode}
	if recoveryToo {
		spec.Description = "No phone at hand? Type one of your recovery codes instead."
		spec.Validate = checkFactor
	}
	for left := logiqc.EnrolmentTries - 1; ; left-- {
		typed, err := e.app.IO().Input(ctx, spec)
		if err != nil {
			return err
		}
		if _, ok := totp.Normalise(typed); ok {
			err = e.code(ctx, typed)
		} else {
			err = e.recoveryCode(ctx, logiqc.Secret(typed))
		}
		if !errors.Is(err, logiqc.WrongCode) || left == 0 {
			return err
		}
		said := inSentences(err) + " " + triesLeft(left)
		e.app.IO().Notef("%s", said)
		if e.app.IO().Machine() { // then notes are not written
			spec.Description = said
		}
	}
}

// checkAppCode refuses what can be no app code.
func checkAppCode(s string) error {
	if _, ok := totp.Normalise(s); !ok {
		return errors.New("type the six digits the app shows")
	}
	return nil
}

// checkFactor takes what looks like an app code or like a recovery code, so
// that a slip of the finger costs no try.
func checkFactor(s string) error {
	if _, ok := totp.Normalise(s); ok {
		return nil
	}
	if _, ok := totp.ParseRecoveryCode(s); ok {
		return nil
	}
	return errors.New("type six digits, or a recovery code of sixteen characters")
}

func triesLeft(n int) string {
	if n == 1 {
		return "1 try left."
	}
	return fmt.Sprintf("%d tries left.", n)
}

// inSentences is an error and its next step as people read them.
func inSentences(err error) string {
	e := logiqc.AsError(err)
	text := sentence(e.Message)
	if e.Hint != "" {
		text += " " + sentence(e.Hint)
	}
	return text
}

func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + strings.TrimRight(s[1:], ".") + "."
}
