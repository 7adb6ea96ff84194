package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// changing is how a change of accounts is asked for and told.
type changing struct {
	ask           string // the question
	do, done      string // "unlock", "unlocked"
	now, already  string // said of one account that was changed, or was so before
	will, willNot []string
}

// changes are the words for each verb of ChangeUsers.
var changes = map[logiqc.Verb]changing{
	logiqc.Activate: {
		ask: "Activate %s?", do: "activate", done: "activated",
		now: "%s is active.", already: "%s is active already; nothing was changed.",
		will: []string{"let them sign in again"}, willNot: []string{"change the password or the MFA"},
	},
	logiqc.Deactivate: {
		ask: "Deactivate %s?", do: "deactivate", done: "deactivated",
		now: "%s is inactive; every session has ended.", already: "%s is inactive already; nothing was changed.",
		will:    []string{"end every session", "refuse every sign-in until the account is activated again"},
		willNot: []string{"delete anything", "change the password or the MFA"},
	},
	logiqc.Unlock: {
		ask: "Unlock %s?", do: "unlock", done: "unlocked",
		now: "%s is unlocked: the wait is over.", already: "%s was not waiting; nothing was changed.",
		will: []string{"forget wrong passwords and wrong codes, and end the wait they caused",
			"let a sign-in that is held go on"},
		willNot: []string{"change the password, the status or the MFA"},
	},
	logiqc.EnableMFA: {
		ask: "Turn MFA on for %s?", do: "turn MFA on", done: "given MFA",
		now: "MFA is on for %s.", already: "MFA is on for %s already; nothing was changed.",
		will:    []string{"ask for an app code at sign-in", "lead into enrolment first where there is none"},
		willNot: []string{"change the enrolment, the password or the status", "end sessions"},
	},
	logiqc.DisableMFA: {
		ask: "Turn MFA off for %s?", do: "turn MFA off", done: "left without MFA",
		now:     "MFA is off for %s. The enrolment is kept, for when it is turned on again.",
		already: "MFA is off for %s already; nothing was changed.",
		will:    []string{"let the password alone sign in"},
		willNot: []string{"remove the enrolment: it is kept, for when MFA is turned on again", "change the password or the status", "end sessions"},
	},
}

// change applies a verb to the account that refs names, or with bulk to all
// that they name: a preview, the question, the change. A single account may be
// picked on a terminal; then refs can be empty.
func (a *App) change(ctx context.Context, verb logiqc.Verb, refs []string, bulk bool, f *requestFlags) error {
	bulk = bulk || len(refs) > 1
	if !bulk && a.IO().Format() == ui.FormatCSV {
		return noCSV()
	}
	svc, req, err := a.calling(ctx, f, a.IO().CanPrompt())
	if err != nil {
		return err
	}
	c := changer{App: a, svc: svc, verb: verb, req: req, words: changes[verb]}
	if bulk {
		return c.all(ctx, refs)
	}
	ref := ""
	if len(refs) == 1 {
		ref = refs[0]
	}
	return c.one(ctx, ref)
}

// changer is one run of [App.change].
type changer struct {
	*App
	svc   logiqc.Service
	verb  logiqc.Verb
	req   logiqc.Request
	words changing
}

// call makes one call of the service under a consent.
func (c *changer) call(ctx context.Context, refs []string, consent logiqc.Consent) ([]logiqc.ChangeResult, error) {
	req := c.req
	req.Consent = consent
	return c.svc.ChangeUsers(ctx, logiqc.UserChange{Request: req, Verb: c.verb, Users: refs})
}

// one changes one account.
func (c *changer) one(ctx context.Context, ref string) error {
	res, err := c.named(ctx, ref)
	if err != nil {
		return err
	}
	if isCode(res.Err, logiqc.ConfirmationRequired) && c.IO().CanPrompt() {
		if err := c.agree(ctx, c.dialog(res.Account)); err != nil {
			return err
		}
		given := c.req.Consent
		given.Given = true
		results, err := c.call(ctx, []string{res.Input}, given)
		if err != nil {
			return err
		}
		res = results[0]
	}
	if res.Err != nil {
		return res.Err
	}
	return c.answer(struct {
		Changed bool           `json:"changed"`
		Would   bool           `json:"would_change,omitempty"`
		Account logiqc.Account `json:"account"`
		logiqc.Replayed
	}{res.Changed, res.Would, res.Account, res.Replayed}, func(io *ui.IO) error {
		io.Answerf(c.told(res), titled(res.Account))
		return nil
	})
}

// named makes the first call about the account that ref means, or that is
// picked on a terminal where it means none.
func (c *changer) named(ctx context.Context, ref string) (res logiqc.ChangeResult, err error) {
	err = c.orPicked(ctx, c.svc, ref, func(ref string) error {
		results, err := c.call(ctx, []string{ref}, c.req.Consent)
		if err == nil {
			res, err = results[0], missing(results[0].Err)
		}
		return err
	})
	return res, err
}

// told is the sentence about a change of one account.
func (c *changer) told(res logiqc.ChangeResult) string {
	switch {
	case res.Changed:
		return c.words.now
	case res.Would:
		return "%s would be " + c.words.done + ". Nothing was changed."
	}
	return c.words.already
}

// dialog asks about one account.
func (c *changer) dialog(acct logiqc.Account) ui.Dialog {
	return ui.Dialog{
		Title: fmt.Sprintf(c.words.ask, titled(acct)), Facts: whoFacts(acct),
		Will: c.words.will, WillNot: c.words.willNot, Action: c.words.do,
	}
}

// agree shows a dialog; whatever but agreement is [ui.ErrCancelled].
func (a *App) agree(ctx context.Context, d ui.Dialog) error {
	agreed, err := a.IO().Confirm(ctx, d)
	if err == nil && !agreed {
		err = ui.ErrCancelled
	}
	return err
}

// orPicked calls do with ref; when that answers that ref means no account or
// several, or ref is empty, with the account that is picked on a terminal.
func (a *App) orPicked(ctx context.Context, svc logiqc.Service, ref string, do func(ref string) error) error {
	if ref != "" {
		err := do(ref)
		inexact := errors.Is(err, logiqc.NotFound) || errors.Is(err, logiqc.Ambiguous)
		if !inexact || !a.IO().CanPrompt() {
			return err
		}
	}
	acct, err := a.pickUser(ctx, svc, ref)
	if err != nil {
		return err
	}
	return do(acct.Username)
}

// isCode reports whether e is there and has that code.
func isCode(e *logiqc.Error, code logiqc.Code) bool { return e != nil && e.Code == code }

// missing is e if it says that an account was not found or not exactly named.
func missing(e *logiqc.Error) error {
	if isCode(e, logiqc.NotFound) || isCode(e, logiqc.Ambiguous) {
		return e
	}
	return nil
}

// titled is how a sentence names an account: "Jordan Lee (jlee)".
func titled(acct logiqc.Account) string {
	if acct.Name == "" {
		return acct.Username
	}
	return acct.Name + " (" + acct.Username + ")"
}
