package cmd

import (
	"context"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// noApproval refuses with Usage a command line that names no request where
// nobody can be asked which one is meant, or by what can be no id.
func (a *App) noApproval(args []string) error {
	switch {
	case len(args) > 0:
		return logiqc.CheckApprovalRef(args[0])
	case a.IO().CanPrompt():
		return nil
	}
	return logiqc.Errorf(logiqc.Usage, "no request was named, and there is no terminal to ask on").
		WithHint("give the ID of one; see them: logiqc mfa approvals")
}

// pickApproval is the request that a command line names, or else the one that is
// picked of those that are open; of those that the actor may decide about,
// where that is what it is for. The only one is not asked about.
func (a *App) pickApproval(ctx context.Context, svc logiqc.Service, args []string, decide bool) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	open, err := svc.Approvals(ctx, logiqc.ApprovalQuery{Mine: decide})
	switch {
	case err != nil:
		return "", err
	case len(open) == 0 && decide:
		return "", logiqc.Errorf(logiqc.NotFound, "no request is open that you may decide about").WithHint("all that are open: logiqc mfa approvals")
	case len(open) == 0:
		return "", logiqc.Errorf(logiqc.NotFound, "no request is open").WithHint("those of the last day: logiqc mfa approvals --all")
	case len(open) == 1:
		return open[0].ID, nil
	}
	options := make([]ui.Option, len(open))
	for i, r := range open {
		options[i] = ui.Option{Label: shortID(r) + "  " + accountCell(r.Account), Detail: leftCell(r, a.Now()) + " left · " + r.RequestedBy + " · " + grounds(r)}
		if r.ChangedSince {
			options[i].Detail = "void: the enrolment has changed · " + r.RequestedBy
		}
	}
	i, err := a.IO().Select(ctx, "Which request?", options)
	if err != nil {
		return "", err
	}
	return open[i].ID, nil
}

// waiting counts the requests that wait for whoever acts, if that is a person
// who approves. It is a courtesy: what cannot be counted is none.
func waiting(ctx context.Context, svc logiqc.Service) int {
	if who := svc.Actor(); who.Kind != logiqc.Person || !who.May(logiqc.MFAReset) {
		return 0
	}
	mine, err := svc.Approvals(ctx, logiqc.ApprovalQuery{Mine: true})
	if err != nil {
		return 0
	}
	return len(mine)
}

// tellWaiting says that requests wait, if any do.
func tellWaiting(io *ui.IO, n int) {
	switch {
	case n == 1:
		io.Notef("1 request waits for a second operator: logiqc mfa approve")
	case n > 1:
		io.Notef("%d requests wait for a second operator: logiqc mfa approvals", n)
	}
}
