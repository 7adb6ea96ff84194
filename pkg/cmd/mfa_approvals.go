package cmd

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// newMFAApprovals makes `mfa approvals` and `mfa approvals show`.
func newMFAApprovals(a *App) *cobra.Command {
	var all, follow bool
	c := &cobra.Command{
		Use: "approvals", Short: "List the requests that wait for a second operator",
		Long: "List the requests for approval that are open, the one that runs out first at the front.\n" +
			"An ID may be shortened to any ending that means one request, of 4 characters or more.\n" +
			"With --follow, those that are open and then each that is made, decided or runs out, until\n" +
			"Ctrl-C. Requests about your own account are for others to see.",
		Example: "  logiqc mfa approvals\n  logiqc mfa approvals --follow\n  logiqc mfa approvals show 7K3F",
		Args:    cobra.NoArgs,
	}
	c.Flags().BoolVar(&all, "all", false, "those of the last 24 hours too that were decided or have run out")
	c.PersistentFlags().BoolVar(&follow, "follow", false, "go on with what happens, until Ctrl-C")
	c.RunE = func(c *cobra.Command, _ []string) error {
		svc, err := a.Service(c.Context())
		if err != nil {
			return err
		}
		l := a.newApprovalList(all || follow)
		if follow {
			return l.follow(c.Context(), svc, all)
		}
		open, err := svc.Approvals(c.Context(), logiqc.ApprovalQuery{All: all})
		if err != nil {
			return err
		}
		if err := l.out.addAll(open); err != nil {
			return err
		}
		if err := l.out.Close(); err != nil {
			return err
		}
		if l.out.n == 0 && a.IO().Format() == ui.FormatText {
			a.IO().Notef("Nothing waits for a second operator.")
		}
		return nil
	}
	c.AddCommand(newMFAApprovalsShow(a, &follow))
	return c
}

func newMFAApprovalsShow(a *App, follow *bool) *cobra.Command {
	return &cobra.Command{
		Use: "show [ID]", Short: "Show one request, decided or not",
		Long:    "Show a request for approval: what was asked for, why, and what became of it. With --follow,\nonce it is decided or has run out. On a terminal, without an ID, it offers those that are open.",
		Example: "  logiqc mfa approvals show 7K3F\n  logiqc mfa approvals show 7K3F --follow -o json",
		Args:    atMostOne("one ID of a request"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := a.noApproval(args); err != nil {
				return err
			}
			svc, err := a.Service(c.Context())
			if err != nil {
				return err
			}
			id, err := a.pickApproval(c.Context(), svc, args, false)
			if err != nil {
				return err
			}
			r, err := svc.Approval(c.Context(), id)
			if err != nil {
				return err
			}
			if *follow && r.State == logiqc.ApprovalPending {
				a.IO().Notef("Waiting for a second operator … Ctrl-C leaves it open.")
				now, err := a.awaitDecision(c.Context(), svc, r)
				if err != nil && now.State == logiqc.ApprovalPending {
					return err
				}
				r = now
			}
			return a.answer(requestView(r), func(io *ui.IO) error { return io.Card(approvalCard(r, a.Now())) })
		},
	}
}

// approvalCard shows one request.
func approvalCard(r logiqc.Approval, now time.Time) ui.Card {
	acct := r.Account
	rows := []ui.CardRow{
		{Label: "Account", Value: acct.Username + " · " + acct.Email + " · " + statusLine(acct)},
		{Label: "Call back", Value: phoneCell(acct, now)},
		{Label: "Asked by", Value: r.RequestedBy + ", " + minute(r.RequestedAt)},
		{Label: "Because", Value: grounds(r)},
	}
	add := func(label, value string) { rows = append(rows, ui.CardRow{Label: label, Value: value}) }
	if r.WithCode {
		add("Code", "the requester has an enrolment code, good until "+minute(r.CodeUntil))
	}
	if r.Hold {
		add("Hold", "sign-in is to be held until users unlock")
	}
	if r.KeepSessions {
		add("Sessions", "are to be kept")
	}
	switch r.State {
	case logiqc.ApprovalPending:
		add("Open until", minute(r.ExpiresAt))
		if r.ChangedSince {
			add("Void", "the enrolment has changed since this was asked for")
		}
		for _, other := range r.Others {
			add("Also open", strings.ToUpper(other.Short)+", asked for by "+other.RequestedBy+", until "+minute(other.ExpiresAt))
		}
	case logiqc.ApprovalExpired:
		add("Ran out", minute(r.ExpiresAt))
	default:
		add("Decided by", r.DecidedBy+", "+minute(r.DecidedAt))
	}
	if r.Seq != nil {
		add("Reset", "event "+number(int(*r.Seq)))
	}
	add("Id", r.ID)
	return ui.Card{Title: "Reset MFA for " + titled(acct) + ", approval " + shortID(r), Status: string(r.State), Sections: []ui.Section{{Rows: rows}}}
}

// approvalList is a list of requests on its way out.
type approvalList struct {
	*App
	out *rows[logiqc.Approval]
}

var approvalHeader = []string{"approval_id", "short_id", "user", "state", "requested_by", "requested_at", "expires_at", "reason", "ticket",
	"verified_by", "decided_by", "decided_at", "seq"}

// approvalColumns and approvalCells are a request in the table; with states it
// tells what became of each.
func approvalColumns(states bool) []ui.Column {
	left := "Left"
	if states {
		left = "State"
	}
	return []ui.Column{{Name: "ID", Whole: true}, {Name: "Account", Whole: true}, {Name: "Asked by"}, {Name: "Reason"}, {Name: "Ticket"},
		{Name: "Caller check"}, {Name: left, Whole: true}}
}

func (a *App) approvalCells(r logiqc.Approval) []any {
	id := r.ID
	if a.IO().OutTerminal() {
		id = shortID(r)
	}
	return []any{id, accountCell(r.Account), r.RequestedBy, r.Reason, r.Ticket, r.VerifiedBy, leftCell(r, a.Now())}
}

// newApprovalList starts the list; with states it tells what became of each.
func (a *App) newApprovalList(states bool) approvalList {
	record := func(r logiqc.Approval) []string {
		seq := ""
		if r.Seq != nil {
			seq = number(int(*r.Seq))
		}
		return []string{r.ID, r.Short, r.User, string(r.State), r.RequestedBy, r.RequestedAt.String(), r.ExpiresAt.String(), r.Reason, r.Ticket,
			r.VerifiedBy, r.DecidedBy, r.DecidedAt.String(), seq}
	}
	out := list(a.IO(), approvalColumns(states), a.approvalCells, approvalHeader, record)
	switch io := a.IO(); io.Format() {
	case ui.FormatJSON:
		array := io.JSONArray()
		out.add, out.close = func(r logiqc.Approval) error { return array.Add(requestView(r)) }, array.Close
	case ui.FormatJSONL:
		out.add = func(r logiqc.Approval) error { return io.JSONLine(requestView(r)) }
	}
	return approvalList{a, out}
}

// accountCell names an account, and why it is a privileged one.
func accountCell(acct logiqc.Account) string {
	switch {
	case acct.Protected:
		return acct.Username + " (protected)"
	case acct.Role != logiqc.RoleUser:
		return acct.Username + " (" + string(acct.Role) + ")"
	}
	return acct.Username
}

// leftCell is how long a request is open still, or what became of it.
func leftCell(r logiqc.Approval, now time.Time) string {
	left := r.ExpiresAt.Std().Sub(now).Round(time.Minute)
	switch {
	case r.State != logiqc.ApprovalPending:
		return strings.TrimSpace(string(r.State) + by(r.DecidedBy))
	case r.ChangedSince:
		return "changed"
	case left < time.Minute:
		return "<1m"
	}
	return number(int(left/time.Minute)) + "m"
}

// follow lists the requests and then each whenever its state is another, until
// the context ends; that is how it is meant to end.
func (l approvalList) follow(ctx context.Context, svc logiqc.Service, all bool) error {
	tick := time.NewTicker(approvalEvery)
	defer tick.Stop()
	told := map[string]logiqc.ApprovalState{}
	err := l.news(ctx, svc, told, func(r logiqc.Approval) bool { return all || r.State == logiqc.ApprovalPending })
	for err == nil {
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-tick.C:
			err = l.news(ctx, svc, told, func(logiqc.Approval) bool { return true })
		}
	}
	if ctx.Err() != nil {
		err = nil
	}
	return errors.Join(err, l.out.Close())
}

// news tells the requests whose state is not the one told before.
func (l approvalList) news(ctx context.Context, svc logiqc.Service, told map[string]logiqc.ApprovalState, wanted func(logiqc.Approval) bool) error {
	recent, err := svc.Approvals(ctx, logiqc.ApprovalQuery{All: true})
	if err != nil {
		return err
	}
	fresh := slices.DeleteFunc(recent, func(r logiqc.Approval) bool {
		was, known := told[r.ID]
		told[r.ID] = r.State
		return known && was == r.State || !known && !wanted(r)
	})
	if err := l.out.addAll(fresh); err != nil {
		return err
	}
	return l.out.flush()
}
