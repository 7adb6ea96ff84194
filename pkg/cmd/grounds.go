package cmd

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// addGrounds gives the command the flags that answer what the policy asks for.
func (f *requestFlags) addGrounds(c *cobra.Command) {
	f.addReason(c)
	f.addTicket(c)
	c.Flags().StringVar(&f.verifiedBy, "verified-by", "", "how the caller was verified, for the audit log: callback, in_person, …")
}

// askGrounds asks, on a page before anything is agreed to, for what the policy
// wants or lists and no flag has said: the reason, the ticket and how the caller
// was verified, with the contact on file in sight. acct is nil for several
// accounts.
func (a *App) askGrounds(ctx context.Context, svc logiqc.Service, acct *logiqc.Account, r *logiqc.Request, title string) error {
	p, err := svc.Policy(ctx)
	if err != nil {
		return err
	}
	asks := []struct {
		ask func() (string, error)
		of  *string
	}{
		{func() (string, error) { return a.askReason(ctx, p) }, &r.Reason},
		{func() (string, error) { return a.askTicket(ctx, p) }, &r.Ticket},
		{func() (string, error) { return a.askVerified(ctx, p, acct) }, &r.VerifiedBy},
	}
	wanted := []bool{p.ReasonRequired || p.Reasons != "", p.Ticket != "", p.VerifiedBy != ""}
	headed := false
	for i, q := range asks {
		if !wanted[i] || strings.TrimSpace(*q.of) != "" {
			continue
		}
		if !headed {
			a.groundsHead(acct, title)
			headed = true
		}
		if *q.of, err = q.ask(); err != nil {
			return err
		}
	}
	return nil
}

// groundsHead says whom the page is about, and how to call them back.
func (a *App) groundsHead(acct *logiqc.Account, title string) {
	io := a.IO()
	io.Notef("%s", title)
	if acct == nil {
		return
	}
	io.Notef("  Account     %s · %s", acct.Username, statusLine(*acct))
	io.Notef("  Call back   %s", callBack(*acct, a.Now()))
	io.Notef("  Email       %s", acct.Email)
}

func (a *App) askReason(ctx context.Context, p logiqc.Policy) (string, error) {
	if p.Reasons == "" {
		return a.IO().Input(ctx, ui.InputSpec{Title: "Reason", Validate: plainly(p.CheckReason)})
	}
	return a.choice(ctx, "Reason", "Reason", p.Reasons.Items(), !p.ReasonRequired)
}

func (a *App) askTicket(ctx context.Context, p logiqc.Policy) (string, error) {
	return a.IO().Input(ctx, ui.InputSpec{Title: "Ticket", Description: "As tickets are here: " + p.Ticket, Validate: plainly(p.CheckTicket)})
}

func (a *App) askVerified(ctx context.Context, p logiqc.Policy, acct *logiqc.Account) (string, error) {
	title := "How was the caller verified?"
	if acct != nil && acct.Phone != "" {
		onFile := "On file: " + acct.Phone
		if width, _ := a.IO().Size(); len(title+" "+onFile) < width {
			title += " " + onFile
		} else { // a title is cut to one line, and this is what to call back
			a.IO().Notef("%s", onFile)
		}
	}
	return a.choice(ctx, title, "Verified by", p.VerifiedBy.Items(), false)
}

// choice asks for one of a few words, or with orNone for none of them, and
// leaves the answer standing beside its label.
func (a *App) choice(ctx context.Context, title, label string, words []string, orNone bool) (string, error) {
	var options []ui.Option
	for _, w := range words {
		options = append(options, ui.Option{Label: w})
	}
	if orNone {
		options = append(options, ui.Option{Label: "–", Detail: "none"})
	}
	i, err := a.IO().Select(ctx, title, options)
	if err != nil || i == len(words) {
		return "", err
	}
	a.IO().Notef("%s: %s", label, words[i])
	return words[i], nil
}

// plainly is a check of the policy as the answer to a question: without the
// flag that would answer it in a script.
func plainly(check func(string) error) func(string) error {
	return func(s string) error {
		if err := logiqc.CheckText("this", s, logiqc.MaxReason); err != nil {
			return err
		}
		e := logiqc.AsError(check(s))
		if e == nil {
			return nil
		}
		what, _, _ := strings.Cut(e.Message, ": --")
		if strings.HasPrefix(what, "--") {
			_, what, _ = strings.Cut(what, " ")
		}
		return errors.New(what)
	}
}
