package cmd

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/console"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// adminIdle is how long Admin mode shows an account to nobody.
const adminIdle = 15 * time.Minute

func newAdmin(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "admin", Short: "Find, open and reset accounts on one screen (Admin mode)",
		Long: "Admin mode takes the whole terminal, for who has one call after another. Type a few\n" +
			"letters of the caller's name: the list follows as you type. Enter opens the account, with\n" +
			"the answer to \"Can sign in?\" on top; r resets the MFA, by the same rules and behind the\n" +
			"same Confirm / Cancel as mfa reset, and then says whom to tell what. Other keys unlock,\n" +
			"verify an app code, show the events, and decide about requests for approval; the keys are\n" +
			"in the last line, and ? explains them. What you may not do is not offered.\n\n" +
			"Ctrl-C quits, after leaving what is being asked. After 15 minutes without a key the account\n" +
			"is closed and the search emptied. When the session ends, or is too old for something, you\n" +
			"sign in again and go on. For scripts, and for screen readers, the same is done by\n" +
			"users find, users show, mfa reset and mfa approve.\n\n" +
			"Exit status: 0 quit; 2 there is no terminal; 4 not permitted, or the session has ended; 7 ended\n" +
			"by a signal.",
		Example: "  logiqc admin",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := a.checkFullScreen(); err != nil {
				return err
			}
			svc, err := a.Service(c.Context())
			if err != nil {
				return err
			}
			for open := ""; ; {
				open, err = a.admin(c.Context(), svc, open)
				if svc, err = a.signedInAnew(c.Context(), svc.Actor(), err); err != nil || svc == nil {
					return err
				}
			}
		},
	}
}

// signedInAnew is the service of whoever signs in again after a failure that was
// for want of that; nil and the failure, or none, otherwise.
func (a *App) signedInAnew(ctx context.Context, who logiqc.Actor, err error) (logiqc.Service, error) {
	ended := errors.Is(err, logiqc.Unauthenticated) || errors.Is(err, logiqc.CodeRequired)
	if !ended || who.Kind != logiqc.Person {
		return nil, err
	}
	a.IO().Notef("%s\nSign in to go on, or press Esc to leave.", sentence(logiqc.AsError(err).Message))
	if failed := a.signin(ctx, &credentials{user: who.Username}, false); errors.Is(failed, ui.ErrCancelled) {
		return nil, err
	} else if failed != nil {
		return nil, failed
	}
	return a.Service(ctx)
}

// checkFullScreen refuses whoever has no whole terminal, and says what does the
// same.
func (a *App) checkFullScreen() error {
	s, err := a.Settings()
	if err != nil {
		return err
	}
	why := ""
	switch io := a.IO(); {
	case io.Machine():
		why = "Admin mode is a screen for people: there is no -o " + string(io.Format()) + " of it"
	case s.NoInput:
		why = "Admin mode is nothing without input, and --no-input switches that off"
	case io.Accessible() || s.NoAltScreen:
		why = "Admin mode draws a whole screen, which cannot be read in lines"
	case !io.CanPrompt() || !io.OutTerminal():
		why = "Admin mode takes a terminal, and there is none"
	default:
		return nil
	}
	return logiqc.Errorf(logiqc.Usage, "%s", why).
		WithHint("the same in lines: logiqc users find TEXT, logiqc users show <user>, logiqc mfa reset <user>, logiqc mfa approvals")
}

// admin runs Admin mode, see [console.Run].
func (a *App) admin(ctx context.Context, svc logiqc.Service, open string) (string, error) {
	s, err := a.Settings()
	if err != nil {
		return open, err
	}
	policy, err := svc.Policy(ctx) // refused to whoever may not look at accounts
	if err != nil {
		return open, err
	}
	io, actor := a.IO(), svc.Actor()
	return console.Run(ctx, console.Desk{
		Service: svc, IO: io, Store: cmp.Or(s.StoreProfile(), s.Store.Display()), Idle: adminIdle,
		Accounts: console.Table[logiqc.Account]{Columns: adminColumns(), Cells: findCells, ID: func(acct logiqc.Account) string { return acct.ID }},
		Events:   console.Table[logiqc.Event]{Columns: adminEventColumns, Cells: adminEventCells, ID: func(e logiqc.Event) string { return e.ID }},
		Approvals: console.Table[logiqc.Approval]{Columns: approvalColumns(false), Cells: a.approvalCells,
			ID: func(r logiqc.Approval) string { return r.ID }},
		Account:  func(acct logiqc.Account) ui.Card { return a.adminCard(svc, acct) },
		Event:    eventCard,
		Approval: func(r logiqc.Approval) ui.Card { return approvalCard(r, a.Now()) },
		Actions:  func(acct logiqc.Account) []console.Action { return a.adminActions(svc, acct) },
		Decide: func(r logiqc.Approval) *console.Action {
			if !mayDecide(policy, actor, r) {
				return nil
			}
			action := a.adminAction("enter", "decide", func(b *App, req *logiqc.Request) func(context.Context) error {
				return func(ctx context.Context) error {
					return b.decide(ctx, svc, logiqc.Decision{Request: *req, ID: r.ID, Approve: true})
				}
			})
			return &action
		},
		Told: func(err error) *logiqc.Error { return asError(ctx, err) },
	}, open)
}

// adminColumns are those of users find; in a narrow window a name that can be read
// counts for more than a column.
func adminColumns() []ui.Column {
	columns := slices.Clone(findColumns)
	columns[1].Min, columns[2].Min = 14, 14
	return columns
}

// adminEventColumns are those of the table of events that tell the events of one
// account apart.
var adminEventColumns = []ui.Column{{Name: "Time", Whole: true}, {Name: "Action", Min: 18}, {Name: "Outcome", Whole: true},
	{Name: "Actor"}, {Name: "Why"}, {Name: "Seq", Right: true, Whole: true}}

func adminEventCells(e logiqc.Event) []any {
	return []any{local(e.Time, "2006-01-02 15:04"), string(e.Action), outcomeText(e), e.Actor.Who(), eventWhy(e), number(int(e.Seq))}
}

// mayDecide reports whether the actor may approve or reject a request.
func mayDecide(p logiqc.Policy, actor logiqc.Actor, r logiqc.Approval) bool {
	u := logiqc.User{ID: r.Account.ID, Username: r.Account.Username, Role: r.Account.Role, Protected: r.Account.Protected, Auth: r.Account.Auth}
	return p.CheckApprover(actor) == nil && u.CheckDecide(actor, "") == nil && r.RequestedBy != actor.Username
}
