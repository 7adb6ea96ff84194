package cmd

import (
	"context"
	"slices"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// approveRun approves the open requests of one run, each in a transaction of
// its own, and tells them as a run of resets. A retry finds those open that are
// left, so no outcome need be remembered.
func (a *App) approveRun(ctx context.Context, svc logiqc.Service, run string, req logiqc.Request) error {
	req.Remember = false
	open, err := svc.Approvals(ctx, logiqc.ApprovalQuery{})
	if err != nil {
		return err
	}
	open = slices.DeleteFunc(open, func(r logiqc.Approval) bool { return r.Run != run })
	if len(open) == 0 {
		return logiqc.Errorf(logiqc.NotFound, "no request of the run %q is open", run).WithHint("see them: logiqc mfa approvals -o json")
	}
	if !req.Given && !req.DryRun {
		d := ui.Dialog{
			Title: "Approve " + counted(len(open), "MFA reset") + "?",
			Facts: []ui.Fact{{Label: "Asked by", Value: open[0].RequestedBy, Keep: true}, {Label: "Because", Value: grounds(open[0])}},
			Will: []string{"remove their authenticator links and recovery codes", "end their sessions, unless they were to be kept",
				"let whoever has the password enrol at the next sign-in"},
			WillNot: []string{"change passwords, statuses, toggles or the policy"},
			Decline: "leave them open",
		}
		if req.Consent, err = a.agreeMany(ctx, len(open), d); err != nil {
			return err
		}
	}
	r := &resetter{App: a, svc: svc, reset: logiqc.Reset{Request: req}}
	t := &resetTally{resetter: r, out: newRun(a.IO(), req.RequestID, r.header(), r.record), sum: r.newSummary(req.DryRun)}
	progress := a.IO().Progress(int64(len(open)), "accounts")
	defer progress.Done()
	for _, asked := range open {
		out, err := svc.DecideApproval(ctx, logiqc.Decision{Request: req, ID: asked.ID, Approve: true})
		res := logiqc.ResetResult{User: asked.User, Outcome: logiqc.ResetRefused, Err: logiqc.AsError(err)}
		switch {
		case err == nil:
			res = *out.Reset
		case !slices.Contains([]int{3, 4, 5, 10}, res.Err.Code.ExitStatus()):
			res.Outcome = logiqc.ResetFailed
		}
		res.Input = asked.ID
		if err := t.add(res); err != nil {
			return err
		}
		progress.Add(1)
	}
	return t.close(len(open))
}
