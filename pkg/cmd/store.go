package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/ui"
)

// newStoreGroup groups what is done with a store as a whole.
func newStoreGroup(a *App) *cobra.Command {
	return group("store", "Freeze, move, back up, restore and check the store",
		newStoreBackup(a), newStoreRestore(a), newStoreCheck(a), newStoreUpgrade(a), newStoreCopy(a), newStoreFreeze(a), newStoreThaw(a))
}

func newStoreFreeze(a *App) *cobra.Command {
	c := &cobra.Command{
		Use: "freeze", Short: "Stop changes: sign-ins go on, changes do not",
		Annotations: oneAnswer,
		Long: "Stop changes while something is looked into. Sign-ins go on, and so do reading, the\n" +
			"audit commands, keys, backups, and revoking sessions and tokens. Every other change is\n" +
			"refused with the reason you give, until `store thaw`.\n\nIt needs no sign-in: whoever holds the store may do it.\n\n" +
			"Exit status: 5 when the store has moved.",
		Example: "  logiqc store freeze --reason INC-9001",
	}
	f := addRequestFlags(c, false)
	f.addReason(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		desk, actor, req, err := a.directly(c.Context(), f)
		if err != nil {
			return err
		}
		out, err := desk.Freeze(c.Context(), actor, req)
		if err != nil {
			return err
		}
		return a.answer(struct {
			Changed bool `json:"changed"`
			Would   bool `json:"would_change,omitempty"`
			logiqc.Replayed
		}{out.Changed && !f.dryRun, out.Changed && f.dryRun, out.Replayed}, func(io *ui.IO) error {
			switch {
			case !out.Changed:
				io.Answerf("The store is frozen already; nothing was changed.")
			case f.dryRun:
				io.Answerf("The store would be frozen. Nothing was changed.")
			default:
				io.Answerf("The store is frozen: sign-ins go on, changes do not.")
				io.Notef("To end it: logiqc store thaw")
			}
			return nil
		})
	}
	return c
}

func newStoreThaw(a *App) *cobra.Command {
	c := &cobra.Command{
		Use: "thaw", Short: "Let changes go on",
		Annotations: oneAnswer,
		Long: "Let changes go on in a store that is frozen. In one whose `store copy` was broken off it\n" +
			"gives the move up, once it has made sure that nothing has arrived at the other place;\n" +
			"a store that has moved stays closed.\n\nIt needs no sign-in: whoever holds the store may do it.\n\n" +
			"Exit status: 5 when the store has moved; 11 when the other place cannot be looked at.",
		Example: "  logiqc store thaw",
	}
	f := addRequestFlags(c, false)
	f.addReason(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		desk, actor, req, err := a.directly(c.Context(), f)
		if err != nil {
			return err
		}
		out, err := desk.Thaw(c.Context(), actor, req, a.vacant)
		if err != nil {
			return err
		}
		done := out.Changed
		out.Changed = done && !f.dryRun
		return a.answer(out, func(io *ui.IO) error {
			switch {
			case !done:
				io.Answerf("The store was not frozen; nothing was changed.")
			case f.dryRun:
				io.Answerf("The store would take changes again. Nothing was changed.")
			case out.GaveUp != "" && out.Frozen:
				io.Answerf("The move to %s is given up. The store is still frozen.", out.GaveUp)
			case out.GaveUp != "":
				io.Answerf("The move to %s is given up: changes go on here.", out.GaveUp)
			default:
				io.Answerf("The store is thawed: changes go on.")
			}
			return nil
		})
	}
	return c
}

// vacant makes sure that there is no store at an address, as it is shown: its
// password, if it needs one, comes from the environment.
func (a *App) vacant(ctx context.Context, address string) error {
	where, err := config.ParseStore(address)
	if err != nil {
		return err
	}
	path, _, err := a.placeOf(where)
	if err != nil {
		return err
	}
	return store.Vacant(ctx, path)
}

// placeOf is where a store is that is opened directly, and with whose clock: a
// database server's is its own, as its clients' may differ.
func (a *App) placeOf(s config.Store) (where string, o store.Options, err error) {
	settings, err := a.Settings()
	if err != nil {
		return "", o, err
	}
	o.Patience = settings.Timeout
	switch s.Kind {
	case config.SQLite:
		o.Now = a.Now
		return s.Path, o, nil
	case config.Postgres:
		return s.URL.Reveal(), o, nil
	case "":
		return "", o, logiqc.Errorf(logiqc.Usage, "no home folder is known, so there is no default store").WithHint("give --store URL")
	}
	return "", o, logiqc.Errorf(logiqc.Usage, "this works where the store is opened directly, and %s is a server", s.Display()).
		WithHint("run it on the server's machine, with --store sqlite:PATH or postgres://…")
}
