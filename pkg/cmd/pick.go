package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// pickMost is how many matches a picker offers at once.
const pickMost = 50

// pickUser finds the one account that a <user> of the command line means: the
// exact match, or else the one that is picked on a terminal. Without a terminal
// an empty ref is Usage, another one NotFound or Ambiguous with its candidates.
func (a *App) pickUser(ctx context.Context, svc logiqc.Service, ref string) (logiqc.Account, error) {
	ref = strings.TrimSpace(ref)
	if ref == "" {
		if !a.IO().CanPrompt() {
			return logiqc.Account{}, errNoUser()
		}
		return a.searchUser(ctx, svc)
	}
	account, err := svc.GetUser(ctx, ref)
	if err == nil || !errors.Is(err, logiqc.NotFound) && !errors.Is(err, logiqc.Ambiguous) || !a.IO().CanPrompt() {
		return account, err
	}
	matches, more, err2 := a.pickable(ctx, svc, ref, logiqc.AsError(err).Matches)
	switch {
	case err2 != nil:
		return logiqc.Account{}, err2
	case len(matches) == 0:
		return logiqc.Account{}, err
	}
	return a.choose(ctx, svc, ref, matches, more)
}

// errNoUser is the answer where a <user> is needed and nobody can be asked.
func errNoUser() error {
	return logiqc.Errorf(logiqc.Usage, "no user was named, and there is no terminal to ask on").
		WithHint("give a username, an email or an id; look it up with: logiqc users find TEXT")
}

// atMostOneUser takes a <user> or none.
func atMostOneUser(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("%s takes one user, not %d", c.CommandPath(), len(args))
	}
	return nil
}

// firstArg is the first argument without blanks around it, or "".
func firstArg(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return strings.TrimSpace(args[0])
}

// searchUser asks for a text until something matches it, and for the account
// that is meant.
func (a *App) searchUser(ctx context.Context, svc logiqc.Service) (logiqc.Account, error) {
	for {
		text, err := a.IO().Input(ctx, ui.InputSpec{
			Title: "Which user", Description: "Letters of the name, username or email.",
			Validate: func(s string) error {
				if strings.TrimSpace(s) == "" {
					return errors.New("type a few letters")
				}
				return nil
			},
		})
		if err != nil {
			return logiqc.Account{}, err
		}
		text = strings.TrimSpace(text)
		if account, err := svc.GetUser(ctx, text); err == nil {
			return account, nil
		}
		matches, more, err := a.pickable(ctx, svc, text, nil)
		if err != nil {
			return logiqc.Account{}, err
		}
		if len(matches) > 0 {
			return a.choose(ctx, svc, text, matches, more)
		}
		a.IO().Notef("No account matches %q.", text)
	}
}

// pickable lists the accounts that a text may mean, and whether there are more
// of them: those that are found with it, or else the named near ones.
func (a *App) pickable(ctx context.Context, svc logiqc.Service, text string, near []string) (matches []logiqc.Account, more bool, err error) {
	page, err := svc.FindUsers(ctx, logiqc.UserQuery{Text: text, Limit: pickMost})
	if err != nil || len(page.Accounts) > 0 {
		return page.Accounts, page.Next != "", err
	}
	for _, name := range near {
		if account, err := svc.GetUser(ctx, name); err == nil {
			matches = append(matches, account)
		}
	}
	return matches, false, nil
}

// choose asks which of the matches is meant. Where more match than are shown,
// the last line asks for more letters.
func (a *App) choose(ctx context.Context, svc logiqc.Service, text string, matches []logiqc.Account, more bool) (logiqc.Account, error) {
	options := make([]ui.Option, 0, len(matches)+1)
	for _, m := range matches {
		options = append(options, ui.Option{Label: m.Username, Detail: pickDetail(m), Value: m.ID})
	}
	title := "No account is exactly “" + text + "”. Which one do you mean?"
	if more {
		title = "The first " + number(pickMost) + " that match “" + text + "”; the last line looks for others."
		options = append(options, ui.Option{Label: "more …", Detail: "more match: type more letters"})
	}
	i, err := a.IO().Select(ctx, title, options)
	switch {
	case err != nil:
		return logiqc.Account{}, err
	case i == len(matches):
		return a.searchUser(ctx, svc)
	}
	return matches[i], nil
}

// pickDetail tells two people of one name apart.
func pickDetail(m logiqc.Account) string {
	parts := []string{m.Email, string(m.Status)}
	if m.Name != "" {
		parts = append([]string{m.Name}, parts...)
	}
	if m.Auth == logiqc.BySSO {
		parts = append(parts, "sso")
	}
	return strings.Join(parts, " · ")
}
