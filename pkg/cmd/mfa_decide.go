package cmd

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

const approveLong = "Performs the reset that was asked for, at once. On a terminal it shows the account and the\n" +
	"request, and asks: Approve, Reject, or Leave it open, which Enter alone does. Without an ID\n" +
	"it offers those that you may decide about.\n\n" +
	"Look for yourself: call the user back on the number on file, or ask the manager. The requester\n" +
	"may be the one who was taken in. You are never shown the enrolment code.\n\n" +
	"Approvers are people with a session, not tokens: administrators, and the help desk where the\n" +
	"policy says so (reset.approvers), for accounts that are not privileged. Nobody approves their own\n" +
	"request, nor a reset of themselves.\n\n" +
	"Exit status: 0 reset; 3 no such request; 4 not permitted; 5 it has run out, or code_required;\n" +
	"7 left open; 10 decided already, or the enrolment has changed since it was asked for."

// newMFADecide makes `mfa approve` or `mfa reject`.
func newMFADecide(a *App, approve bool) *cobra.Command {
	c := &cobra.Command{
		Use: "reject [ID]", Short: "Reject a request for a reset",
		Long: "Closes a request for approval; nothing is reset. Whoever asked sees that you rejected it, and\n" +
			"the reason is in the audit log. On a terminal, without an ID, it offers those that are open.\n\n" +
			"Who may: see mfa approve.\n\n" +
			"Exit status: 3 no such request; 4 not permitted; 5 it has run out; 7 left open; 10 decided already.",
		Example: "  logiqc mfa reject 7K3F --reason \"nobody answers at the number on file\"",
		Args:    atMostOne("one ID"),
	}
	if approve {
		c.Use, c.Short = "approve [ID|--run ID]", "Approve a reset that another operator asked for"
		c.Long = approveLong
		c.Example = "  logiqc mfa approvals\n  logiqc mfa approve 7K3F\n  logiqc mfa approve 7K3F --yes -o json"
	}
	f := addRequestFlags(c, true)
	run := ""
	if !approve {
		f.addReason(c)
		c.Annotations = oneAnswer
	} else {
		c.Flags().StringVar(&run, "run", "", "approve every open request of the run with this `ID`, which mfa request told")
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		req, err := f.request(a.IO().CanPrompt())
		switch {
		case err != nil:
		case run == "":
			err = a.noApproval(args)
		case len(args) > 0:
			err = logiqc.Errorf(logiqc.Usage, "either one ID is approved or a run")
		}
		if err != nil {
			return err
		}
		svc, err := a.Service(c.Context())
		if err != nil {
			return err
		}
		if run != "" {
			return a.approveRun(c.Context(), svc, run, req)
		}
		id, err := a.pickApproval(c.Context(), svc, args, true)
		if err != nil {
			return err
		}
		return a.decide(c.Context(), svc, logiqc.Decision{Request: req, ID: id, Approve: approve})
	}
	return c
}

// decide approves or rejects: a preview that refuses what the rules refuse, the
// dialog, the decision about what the dialog showed.
func (a *App) decide(ctx context.Context, svc logiqc.Service, d logiqc.Decision) error {
	out, err := svc.DecideApproval(ctx, d)
	if err != nil {
		return err
	}
	if out.Err != nil {
		if !a.IO().CanPrompt() {
			return out.Err
		}
		if d.Approve, err = a.agreedDecision(ctx, d, out); err != nil {
			return err
		}
		d.ID, d.Given = out.Approval.ID, true
		if out, err = svc.DecideApproval(ctx, d); err != nil {
			return err
		}
	}
	r := out.Approval
	if out.Reset == nil {
		told := requestView(r)
		told.Replayed = out.Replayed
		return a.answer(told, func(io *ui.IO) error {
			if d.DryRun {
				io.Answerf("This would reject the reset of %s, asked for by %s. Nothing was changed.", titled(r.Account), r.RequestedBy)
			} else {
				io.Answerf("Rejected: reset MFA for %s, asked for by %s. Nothing was reset.", titled(r.Account), r.RequestedBy)
			}
			return nil
		})
	}
	res := *out.Reset
	res.Replayed, res.Approval = out.Replayed, &r
	return (&resetter{App: a, svc: svc, reset: logiqc.Reset{Request: d.Request}}).answerOne(res)
}

// agreedDecision asks what to do with an open request and reports whether it is
// to be approved.
func (a *App) agreedDecision(ctx context.Context, asked logiqc.Decision, out logiqc.Decided) (approve bool, err error) {
	s, err := a.Settings()
	if err != nil {
		return false, err
	}
	d := decideDialog(out, cmp.Or(s.StoreProfile(), s.Store.Display()), a.Now())
	switch answer, err := a.IO().Choose(ctx, d); {
	case err != nil:
		return false, err
	case answer == ui.Declined:
		return false, ui.ErrCancelled
	default:
		return asked.Approve && answer == ui.Agreed, nil
	}
}
