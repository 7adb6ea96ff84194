package cmd

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/ui"
)

const copyLong = `Move the store to another place, such as a file to a PostgreSQL database, with everything
in it: accounts, sealed secrets, recovery codes, sessions, tokens, the policy, and the log
byte for byte. What was copied is read back, the log is computed again and must have the
same root, and the accounts are compared with it. Then the copy appears, all at once, and
this store is closed: it can be read, and refuses every change.

The other place has to be empty. While it copies, everybody who writes waits. Keys are no
part of a store: they have to be where it is opened from now on.

A password of the database comes from PGPASSWORD or PGPASSFILE.

When it is broken off, at most one of the two takes changes; if neither does, the same
command finishes the move, and store thaw gives it up where nothing has arrived.

Exit status: 5 when the other place is not empty, or the store has moved; 9 when the store
is not what its log says, and nothing was copied; 12 when it cannot be told whether the
copy appeared, and the same command finds out.`

// copied is the answer of `store copy`.
type copied struct {
	Changed  bool   `json:"changed"`
	To       string `json:"to"`
	Accounts int64  `json:"accounts"`
	Secrets  int64  `json:"secrets"`
	Events   int64  `json:"events"`
	Size     int64  `json:"size"`
	Root     string `json:"root"`
	Keys     string `json:"keys"` // the folder that has to be where the store is opened
}

func newStoreCopy(a *App) *cobra.Command {
	var to string
	c := &cobra.Command{
		Use: "copy --to URL", Short: "Move the store to another place, such as PostgreSQL", Long: copyLong,
		Annotations: oneAnswer,
		Example:     "  logiqc store copy --to postgres://logiqc@db1/logiqc",
		RunE: func(c *cobra.Command, _ []string) error {
			place, address, err := a.destination(to)
			if err != nil {
				return err
			}
			desk, actor, req, err := a.directly(c.Context(), &requestFlags{})
			if err != nil {
				return err
			}
			progress, done := a.progressOf("rows")
			out, err := desk.CopyTo(c.Context(), actor, req, place, progress)
			done()
			if err != nil {
				return err
			}
			return a.movedTo(c.Context(), desk, address, out)
		},
	}
	c.Flags().StringVar(&to, "to", "", "where to: postgres://user@host/database or sqlite:PATH")
	return c
}

// destination is the place that --to names.
func (a *App) destination(to string) (p service.Place, address config.Store, err error) {
	if to == "" {
		return p, address, logiqc.Errorf(logiqc.Usage, "where to? give --to URL").WithHint("logiqc store copy --to postgres://user@host/database")
	}
	if address, err = config.ParseStore(to); err != nil {
		return p, address, err
	}
	if address.HasPassword() {
		return p, address, logiqc.Errorf(logiqc.Usage, "flag --to: other users of this machine can read a password there").
			WithHint("use PGPASSWORD or PGPASSFILE")
	}
	p.Name = address.Display()
	if p.Where, p.Options, err = a.placeOf(address); err != nil {
		return p, address, err
	}
	s, err := a.Settings()
	if err == nil && address.Canonical() == s.Store.Canonical() {
		err = logiqc.Errorf(logiqc.Usage, "the store is there already: %s", p.Name)
	}
	return p, address, err
}

// progressOf shows a bar, once it is known how many units there are.
func (a *App) progressOf(unit string) (progress func(done, total int64), done func()) {
	var bar *ui.Progress
	progress = func(done, total int64) {
		if bar == nil {
			bar = a.IO().Progress(total, unit)
		}
		bar.Set(done)
	}
	return progress, func() {
		if bar != nil {
			bar.Done()
		}
	}
}

// movedTo keeps whoever is signed in here signed in there, and says what was
// done.
func (a *App) movedTo(ctx context.Context, desk *service.Desk, to config.Store, m service.Moved) error {
	s, err := a.Settings()
	if err != nil {
		return err
	}
	if token, ok, err := a.session(s).Load(); err == nil && ok {
		if err := config.Session(config.DefaultPaths(), to).Save(token); err != nil {
			a.IO().Warnf("your session was copied, but could not be saved here: %v", err)
		}
	}
	id, err := desk.StoreID(ctx)
	if err != nil {
		return err
	}
	keys, err := a.keysDir(id)
	if err != nil {
		keys = filepath.Join("…", id)
	}
	out := copied{Changed: m.Changed, To: to.Display(), Accounts: m.Accounts, Secrets: m.Secrets, Events: m.Events,
		Size: m.Head.Size, Root: m.Head.Root.String(), Keys: keys}
	return a.answer(out, func(io *ui.IO) error {
		if !m.Changed {
			io.Answerf("The store has moved to %s already; nothing was changed.", out.To)
			return nil
		}
		io.Answerf("%s, %s, %s copied. Same root %s. Reconciled.",
			counted(int(m.Accounts), "account"), counted(int(m.Secrets), "secret"), counted(int(m.Events), "event"), out.Root)
		io.Answerf("%s is now closed; changes are refused with \"moved to %s\".", s.Store.Display(), out.To)
		io.Answerf("Keys stay where they are. Whoever opens the store there needs this folder, privately: %s", keys)
		io.Notef("From now on: logiqc config add NAME --store '%s' --use", out.To)
		return nil
	})
}
