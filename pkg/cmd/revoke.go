package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// revoking is what `tokens revoke` and `sessions revoke` have in common.
type revoking struct {
	what, nothing string
	r             logiqc.Revocation
	flags         *requestFlags
}

// addFlags gives the command its flags.
func (v *revoking) addFlags(c *cobra.Command) {
	v.flags = addRequestFlags(c, true)
	v.flags.addReason(c)
	c.Flags().BoolVar(&v.r.All, "all", false, "every "+v.what)
}

// args takes one ID, or none where a flag says which are meant.
func (v *revoking) args(c *cobra.Command) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		given := len(args)
		for _, flag := range []bool{v.r.All, c.Flags().Changed("user")} {
			if flag {
				given++
			}
		}
		if given != 1 {
			return fmt.Errorf("say which %s: one ID, or a flag for more", v.what)
		}
		return nil
	}
}

// of is the command with its argument.
func (v revoking) of(args []string) revoking {
	v.r.ID = firstArg(args)
	return v
}

// revokeContext is what a dialog about a revocation is made of.
type revokeContext struct {
	logiqc.Revocation
	ctx   context.Context
	svc   logiqc.Service
	count int // how many it would end
}

// revoke says what would end, asks, and ends it.
func (a *App) revoke(ctx context.Context, v revoking,
	do func(logiqc.Service, context.Context, logiqc.Revocation) (logiqc.Revoked, error),
	dialog func(revokeContext) (ui.Dialog, error),
) error {
	req, err := v.flags.request(a.IO().CanPrompt())
	if err != nil {
		return err
	}
	svc, err := a.Service(ctx)
	if err != nil {
		return err
	}
	v.r.Request = req
	out, err := do(svc, ctx, v.r)
	if errors.Is(err, logiqc.ConfirmationRequired) && a.IO().CanPrompt() {
		d, err2 := dialog(revokeContext{Revocation: v.r, ctx: ctx, svc: svc, count: out.Count})
		if err2 != nil {
			return err2
		}
		if err := a.agree(ctx, d); err != nil {
			return err
		}
		v.r.Given = true
		out, err = do(svc, ctx, v.r)
	}
	if err != nil {
		return err
	}
	return a.answerRevoked(v, out)
}

// answerRevoked tells how many ended, or would.
func (a *App) answerRevoked(v revoking, out logiqc.Revoked) error {
	answer := struct {
		Changed bool `json:"changed"`
		Revoked int  `json:"revoked"`
		Would   *int `json:"would_revoke,omitempty"`
		logiqc.Replayed
	}{Changed: out.Count > 0, Revoked: out.Count, Replayed: out.Replayed}
	if v.flags.dryRun {
		answer.Changed, answer.Revoked, answer.Would = false, 0, &out.Count
	}
	return a.answer(answer, func(io *ui.IO) error {
		switch {
		case out.Count == 0:
			io.Answerf("%s", v.nothing)
		case v.flags.dryRun:
			io.Answerf("%s would be revoked. Nothing was changed.", counted(out.Count, v.what))
		default:
			io.Answerf("%s revoked.", counted(out.Count, v.what))
		}
		return nil
	})
}
