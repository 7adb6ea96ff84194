package cmd

import (
	"context"
	"errors"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// deskCode gives the enrolment code of the help desk, where the sign-in needs
// one: the one that was given, or one that is asked for. Where nobody can be
// asked it does nothing; then starting is refused, and that is recorded.
func (e *entry) deskCode(ctx context.Context) error {
	switch {
	case !e.at.CodeNeeded:
		return nil
	case e.desk != "":
		return e.giveDeskCode(ctx, e.desk)
	case !e.app.IO().CanPrompt():
		return nil
	}
	spec := ui.InputSpec{Title: "Enrolment code from the help desk", Validate: func(s string) error {
		if _, ok := logiqc.ParseEnrolmentCode(s); !ok {
			return errors.New("type the twelve digits that the help desk gave you")
		}
		return nil
	}}
	for {
		typed, err := e.app.IO().Input(ctx, spec)
		if err != nil {
			return err
		}
		err = e.giveDeskCode(ctx, logiqc.Secret(typed))
		if !errors.Is(err, logiqc.WrongCode) || logiqc.AsError(err).Hint != "" {
			return err // right, or not looked at any more
		}
		said := inSentences(err)
		e.app.IO().Notef("%s", said)
		if e.app.IO().Machine() { // then notes are not written
			spec.Description = said
		}
	}
}

func (e *entry) giveDeskCode(ctx context.Context, code logiqc.Secret) error {
	at, err := e.in.EnrolmentCode(ctx, e.at.Token, code, e.src)
	return e.moved(at, err)
}

// needsDeskCode is the answer to a script whose user has to get an enrolment
// code first.
func (e *entry) needsDeskCode() error {
	return logiqc.Errorf(logiqc.EnrolmentCodeRequired,
		"the password is right; %s has to set up an authenticator app first, with an enrolment code of the help desk", e.at.User).
		WithHint("logiqc enrol %s --password-stdin --enrolment-code -", e.at.User)
}
