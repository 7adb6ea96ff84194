package cmd

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

const requestLong = `Asks that a second operator approves a reset. It says and asks what mfa reset would, and
changes nothing: approving it is the reset. The request is for the enrolment as it is
now; when that changes before it is approved, it is void. It runs out after an hour.
Where a request for the account is open already you are told, and this is one more, with
grounds of its own and a code of its own: approving one makes the others void.

You may ask for any account but your own. With --enrolment-code you are shown the code at
once; it works once the request is approved, and nobody else sees it. With --wait the
command ends when somebody has decided; Ctrl-C leaves the request open.

Several users, or --from or --plan, make a request for each.

Exit status: 0 asked for, with --wait approved; 3 no such user; 4 not permitted; 5 refused
by a rule, or with --wait rejected or expired; 7 cancelled; 10 changed meanwhile.`

// newMFARequest makes `mfa request`.
func newMFARequest(a *App) *cobra.Command {
	wait := false
	c := &cobra.Command{
		Use: "request [<user>…]", Short: "Ask a second operator to approve a reset", Long: requestLong,
		Example: "  logiqc mfa request mchen --reason \"new phone\" --wait\n" +
			"  logiqc mfa request mchen --enrolment-code -o json",
		Args: cobra.ArbitraryArgs,
	}
	f := addResetFlags(c, "request")
	c.Flags().StringVar(&f.plan, "plan", "", "ask for what the plan in `FILE` says: the JSON of a dry run of this command")
	c.Flags().BoolVar(&wait, "wait", false, "wait until somebody has decided")
	c.RunE = func(c *cobra.Command, args []string) error {
		r, err := a.newResetter(c, f)
		if err != nil {
			return err
		}
		r.wait = wait
		return r.start(c.Context(), f, args)
	}
	return c
}

// checkFlags refuses what does not go together.
func (r *resetter) checkFlags(bulk bool) error {
	switch {
	case bulk && r.wait:
		return logiqc.Errorf(logiqc.Usage, "--wait is for one account").WithHint("logiqc mfa approvals --follow")
	case r.ask && r.receipt != "" && !r.wait:
		return logiqc.Errorf(logiqc.Usage, "a receipt is of the reset, which comes later: it takes --wait")
	case !bulk && r.ask && r.IO().Format() == ui.FormatCSV:
		return noCSV()
	}
	return checkReceipt(r.receipt, bulk)
}

// offersApproval tells whether a refusal leads to the question whether to ask a
// second operator.
func (r *resetter) offersApproval(res logiqc.ResetResult) bool {
	refused := res.Outcome == logiqc.ResetRefused && res.MayRequest && !r.ask
	r.ignored(&res)
	return refused && res.Outcome != logiqc.ResetIgnored && r.IO().CanPrompt() && r.reset.Asks(r.svc.Actor())
}

// askDialog is the dialog of a reset made into that of a request for one.
func askDialog(d ui.Dialog, preview logiqc.ResetResult, why string) ui.Dialog {
	d.Title = "Ask to reset MFA for " + preview.Account.DisplayName() + "?"
	if why != "" {
		d.Extra = append([]string{why}, d.Extra...)
	}
	d.Warnings = append(openAlready(preview), d.Warnings...)
	d.Will = append([]string{"ask a second operator to approve, within an hour, what follows"}, d.Will...)
	d.WillNot = append([]string{"do any of it before"}, d.WillNot...)
	d.Affirmative, d.Word, d.Action, d.TypeToConfirm = "Ask for approval", "approval", "ask for approval", ""
	return d
}

// requested tells what became of a request for approval of one reset, and waits
// for the second operator where that was asked for.
func (r *resetter) requested(ctx context.Context, res logiqc.ResetResult) error {
	if !r.reset.CanAsk { // else the dialog has said so
		for _, w := range openAlready(res) {
			r.IO().Warnf("%s", w)
		}
	}
	told := requestOf(res)
	told.Warnings = r.IO().Warnings()
	if res.Approval == nil || !r.wait {
		return r.answer(told, func(io *ui.IO) error { return requestTold(io, res) })
	}
	io := r.IO()
	switch io.Format() {
	case ui.FormatText:
		if err := requestTold(io, res); err != nil {
			return err
		}
	case ui.FormatJSONL:
		if err := io.JSONLine(told); err != nil {
			return err
		}
	}
	io.Notef("Waiting for a second operator … Ctrl-C leaves it open.")
	now, err := r.awaitDecision(ctx, r.svc, *res.Approval)
	told.decided(now)
	if io.Format() != ui.FormatText {
		if lost := io.JSON(told); err == nil {
			err = lost
		}
	} else if err == nil {
		approvedTold(io, now)
	}
	if err != nil {
		return err
	}
	return r.receiptOf(ctx, now)
}

// receiptOf writes the receipt of a reset that was approved.
func (r *resetter) receiptOf(ctx context.Context, a logiqc.Approval) error {
	if r.receipt == "" || a.Seq == nil {
		return nil
	}
	e, err := r.svc.EventAt(ctx, *a.Seq)
	if err != nil {
		return err
	}
	return r.writeReceipt(ctx, logiqc.AuditRef{Seq: e.Seq, ID: e.ID})
}

// The wait for a second operator: how often to look, and how long a server may
// be out of reach meanwhile.
const (
	approvalEvery = time.Second
	patience      = time.Minute
)

// awaitDecision waits until a request is decided or runs out and returns it as
// it is then, with the error that its state means: none, Rejected, Expired.
// Leaving leaves it open.
func (a *App) awaitDecision(ctx context.Context, svc logiqc.Service, r logiqc.Approval) (logiqc.Approval, error) {
	tick := time.NewTicker(approvalEvery)
	defer tick.Stop()
	reached := time.Now()
	for {
		now, err := svc.Approval(ctx, r.ID)
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, logiqc.Unavailable) && time.Since(reached) < patience:
		case err != nil:
			return r, err
		case now.State != logiqc.ApprovalPending:
			return now, stateError(now)
		default:
			r, reached = now, time.Now()
		}
		select {
		case <-ctx.Done():
			return r, logiqc.Errorf(logiqc.Cancelled, "the request for %s is left open until %s", r.User, local(r.ExpiresAt, "15:04")).
				WithHint("logiqc mfa approvals show %s --follow", shortID(r))
		case <-tick.C:
		}
	}
}

// stateError is the failure that the state of a request means to whoever waits
// for it.
func stateError(a logiqc.Approval) error {
	switch a.State {
	case logiqc.ApprovalRejected:
		return logiqc.Errorf(logiqc.Rejected, "%s rejected the reset of %s; nothing was reset", a.DecidedBy, a.User).
			WithHint("why: logiqc audit list --target %s --action mfa.rejected", a.User)
	case logiqc.ApprovalExpired:
		return logiqc.Errorf(logiqc.Expired, "nobody decided about the reset of %s within an hour; nothing was reset", a.User).
			WithHint("ask again: logiqc mfa request %s", a.User)
	}
	return nil
}

// shortID is how people name a request.
func shortID(a logiqc.Approval) string { return strings.ToUpper(a.Short) }
