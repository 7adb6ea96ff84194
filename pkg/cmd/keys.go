package cmd

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/ui"
)

// newKeysGroup groups what is done with the keys of a store.
func newKeysGroup(a *App) *cobra.Command {
	return group("keys", "List, rotate and retire the keys of the store",
		newKeysList(a), newKeysRotate(a), newKeysRetire(a))
}

func newKeysList(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the keys, the current ones first",
		Long: "List the keys that sign the log's checkpoints and those that seal the secrets in the\n" +
			"store, the current ones first, and how many secrets each seals. Nothing secret is shown.",
		Example: "  logiqc keys list",
		RunE: func(c *cobra.Command, _ []string) error {
			desk, actor, err := a.Direct(c.Context())
			if err != nil {
				return err
			}
			keys, err := desk.StoreKeys(c.Context(), actor)
			if err != nil {
				return err
			}
			out := list(a.IO(), []ui.Column{{Name: "Kind", Whole: true}, {Name: "Id", Whole: true}, {Name: "State", Whole: true},
				{Name: "Sealed", Right: true, Whole: true}},
				func(k service.KeyInfo) []any { return anyOf(keyRecord(k)) }, []string{"kind", "id", "state", "sealed"}, keyRecord)
			return out.all(keys)
		},
	}
}

func keyRecord(k service.KeyInfo) []string {
	state, sealed := "older", ""
	if k.Current {
		state = "current"
	}
	if k.Kind == service.SealKeys {
		sealed = number(k.Sealed)
	}
	return []string{string(k.Kind), k.ID, state, sealed}
}

func anyOf(texts []string) []any {
	cells := make([]any, len(texts))
	for i, s := range texts {
		cells[i] = s
	}
	return cells
}

const rotateLong = `Make a new key that signs the log's checkpoints (log), one that seals the secrets in the
store (seal), or both.

The older signing keys go on signing beside the new one, so that auditors with either can
check, until they are retired. Give the new line to your auditors, then retire the old.

Secrets are sealed again with the new key, in batches; every secret can be opened at every
moment. If it is stopped, --resume goes on without making another key.

Copies of the folder of keys on other machines have to be replaced.`

// rotated is the answer of `keys rotate`.
type rotated struct {
	Changed  bool   `json:"changed"`
	AuditKey string `json:"audit_key"` // of the new signing key, "" when there is none
	SealKey  string `json:"seal_key"`  // likewise
	Resealed int    `json:"resealed"`
	logiqc.Replayed
}

func newKeysRotate(a *App) *cobra.Command {
	var resume bool
	c := &cobra.Command{
		Use: "rotate [log|seal]", Short: "Make new keys; the older ones stay in use until they are retired", Long: rotateLong,
		Annotations: oneAnswer,
		Example:     "  logiqc keys rotate\n  logiqc keys rotate seal --resume",
		Args:        cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs), ValidArgs: []string{string(service.LogKeys), string(service.SealKeys)},
	}
	f := addRequestFlags(c, false)
	f.addReason(c)
	c.Flags().BoolVar(&resume, "resume", false, "make no key: only seal again what an older key still seals")
	c.RunE = func(c *cobra.Command, args []string) error {
		kinds := []service.KeyKind{service.LogKeys, service.SealKeys}
		if len(args) == 1 {
			kinds = []service.KeyKind{service.KeyKind(args[0])}
		}
		if resume && kinds[len(kinds)-1] != service.SealKeys {
			return logiqc.Errorf(logiqc.Usage, "--resume is for the keys that seal")
		}
		desk, actor, req, err := a.directly(c.Context(), f)
		if err != nil {
			return err
		}
		out, err := a.rotate(c.Context(), desk, actor, req, kinds, resume)
		if err != nil {
			return err
		}
		return a.answer(out, func(io *ui.IO) error { return out.text(io, req.DryRun) })
	}
	return c
}

func (a *App) rotate(ctx context.Context, desk *service.Desk, by logiqc.Actor, req logiqc.Request, kinds []service.KeyKind, resume bool) (out rotated, err error) {
	out.Replayed.Replayed = !resume
	for _, kind := range kinds {
		again := false
		switch {
		case resume:
		case kind == service.LogKeys:
			out.AuditKey, again, err = desk.RotateLogKey(ctx, by, req)
		default:
			out.SealKey, again, err = desk.RotateSealKey(ctx, by, req)
		}
		out.Replayed.Replayed = out.Replayed.Replayed && again
		if err != nil {
			return out, out.soFar(asError(ctx, err), "logiqc keys rotate seal")
		}
		if kind != service.SealKeys || req.DryRun {
			continue
		}
		bar := a.IO().Progress(0, "secrets")
		out.Resealed, err = desk.Reseal(ctx, by, req, bar.Set)
		bar.Done()
		if err != nil {
			return out, out.soFar(asError(ctx, err), "logiqc keys rotate seal --resume")
		}
	}
	out.Changed = !req.DryRun && (!resume || out.Resealed > 0)
	return out, nil
}

// soFar is the error of a rotation that stopped half-way: it says which keys are
// in use already, and how to go on. It is no longer [logiqc.Unavailable], which
// would promise that nothing was changed.
func (r rotated) soFar(e *logiqc.Error, goOn string) error {
	var made []string
	if r.AuditKey != "" {
		made = append(made, "the new signing key is in use")
	}
	if r.SealKey != "" {
		made = append(made, "the new seal is in use")
	}
	if len(made) == 0 {
		return e
	}
	stopped := *e
	if e.Code == logiqc.Unavailable {
		stopped.Code = logiqc.UnknownOutcome
	}
	stopped.Message = strings.Join(made, ", ") + ", but then it stopped: " + strings.ReplaceAll(e.Message, "; nothing was changed", "")
	hint := "then: " + goOn
	if e.Hint != "" {
		hint = e.Hint + "; " + hint
	}
	return stopped.WithHint("%s", hint)
}

func (r rotated) text(io *ui.IO, dry bool) error {
	if dry {
		io.Answerf("This would make new keys. Nothing was changed.")
		return nil
	}
	if r.AuditKey != "" {
		io.Answerf("The log has a new signing key; the older ones sign too until they are retired. Give this line to your auditor:\n%s", r.AuditKey)
	}
	if r.SealKey != "" {
		io.Answerf("Secrets are sealed with %s from now on.", r.SealKey)
	}
	if r.SealKey != "" || r.Resealed > 0 || !r.Changed {
		io.Answerf("%s sealed again.", counted(r.Resealed, "secret"))
	}
	io.Notef("Back up the folder of keys, and replace its copies. Then: logiqc keys list, logiqc keys retire ID")
	return nil
}

func newKeysRetire(a *App) *cobra.Command {
	c := &cobra.Command{
		Use: "retire ID", Short: "Remove an older key for good",
		Annotations: oneAnswer,
		Long: "Remove an older key from the folder of keys, for good. A retired signing key signs no\n" +
			"more: auditors who only have that one can check what was signed before, and are told the\n" +
			"next one by an event that it signed; laptops that kept it follow that by themselves. A\n" +
			"key that still seals a secret, and a current one, are refused.\n\n" +
			"Exit status: 3 no such key; 5 the key is in use.",
		Example: "  logiqc keys list\n  logiqc keys retire logiqc/st-marys/9c41e07b+1f6c20aa",
		Args:    exactly(1, "the id of one key"),
	}
	f := addRequestFlags(c, false)
	f.addReason(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		desk, actor, req, err := a.directly(c.Context(), f)
		if err != nil {
			return err
		}
		again, err := desk.RetireKey(c.Context(), actor, req, args[0])
		if err != nil {
			return err
		}
		return a.answer(struct {
			Changed bool   `json:"changed"`
			ID      string `json:"id"`
			logiqc.Replayed
		}{!req.DryRun, args[0], logiqc.Replayed{Replayed: again}}, func(io *ui.IO) error {
			if req.DryRun {
				io.Answerf("This would retire %s. Nothing was changed.", args[0])
				return nil
			}
			io.Answerf("%s is retired.", args[0])
			return nil
		})
	}
	return c
}
