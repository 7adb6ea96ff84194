package cmd

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/ui"
)

const restoreLong = `Put a backup back where the store was: a file, or a PostgreSQL database, whatever the backup
was made of. Nothing may be there: a store that exists is left alone. Every session ends;
what was changed after the backup is undone, such as a token that was revoked or an account
that was deactivated since.

If more was signed of the log than is in the backup, that would be lost, and nothing is
restored. Look for a newer backup. If there is none, but a newer audit export, --log DIR
carries the log on from there: the events after the backup are put back byte for byte, and
accounts, policy and tokens are brought to what they tell. Secrets are in no log. So whoever
enrolled or got another password after the backup is without it, and listed; nobody can sign
in by what was replaced, and the desk lets them in again.

If there is neither, --new-origin goes on from this backup under a new name of the log, with
a new signing key. What was signed before stays true of the old log, and every checker tells
the two apart. Give your auditors the new key.

FILE may be the store itself, with --new-origin: for a backup that was put in its place by
other means.

Exit status: 5 when there is a store already, the backup is of one that has moved, or no
administrator would have a password left; 9 when the backup's log is not whole or older than
what was signed, or DIR is not this log, signed by a key of this store; 11 without the keys.`

// restored is the answer of `store restore`.
type restored struct {
	Store       string `json:"store"`
	Accounts    int64  `json:"accounts"`
	Events      int64  `json:"events"` // in the log that was put back
	Root        string `json:"root"`   // of them
	Sessions    int    `json:"sessions"`
	Differences int    `json:"differences"`
	AuditKey    string `json:"audit_key"` // of the new origin, or ""
	// With --log: how many events came after the backup, and what could not be given back.
	Carried    int64                `json:"carried"`
	Lost       []logiqc.LostAccount `json:"lost"`
	LostTokens []logiqc.LostToken   `json:"lost_tokens"`
	Warnings   []string             `json:"warnings,omitempty"`
}

func newStoreRestore(a *App) *cobra.Command {
	r := service.Restore{}
	c := &cobra.Command{
		Use: "restore FILE [--log DIR | --new-origin --reason T]", Short: "Put a backup back", Long: restoreLong,
		Annotations: oneAnswer,
		Example: "  logiqc store restore /mnt/backup/2026-11-22.db\n" +
			"  logiqc store restore /mnt/backup/2026-11-22.db --log /mnt/evidence/log\n" +
			"  logiqc store restore /mnt/backup/2026-11-22.db --new-origin --reason \"disk lost, INC-9002\"",
		Args: exactly(1, "the backup"),
	}
	f := &requestFlags{}
	f.addReason(c)
	c.Flags().BoolVar(&r.NewOrigin, "new-origin", false, "let the log go on from here under a new name, with a new key")
	c.Flags().StringVar(&r.Log, "log", "", "carry the log on from the newer audit export in `DIR`")
	c.MarkFlagsMutuallyExclusive("log", "new-origin")
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		if c.Flags().Changed("log") {
			if is, err := os.Stat(r.Log); err != nil || !is.IsDir() {
				return logiqc.Errorf(logiqc.Usage, "%q is no folder", r.Log).WithHint("--log takes what logiqc audit export wrote")
			}
		}
		if r.NewOrigin && strings.TrimSpace(f.reason) == "" {
			return logiqc.Errorf(logiqc.Usage, "a new origin is started for a reason").WithHint("--new-origin --reason T")
		}
		if r.Request, err = f.request(false); err != nil {
			return err
		}
		from, err := config.ParseStore(args[0])
		if err != nil {
			return err
		}
		if from.HasPassword() {
			return logiqc.Errorf(logiqc.Usage, "other users of this machine can read a password there").WithHint("use PGPASSWORD or PGPASSFILE")
		}
		r.From.Name = strings.TrimPrefix(from.Display(), string(config.SQLite)+":")
		if r.From.Where, r.From.Options, err = a.placeOf(from); err != nil {
			return err
		}
		s, err := a.Settings()
		if err != nil {
			return err
		}
		out, err := a.restore(c.Context(), r, s.Store, from.Canonical() == s.Store.Canonical())
		if err != nil {
			return err
		}
		return a.wasRestored(s.Store, out)
	}
	return c
}

// restore puts a backup back, or starts a new origin in place.
func (a *App) restore(ctx context.Context, r service.Restore, at config.Store, inPlace bool) (out service.Restored, err error) {
	to := service.Place{Name: at.Display()}
	if to.Where, to.Options, err = a.placeOf(at); err != nil {
		return out, err
	}
	progress, done := a.progressOf("rows")
	defer done()
	switch {
	case inPlace && r.NewOrigin:
		desk, actor, err := a.Direct(ctx)
		if err != nil {
			return out, err
		}
		return desk.RestartOrigin(ctx, actor, r)
	case inPlace:
		return out, logiqc.Errorf(logiqc.Usage, "%s is the store itself", r.From.Name).
			WithHint("restore a backup of it; or start a new origin here: --new-origin --reason T")
	}
	if at.Kind == config.SQLite {
		left, err := store.Remains(to.Where)
		if err != nil {
			return out, err
		}
		for _, path := range left {
			a.IO().Warnf("what an earlier store left is now %s", path)
		}
	}
	out, err = service.RestoreTo(ctx, to, a.openKeys, logiqc.Actor{Kind: logiqc.System, Source: a.Source()}, r, progress)
	if errors.Is(err, logiqc.Exists) {
		err = logiqc.AsError(err).WithHint("%s", howToClear(at))
	}
	return out, err
}

// howToClear says how the place of a store is cleared.
func howToClear(at config.Store) string {
	if at.Kind != config.SQLite {
		return "restore into a database of its own: createdb NAME, then --store postgres://…/NAME"
	}
	files := ""
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if _, err := os.Lstat(at.Path + suffix); err == nil {
			files += " '" + at.Path + suffix + "'"
		}
	}
	return "take it away first: mkdir -m 700 old && mv" + files + " old/"
}

func (a *App) wasRestored(at config.Store, r service.Restored) error {
	io := a.IO()
	if !r.Guarded {
		io.Warnf("the keys of this store are not here, so nobody has looked whether more was signed than is in the backup")
	}
	switch places := counted(r.Differences, "place"); {
	case r.Differences == 0:
	case r.WithLog:
		io.Warnf("the backup said otherwise than its log in %s, where it is now as the log tells", places)
	default:
		io.Warnf("the backup says otherwise than its log in %s: logiqc audit reconcile", places)
	}
	out := restored{Store: at.Display(), Accounts: r.Accounts, Events: r.Head.Size, Root: r.Head.Root.String(),
		Sessions: r.Sessions, Differences: r.Differences, AuditKey: r.AuditKey,
		Carried: r.Carried.Events, Lost: append([]logiqc.LostAccount{}, r.Carried.Lost...), LostTokens: append([]logiqc.LostToken{}, r.Carried.LostTokens...),
		Warnings: io.Warnings()}
	return a.answer(out, func(io *ui.IO) error {
		io.Answerf("%s and %s restored to %s, root %s. %s ended.", counted(int(r.Accounts), "account"),
			counted(int(out.Events), "event"), out.Store, out.Root, counted(r.Sessions, "session"))
		if r.WithLog {
			out.carried(io)
		} else {
			io.Answerf("What was changed after that is undone, revoked tokens and deactivated accounts among it.")
		}
		if r.AuditKey != "" {
			io.Answerf("The log goes on under a new name. Give this line to your auditors, and replace copies of the folder of keys:\n%s", r.AuditKey)
		}
		io.Notef("Everybody signs in again: logiqc signin")
		return nil
	})
}

// carried says what came after the backup, what of it nobody has any more, and
// what the desk does about it.
func (r restored) carried(io *ui.IO) {
	var enrolments, passwords, codes, tokens []string
	for _, l := range r.Lost {
		if l.Enrolment && !l.Password { // the others are not let in before they have a password
			enrolments = append(enrolments, l.User)
		}
		if l.Password {
			passwords = append(passwords, l.User)
		}
		if l.RecoveryCodes {
			codes = append(codes, l.User)
		}
	}
	for _, t := range r.LostTokens {
		tokens = append(tokens, t.Name)
	}
	io.Answerf("%s of them came after the backup, from the log, and everything is as they tell.", counted(int(r.Carried), "event"))
	for _, l := range []struct {
		who        []string
		lost, mend string
	}{
		{enrolments, "authenticator app", "held until: logiqc users unlock USER; they set up MFA again then"},
		{passwords, "password", "closed until: logiqc users passwd USER"},
		{codes, "recovery codes", "they make new ones: logiqc recovery-codes"},
		{tokens, "token", "make others: logiqc tokens create NAME"},
	} {
		if len(l.who) > 0 {
			io.Answerf("Lost, the %s of %d: %s (%s).", l.lost, len(l.who), strings.Join(l.who, ", "), l.mend)
		}
	}
}
