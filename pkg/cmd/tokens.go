package cmd

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// newTokens groups what is done to API tokens.
func newTokens(a *App) *cobra.Command {
	return group("tokens", "Make, list and revoke API tokens for scripts and applications",
		newTokensCreate(a), newTokensList(a), newTokensRevoke(a))
}

func newTokensList(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the tokens, newest first",
		Long:    "List every token that was ever made, newest first: what it may do, for whom it acts,\nand until when. The token itself is shown only when it is made.",
		Example: "  logiqc tokens list\n  logiqc tokens list -o json",
		RunE: func(c *cobra.Command, _ []string) error {
			svc, err := a.Service(c.Context())
			if err != nil {
				return err
			}
			tokens, err := svc.Tokens(c.Context())
			if err != nil {
				return err
			}
			now := logiqc.At(a.Now())
			cells := func(t logiqc.TokenInfo) []any {
				return []any{t.Name, tokenMay(t), t.User, tokenUntil(t, now), t.ID}
			}
			out := list(a.IO(), tokenColumns, cells, tokenHeader, tokenRecord)
			if err := out.all(tokens); err != nil {
				return err
			}
			if out.n == 0 && a.IO().Format() == ui.FormatText {
				a.IO().Notef("There are no tokens.")
			}
			return nil
		},
	}
}

var (
	tokenColumns = []ui.Column{{Name: "Name"}, {Name: "May"}, {Name: "For"}, {Name: "Expires", Whole: true}, {Name: "ID", Whole: true}}
	tokenHeader  = []string{"id", "name", "role", "allow", "user", "created_at", "last_used_at", "expires_at", "revoked_at"}
)

func tokenRecord(t logiqc.TokenInfo) []string {
	return []string{t.ID, t.Name, string(t.Role), joined(t.Allow, " "), t.User, t.CreatedAt.String(), t.LastUsedAt.String(),
		t.ExpiresAt.String(), t.RevokedAt.String()}
}

// tokenMay is what a token is good for: its role, or its single rights.
func tokenMay(t logiqc.TokenInfo) string {
	if t.Role != "" {
		return string(t.Role)
	}
	return joined(t.Allow, ", ")
}

// tokenUntil is how long a token is good.
func tokenUntil(t logiqc.TokenInfo, now logiqc.Time) string {
	switch {
	case t.RevokedAt != 0:
		return "revoked " + day(t.RevokedAt)
	case t.ExpiresAt != 0 && t.ExpiresAt <= now:
		return "expired " + day(t.ExpiresAt)
	}
	return day(t.ExpiresAt)
}

// joined puts sep between words.
func joined[T ~string](words []T, sep string) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, sep)
}

func newTokensRevoke(a *App) *cobra.Command {
	r := revoking{what: "token", nothing: "Nothing was changed: there is no live token to revoke."}
	c := &cobra.Command{
		Use: "revoke ID|--all", Short: "End one token, or all of them, at once",
		Annotations: oneAnswer,
		Long:        "Revoke a token by the ID that `tokens list` shows, or every token. It is refused from\nthe next request on. A token that is dead already is left as it is.",
		Example:     "  logiqc tokens revoke 0193a7c2-…\n  logiqc tokens revoke --all --yes",
	}
	c.Args = r.args(c)
	r.addFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.revoke(c.Context(), r.of(args), logiqc.Service.RevokeTokens, tokenDialog)
	}
	return c
}

// tokenDialog asks about the tokens that would be revoked.
func tokenDialog(c revokeContext) (ui.Dialog, error) {
	tokens, err := c.svc.Tokens(c.ctx)
	if err != nil {
		return ui.Dialog{}, err
	}
	d := ui.Dialog{
		Title: "Revoke " + counted(c.count, "token") + "?", Action: "revoke",
		Will:    []string{"refuse every request made with it from now on"},
		WillNot: []string{"undo what was done with it", "sign anybody out"},
	}
	if i := slices.IndexFunc(tokens, func(t logiqc.TokenInfo) bool { return t.ID == c.ID }); i >= 0 {
		t := tokens[i]
		d.Title = "Revoke the token " + t.Name + "?"
		d.Facts = []ui.Fact{
			{Label: "Token", Value: t.Name + " · " + tokenMay(t), Keep: true}, {Label: "For", Value: t.User},
			{Label: "Last used", Value: minute(t.LastUsedAt)}, {Label: "Expires", Value: day(t.ExpiresAt)},
		}
	}
	return d, nil
}
