package cmd

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

const resetLong = `Clears the enrolment of a user, who then enrols an authenticator app again at the
next sign-in: the link to the app, the recovery codes, the misses of app codes; and ends
the user's sessions. It does not disable MFA and does not touch the password.

It asks first: Confirm or Cancel, with Cancel preselected. In scripts --yes answers. A
privileged account (a role other than user, or marked protected) needs its username
typed on a terminal. The user is not told of it: you are shown how to reach them, and a
message to send.

The policy may want a reason, a ticket or how the caller was verified. With
--enrolment-code you get a one-time code for the user, without which nobody enrols; with
--hold sign-in waits until users unlock, for a stolen phone.

Where the policy wants a second operator (approval_required), or you may not reset the
account alone, a terminal offers to ask for approval in place, and waits for it. In
scripts that is mfa request.

Several users, or --from, make a run with an outcome for each. --plan FILE carries out
the JSON of a --dry-run: exactly the accounts it says would be reset, each only if it is
as it was then (else conflict). Killed, it is run again and does nothing twice. It stops
when more than one in ten of the accounts tried is refused, and at least five.

Exit status: 0 done, or there was nothing to clear; 3 no such user; 4 not permitted;
5 refused by a rule; 6 several accounts match; 7 cancelled, or a confirmation is needed;
8 a run in which some were refused or failed; 10 the enrolment changed meanwhile.`

// resetFlags are the flags of `mfa reset` alone.
type resetFlags struct {
	*requestFlags
	verb         string
	from, plan   string
	hold         bool
	code         bool
	codeTTL      string
	keepSessions bool
	ifEnrolledAt string
	ignore       []string
	max          int
	receipt      string
}

// newMFAReset makes `mfa reset`.
func newMFAReset(a *App) *cobra.Command {
	c := &cobra.Command{
		Use: "reset [<user>…]", Short: "Clear a user's enrolment, so that they enrol again", Long: resetLong,
		Example: "  logiqc mfa reset jlee --reason \"new phone\"\n" +
			"  logiqc mfa reset jlee --yes -o json\n" +
			"  logiqc mfa reset --from vendor.csv --dry-run",
		Args: cobra.ArbitraryArgs,
	}
	f := addResetFlags(c, "reset")
	flags := c.Flags()
	flags.StringVar(&f.plan, "plan", "", "carry out the plan in `FILE`: the JSON of a dry run")
	c.RunE = func(c *cobra.Command, args []string) error {
		r, err := a.newResetter(c, f)
		if err != nil {
			return err
		}
		return r.start(c.Context(), f, args)
	}
	return c
}

// addResetFlags gives a command the flags of a reset, for `mfa reset` itself
// and for those that ask for one.
func addResetFlags(c *cobra.Command, verb string) *resetFlags {
	f := &resetFlags{requestFlags: addRequestFlags(c, true), verb: verb}
	f.addGrounds(c)
	flags := c.Flags()
	flags.StringVar(&f.from, "from", "", verb+" for the users listed in `FILE`, or on standard input for -")
	flags.BoolVar(&f.hold, "hold", false, "hold the sign-in until users unlock")
	flags.BoolVar(&f.code, "enrolment-code", false, "let nobody enrol without a one-time code, which you are shown once")
	addCodeTTL(c, &f.codeTTL)
	flags.BoolVar(&f.keepSessions, "keep-sessions", false, "leave the user's sessions open")
	flags.StringVar(&f.ifEnrolledAt, "if-enrolled-at", "", "only if enrolled at this `TIME`, or none")
	flags.StringSliceVar(&f.ignore, "ignore", nil, "refusals with these `CODES` are no failure of the command")
	flags.IntVar(&f.max, "max", 0, "refuse more than `N` accounts")
	flags.StringVar(&f.receipt, "receipt", "", "write to `FILE` a proof that the reset is in the audit log")
	return f
}

// start resets, or asks for approval of, whomever the command line names.
func (r *resetter) start(ctx context.Context, f *resetFlags, args []string) error {
	if f.plan != "" {
		return r.fromPlan(ctx, f, args)
	}
	refs, bulk, err := r.usersOf(ctx, args, f.from)
	if err != nil {
		return err
	}
	if err := r.checkFlags(bulk); err != nil {
		return err
	}
	if len(refs) == 0 && !r.IO().CanPrompt() {
		return logiqc.Errorf(logiqc.Usage, "no user was named").WithHint("logiqc mfa %s <user> --yes", f.verb)
	}
	if r.svc, err = r.Service(ctx); err != nil {
		return err
	}
	if bulk {
		return r.all(ctx, refs)
	}
	return r.one(ctx, strings.Join(refs, ""))
}

// resetter is one run of `mfa reset`.
type resetter struct {
	*App
	svc     logiqc.Service
	reset   logiqc.Reset // what all its calls have in common
	at      *logiqc.Time // of --if-enrolled-at
	ignore  []logiqc.Code
	receipt string // where to write one, or ""
	plan    []resetRow
	codes   bool // enrolment codes may be in the answer
	ask     bool // ask for approval instead
	wait    bool // and wait for it
}

// send makes one call.
func (r *resetter) send(ctx context.Context, reset logiqc.Reset) ([]logiqc.ResetResult, error) {
	if r.ask {
		return r.svc.RequestReset(ctx, reset)
	}
	return r.svc.ResetMFA(ctx, reset)
}

// newResetter reads the flags; it opens nothing.
func (a *App) newResetter(c *cobra.Command, f *resetFlags) (*resetter, error) {
	r := &resetter{App: a, receipt: f.receipt}
	req, err := f.request(a.IO().CanPrompt())
	if err != nil {
		return nil, err
	}
	r.ask = f.verb != "reset"
	if r.ask && !req.DryRun && !a.IO().CanPrompt() {
		req.Given = true // a request resets nothing: there is nobody to ask about it
	}
	r.reset = logiqc.Reset{Request: req, KeepSessions: f.keepSessions, Max: f.max, Hold: f.hold, EnrolmentCode: f.code}
	if f.codeTTL != "" && !f.code {
		return nil, logiqc.Errorf(logiqc.Usage, "--code-ttl goes with --enrolment-code")
	}
	if r.reset.CodeTTL, err = readCodeTTL(f.codeTTL); err != nil {
		return nil, err
	}
	if c.Flags().Changed("max") && f.max < 1 {
		return nil, logiqc.Errorf(logiqc.Usage, "--max takes a number from 1 up")
	}
	switch {
	case f.ifEnrolledAt == "none":
		r.at = new(logiqc.Time)
	case c.Flags().Changed("if-enrolled-at"):
		at, err := logiqc.ParseTime(f.ifEnrolledAt, a.Now(), time.Local)
		if err != nil {
			return nil, err
		}
		r.at = &at
	}
	for _, word := range f.ignore {
		code := logiqc.Code(strings.TrimSpace(word))
		if !slices.Contains(logiqc.Codes(), code) {
			return nil, logiqc.Errorf(logiqc.Usage, "--ignore: %q is no error code", word).WithHint("logiqc help exit-status")
		}
		r.ignore = append(r.ignore, code)
	}
	return r, nil
}

// one resets one account: a preview that refuses what the rules refuse, the
// dialog, the reset of what the dialog showed. Where a second operator has to
// approve, or may, that is asked for instead.
func (r *resetter) one(ctx context.Context, ref string) error {
	var res logiqc.ResetResult
	err := r.orPicked(ctx, r.svc, ref, func(ref string) (err error) {
		if res, err = r.call(ctx, logiqc.ResetTarget{User: ref}, r.reset.Consent); err == nil {
			err = missing(res.Err)
		}
		return err
	})
	if err != nil && (res.Err == nil || missing(logiqc.AsError(err)) == nil) {
		return err
	}
	why := ""
	if r.offersApproval(res) {
		why, r.ask, r.wait = whyApproval(res), true, true
		if res, err = r.call(ctx, logiqc.ResetTarget{User: res.Input}, r.reset.Consent); err != nil {
			return err
		}
	}
	if isCode(res.Err, logiqc.ConfirmationRequired) && r.IO().CanPrompt() {
		if res, err = r.agreedOne(ctx, res, why); err != nil {
			return err
		}
	}
	r.ignored(&res)
	if res.Err != nil && res.Outcome != logiqc.ResetIgnored {
		return res.Err
	}
	if r.ask {
		return r.requested(ctx, res)
	}
	if err := r.answerOne(res); err != nil || r.receipt == "" || res.Outcome != logiqc.ResetDone {
		return err
	}
	return r.writeReceipt(ctx, *res.Audit)
}

// agreedOne asks for what the policy wants to know and whether what the preview
// says is to happen, and makes it happen.
func (r *resetter) agreedOne(ctx context.Context, preview logiqc.ResetResult, why string) (logiqc.ResetResult, error) {
	title := "Reset MFA for " + titled(*preview.Account)
	if r.ask {
		title = cmp.Or(why, "Ask for approval to reset MFA for "+titled(*preview.Account))
	}
	if err := r.askGrounds(ctx, r.svc, preview.Account, &r.reset.Request, title); err != nil {
		return preview, err
	}
	consent, err := r.agreed(ctx, preview, why)
	if err != nil {
		return preview, err
	}
	return r.call(ctx, logiqc.ResetTarget{User: preview.Input, Shown: preview.Shown}, consent)
}

// call resets one account under a consent.
func (r *resetter) call(ctx context.Context, target logiqc.ResetTarget, consent logiqc.Consent) (res logiqc.ResetResult, err error) {
	reset := r.reset
	reset.Consent, reset.Total = consent, 1
	target.IfEnrolledAt = r.at
	reset.Users = []logiqc.ResetTarget{target}
	results, err := r.send(ctx, reset)
	if err != nil {
		return res, err
	}
	return results[0], nil
}

// agreed asks whether what the preview says is to happen, or in the place of a
// username to type, a second operator is to be asked.
func (r *resetter) agreed(ctx context.Context, preview logiqc.ResetResult, why string) (logiqc.Consent, error) {
	s, err := r.Settings()
	if err != nil {
		return logiqc.Consent{}, err
	}
	consent := r.reset.Consent
	d := resetDialog(preview, cmp.Or(s.StoreProfile(), s.Store.Display()), r.reset.KeepSessions, r.Now())
	switch {
	case r.ask:
		d = askDialog(d, preview, why)
	case preview.MayRequest:
		d.Other, d.OtherWord, d.OtherAction = "Ask for approval", "approval", "ask for approval"
	}
	answer, err := r.IO().Choose(ctx, d)
	switch {
	case err != nil:
		return consent, err
	case answer == ui.Declined:
		return consent, ui.ErrCancelled
	case answer == ui.Otherwise:
		r.ask, r.wait = true, true
	}
	consent.Given, consent.Typed = true, d.TypeToConfirm
	return consent, nil
}

// ignored makes a refusal that --ignore names an outcome of its own.
func (r *resetter) ignored(res *logiqc.ResetResult) {
	if res.Outcome == logiqc.ResetRefused && res.Err != nil && slices.Contains(r.ignore, res.Err.Code) {
		res.Outcome = logiqc.ResetIgnored
	}
}

// answerOne tells what became of one account.
func (r *resetter) answerOne(res logiqc.ResetResult) error {
	if r.IO().Format() == ui.FormatCSV {
		r.codes = r.codes || res.EnrolmentCode != nil
		out := r.IO().CSV(r.header())
		if err := out.Row(r.record(r.row(1, res))...); err != nil {
			return err
		}
		return out.Close()
	}
	return r.answer(struct {
		resetOutcome
		Account *logiqc.Account  `json:"account"`
		Audit   *logiqc.AuditRef `json:"audit"`
		logiqc.Replayed
	}{outcomeOf(res), res.Account, res.Audit, res.Replayed}, func(io *ui.IO) error { return resetTold(io, res) })
}
