package cmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// How long a token lives: by itself, and at most.
const (
	tokenLife    = "90d"
	tokenLongest = 100 * 365 * 24 * time.Hour
)

// createdToken is a token with its secret, which is shown here and never again.
type createdToken struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Role      logiqc.Role    `json:"role"`
	Allow     []logiqc.Right `json:"allow"`
	Token     *string        `json:"token"` // null in a dry run, and when a retry finds it made
	ExpiresAt logiqc.Time    `json:"expires_at"`
	Would     bool           `json:"would_create,omitempty"`
	logiqc.Replayed
}

func newTokensCreate(a *App) *cobra.Command {
	var n logiqc.NewToken
	var allow []string
	var expires string
	c := &cobra.Command{
		Use: "create NAME --role R|--allow A,…", Short: "Make a token; it is shown once",
		Annotations: oneAnswer,
		Long: "Make a token that acts for you, with a role or with single rights, and never with more\n" +
			"than you have. It is shown once, on standard output: keep it where only its user can\n" +
			"read it, and give it to commands in LOGIQC_TOKEN or by --token-file. It dies when it\n" +
			"expires, when it is revoked, and when your account is deactivated or loses the role.\n\n" +
			"Rights for --allow:\n" + joined(logiqc.TokenRights, ", ") + ".",
		Example: "  logiqc tokens create nightly --role helpdesk\n" +
			"  logiqc tokens create siem --allow audit.read --expires 365d > siem.token",
		Args: exactly(1, "one NAME"),
	}
	f := addRequestFlags(c, false)
	f.addReason(c)
	enumFlag(c, &n.Role, "role", "what the token may do", logiqc.TokenRoles...)
	c.Flags().StringSliceVar(&allow, "allow", nil, "single rights instead of a role, a `LIST` such as users.read,mfa.reset")
	c.Flags().StringVar(&expires, "expires", tokenLife, "how long it lives, as `AGE` (24h, 90d), a date, or never")
	c.RunE = func(c *cobra.Command, args []string) error {
		n.Name = args[0]
		for _, right := range allow {
			n.Allow = append(n.Allow, logiqc.Right(right))
		}
		if err := expiry(&n, expires, a.Now()); err != nil {
			return err
		}
		var err error
		if n.Request, err = f.request(false); err != nil {
			return err
		}
		if err := n.Check(); err != nil {
			return err
		}
		svc, err := a.Service(c.Context())
		if err != nil {
			return err
		}
		info, bearer, err := svc.CreateToken(c.Context(), n)
		if err != nil {
			return err
		}
		return a.answerToken(info, bearer, f.dryRun)
	}
	return c
}

// expiry reads --expires.
func expiry(n *logiqc.NewToken, s string, now time.Time) (err error) {
	if s == "never" {
		return nil
	}
	if n.Lifetime, err = logiqc.ParseAge(s); err == nil {
		if n.Lifetime <= 0 || n.Lifetime > tokenLongest {
			return logiqc.Errorf(logiqc.Usage, "--expires takes an age of up to 100 years, not %q", s)
		}
		return nil
	}
	if n.ExpiresAt, err = logiqc.ParseTime(s, now, time.Local); err == nil && n.ExpiresAt <= logiqc.At(now) {
		err = logiqc.Errorf(logiqc.Usage, "the token would have expired already")
	}
	return err
}

// answerToken shows a new token. Without a bearer it is not new.
func (a *App) answerToken(info logiqc.TokenInfo, bearer logiqc.Secret, dryRun bool) error {
	out := createdToken{ID: info.ID, Name: info.Name, Role: info.Role, Allow: info.Allow, ExpiresAt: info.ExpiresAt, Would: dryRun}
	if bearer != "" && !dryRun {
		token := bearer.Reveal()
		out.Token = &token
	}
	out.Replayed.Replayed = bearer == ""
	return a.answer(out, func(io *ui.IO) error {
		switch {
		case dryRun:
			io.Answerf("The token %s would be made. Nothing was changed.", info.Name)
		case out.Token == nil:
			io.Answerf("The token %s was made before, and shown then. Nothing was changed.", info.Name)
		default:
			io.Notef("Token %s: %s, acts for %s, expires: %s.\nIt is shown this once; keep it where only its user can read it.",
				info.Name, tokenMay(info), info.User, day(info.ExpiresAt))
			io.Answerf("%s", *out.Token)
		}
		return nil
	})
}
