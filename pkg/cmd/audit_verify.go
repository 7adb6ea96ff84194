package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/ui"
)

const verifyLong = `Recompute the log, here, on this machine: every event, every hash of its tree and the
root; and prove that it continues the checkpoints signed before. A changed, added or
missing event is found, and the first bad one named.

With --since, a checkpoint kept from an earlier day, the log is proved to continue it and
only what came after is read. That is what shows a log that somebody with the signing
key rewrote. With --dir an exported folder is checked, with --proof a proof of one event:
both need --key and nothing else, no store and no sign-in. --key may be given twice while
a key is replaced. A store that is opened directly needs no sign-in either.

With --witness, whose key comes from the witness and not from here, a checkpoint that it
cosigned must be there, and what is checked continue it. Without, the cosignatures kept
are checked with the keys that the store has, and told.

The problems: altered, truncated, missing (a gap, or no checkpoint of it), forked (it agrees with itself, and is
not the log of the checkpoint), bad_signature, wrong_origin (another log's key).

Exit status: 9 when there is a problem; the finding is on standard output.`

// verifyFlags are the flags of `audit verify`.
type verifyFlags struct {
	keys              []string
	witnesses         []string
	since, dir, proof string
	kept              string // like since, and the whole log is read all the same
}

func newAuditVerify(a *App) *cobra.Command {
	var f verifyFlags
	c := &cobra.Command{
		Use: "verify", Short: "Recompute the whole log and tell whether it was changed", Long: verifyLong,
		Annotations: oneAnswer,
		Example: "  logiqc audit verify\n" +
			"  logiqc audit verify --key NAME+HASH+KEY --since 2026-11-23.ckpt\n" +
			"  logiqc audit verify --key NAME+HASH+KEY --dir log/\n" +
			"  logiqc audit verify --key NAME+HASH+KEY --proof receipt",
		RunE: func(c *cobra.Command, _ []string) error {
			var out verified
			var err error
			switch {
			case f.dir == "" && f.proof == "":
				out, err = a.verifyStore(c.Context(), f)
			case len(f.keys) == 0:
				return logiqc.Errorf(logiqc.Usage, "this is checked with nothing but the key of the log: give --key").
					WithHint("the auditor was given it on the first day; logiqc audit key prints it again")
			case f.dir != "":
				out, err = a.verifyDir(c.Context(), f)
			default:
				out, err = verifyProof(f)
			}
			if err != nil {
				return err
			}
			out.Warnings = a.IO().Warnings()
			if out.OK && out.KeySource == keyFlag && out.place == inStore && !out.signed {
				out.Warnings = append(out.Warnings, noSignature)
			}
			if err := a.answer(out, out.text); err != nil {
				return err
			}
			return out.failure()
		},
	}
	flags := c.Flags()
	flags.StringArrayVar(&f.keys, "key", nil, "check signatures with this `VKEY`, a line NAME+HASH+KEY")
	flags.StringVar(&f.since, "since", "", "prove that the log continues the checkpoint in `FILE`, and read only what came after")
	flags.StringVar(&f.dir, "dir", "", "check an exported folder instead of the store")
	flags.StringVar(&f.proof, "proof", "", "check the proof of one event in `FILE`")
	flags.StringArrayVar(&f.witnesses, "witness", nil, "want it cosigned by the witness with this `VKEY`")
	c.MarkFlagsMutuallyExclusive("dir", "proof")
	c.MarkFlagsMutuallyExclusive("since", "proof")
	return c
}

// verifyStore checks the log of the store.
func (a *App) verifyStore(ctx context.Context, f verifyFlags) (out verified, err error) {
	if _, err := typedKeys(f.keys); err != nil { // before anybody is asked who they are
		return out, err
	}
	audit, e, err := a.evidence(ctx)
	if err != nil {
		return out, err
	}
	k, err := a.keysFor(f.keys, e)
	if err != nil {
		return out, err
	}
	// A server can leave checkpoints out, and so can whoever writes to a database:
	// then any log would do. Only the folder of keys can say that none was signed.
	if remote, err := a.remote(); err != nil || k.source == keyFlag && (remote || len(e.Keys) == 0) {
		k.proved = true
	}
	out = verified{KeySource: k.source, Checkpoint: e.Last.Note, Accounts: notCompared, keys: k, place: inStore}
	known, err := knownFrom(e, k)
	if err == nil {
		var cosigned []keptCheckpoint
		cosigned, out.Cosigned, err = a.cosignedIn(e, k, f.witnesses)
		known = append(known, cosigned...)
	}
	for _, head := range k.handed {
		known = append(known, keptCheckpoint{what: "signed", head: head})
	}
	if err != nil {
		out.newer, _ = k.successors(e.Handovers)
		return out.refuse(ctx, logSource{audit}, err)
	}
	if out, err = a.verifyLog(ctx, logSource{audit}, f, known, out); err == nil && out.OK && len(known) > 0 && len(k.lines) > 0 {
		a.keepKeys(k, e)
	}
	return out, err
}

// knownFrom opens the checkpoints that the store and its folder of keys hold.
// Without a key they only say what to compare with.
func knownFrom(e logiqc.Evidence, k logKeys) (known []keptCheckpoint, err error) {
	if len(k.verifiers) > 0 && k.origin() != e.Origin {
		return nil, ledger.ErrWrongOrigin
	}
	last := keptCheckpoint{what: "signed", at: e.Last.At}
	for _, text := range []string{e.Last.Note, e.State} {
		if text == "" {
			continue
		}
		c := last
		if len(k.verifiers) > 0 {
			c.head, err = ledger.OpenCheckpoint([]byte(text), k.origin(), k.verifiers...)
		} else {
			_, c.head, err = ledger.ParseCheckpoint([]byte(text))
		}
		if err != nil {
			return nil, err
		}
		known = append(known, c)
		last.at = 0 // that of the file is not known
	}
	if len(known) == 0 && k.proved {
		return nil, fmt.Errorf("%w: there is no checkpoint of it, so nothing says that it is the log of this key; whoever has the keys signs one: "+
			"logiqc audit checkpoint", ledger.ErrMissing)
	}
	if len(known) == 0 && k.source == keyFlag && !knowsAny(e.Keys, k) {
		return nil, ledger.ErrBadSignature
	}
	return known, nil
}

// knowsAny tells whether one of the typed keys is among those of the folder of
// keys: before the first checkpoint there is no signature to find out by.
func knowsAny(folder []string, typed logKeys) bool {
	own, err := service.ParseVerifiers(folder...)
	if err != nil || len(own) == 0 {
		return true // nothing to compare with
	}
	for _, o := range own {
		for _, v := range typed.verifiers {
			if o.KeyHash() == v.KeyHash() {
				return true
			}
		}
	}
	return false
}

// verifyDir checks an exported folder, with nothing but the key.
func (a *App) verifyDir(ctx context.Context, f verifyFlags) (out verified, err error) {
	k, err := typedKeys(f.keys)
	if err != nil {
		return out, err
	}
	out = verified{KeySource: k.source, Accounts: notCompared, keys: k, place: inFolder}
	dir, err := ledger.OpenDir(f.dir, k.origin(), k.verifiers...)
	if err != nil {
		return out.refuse(ctx, nil, err)
	}
	out.Checkpoint = dir.Checkpoint()
	if out.Cosigned, err = wantCosigned(dir.Checkpoint(), f.witnesses); err != nil {
		return out.refuse(ctx, dir, err)
	}
	return a.verifyLog(ctx, dir, f, nil, out)
}

// verifyLog checks the bytes of a log, with progress.
func (a *App) verifyLog(ctx context.Context, src ledger.Source, f verifyFlags, known []keptCheckpoint, out verified) (verified, error) {
	opts := ledger.VerifyOptions{}
	for _, c := range known {
		opts.Known = append(opts.Known, c.head)
	}
	if file := cmp.Or(f.since, f.kept); file != "" {
		kept, err := readCheckpoint(file, out.keys)
		if err != nil {
			return out.refuse(ctx, src, err)
		}
		if f.since != "" {
			opts.Since = &kept.head
		} else {
			opts.Known = append(opts.Known, kept.head)
		}
		out.kept = &kept
		out.Since = &logiqc.LogHead{Size: kept.head.Size, Root: logiqc.Hash(kept.head.Root)}
		known = append([]keptCheckpoint{kept}, known...)
	}
	var bar *ui.Progress
	opts.Progress = func(done, total int64) {
		if bar == nil {
			bar = a.IO().Progress(total, "events")
		}
		bar.Set(done)
	}
	report, err := ledger.Verify(ctx, src, opts)
	if bar != nil {
		bar.Done()
	}
	if errors.Is(err, logiqc.Integrity) { // what cannot even be read as a log is an altered one
		report.OK, report.Problem, report.Seq, report.Detail, err = false, ledger.Altered, -1, err.Error(), nil
	}
	out.take(report, known)
	return out, err
}

// verifyProof checks the proof of one event, with nothing but the key.
func verifyProof(f verifyFlags) (out verified, err error) {
	k, err := typedKeys(f.keys)
	if err != nil {
		return out, err
	}
	text, err := os.ReadFile(f.proof)
	if err != nil {
		return out, logiqc.Errorf(logiqc.Usage, "the proof cannot be read: %w", err)
	}
	out = verified{KeySource: k.source, Accounts: notCompared, keys: k, place: inProof}
	p, err := ledger.VerifyProof(text, nil, k.origin(), k.verifiers...)
	if err == nil {
		out.Cosigned, err = wantCosigned(p.Checkpoint, f.witnesses)
	}
	if err == nil {
		var e logiqc.Event
		if e, err = logiqc.ParseLeaf(p.Seq, p.Leaf); err == nil {
			out.OK, out.Event, out.Seq = true, &e, &p.Seq
			out.Size, out.Root, out.Checked.Events = p.Head.Size, p.Head.Root.String(), 1
			return out, nil
		}
		err = errors.Join(err, ledger.ErrAltered)
	}
	return out.refuse(context.Background(), nil, err)
}
