package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/ui"
)

const reportLong = `The evidence of a period: whether the log is whole and continues a checkpoint you kept,
whether the accounts are what the log says, resets by day and by operator, what to look
at, and which settings changed. With --dir all of it goes into a folder: report.html to
read, report.json and events.csv for programs, the signed checkpoint, and the log itself
(log/), which anybody with the key can check.

"Look at" is no accusation. It lists resets that fit a pattern: by the one who set the
password, soon after a change of the contact on file, of privileged accounts, never
followed by an enrolment, followed by one from a new host, or repeated.

Exit status: 9 when the log was changed, or accounts are not what it says.`

// reportFlags are the flags of `audit report`.
type reportFlags struct {
	since, until    string
	checkpoint, dir string
	keys            []string
}

// auditReport is the answer of `audit report`.
type auditReport struct {
	Origin   string             `json:"origin"`
	MadeAt   logiqc.Time        `json:"made_at"`
	Log      verified           `json:"log"`
	Accounts *logiqc.Reconciled `json:"accounts"` // null when the log is not whole
	*service.Report
	Written []string `json:"written"`
}

func newAuditReport(a *App) *cobra.Command {
	var f reportFlags
	c := &cobra.Command{
		Use: "report", Short: "The evidence of a period, in one place", Long: reportLong,
		Example: "  logiqc audit report --since 2026-07-01\n" +
			"  logiqc audit report --since 2026-07-01 --checkpoint 2026-07-01.ckpt --key NAME+HASH+KEY --dir fy27",
		RunE: func(c *cobra.Command, _ []string) error {
			if a.IO().Format() == ui.FormatCSV {
				return logiqc.Errorf(logiqc.Usage, "a report is no list").WithHint("--dir DIR writes events.csv")
			}
			since, until, err := f.period(a.Now())
			if err != nil {
				return err
			}
			out, err := a.report(c.Context(), f, since, until)
			if err != nil {
				return err
			}
			if err := a.answer(out, out.text); err != nil {
				return err
			}
			if err := out.Log.failure(); err != nil {
				return err
			}
			return differencesError(out.Accounts.Differences)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.since, "since", "", "the period begins at `TIME`")
	flags.StringVar(&f.until, "until", "", "the period ends before `TIME`")
	flags.StringVar(&f.checkpoint, "checkpoint", "", "prove that the log continues the checkpoint in `FILE`")
	flags.StringArrayVar(&f.keys, "key", nil, "check signatures with this `VKEY`, a line NAME+HASH+KEY")
	flags.StringVar(&f.dir, "dir", "", "write the evidence to this folder")
	return c
}

func (f reportFlags) period(now time.Time) (since, until logiqc.Time, err error) {
	for _, t := range []struct {
		text string
		time *logiqc.Time
	}{{f.since, &since}, {f.until, &until}} {
		if t.text == "" {
			continue
		}
		if *t.time, err = logiqc.ParseTime(t.text, now, time.Local); err != nil {
			return since, until, err
		}
	}
	if until != 0 && until <= since {
		err = logiqc.Errorf(logiqc.Usage, "the period ends before it begins: --since %s --until %s", f.since, f.until)
	}
	return since, until, err
}

// report signs a checkpoint, checks the log and the accounts, and tells what
// the log up to that checkpoint says of the period.
func (a *App) report(ctx context.Context, f reportFlags, since, until logiqc.Time) (out auditReport, err error) {
	audit, e, err := a.evidence(ctx)
	if err != nil {
		return out, err
	}
	k, err := a.keysFor(f.keys, e)
	if err != nil {
		return out, err
	}
	if f.checkpoint != "" { // before anything is written
		if _, err := readCheckpoint(f.checkpoint, k); err != nil && ledger.ProblemOf(err) == ledger.OK {
			return out, err
		}
	}
	folder, err := newReportFolder(f.dir)
	if err != nil {
		return out, err
	}
	cp, err := a.reportCheckpoint(ctx, audit, e, folder)
	if err != nil {
		return out, err
	}
	out = auditReport{Origin: e.Origin, MadeAt: logiqc.At(a.Now()), Written: []string{}}
	out.Log = verified{KeySource: k.source, Checkpoint: cp.Note, Accounts: notCompared, keys: k, place: inStore}
	e.Last.Note, e.Last.At = cp.Note, out.MadeAt
	known, err := knownFrom(e, k)
	if err == nil {
		out.Log, err = a.verifyLog(ctx, logSource{audit}, verifyFlags{kept: f.checkpoint}, known, out.Log)
	} else {
		out.Log, err = out.Log.refuse(ctx, logSource{audit}, err)
	}
	if err != nil || !out.Log.OK {
		return out, err // figures of a log that was changed would mean nothing
	}
	return out, a.fillReport(ctx, audit, service.NewReporter(since, until, time.Local), ledgerHead(cp.LogHead), folder, &out)
}

// reportCheckpoint signs the checkpoint of a report; one with a folder exports
// the log to it.
func (a *App) reportCheckpoint(ctx context.Context, audit logiqc.Audit, e logiqc.Evidence, folder *reportFolder) (logiqc.Checkpoint, error) {
	if folder == nil {
		return audit.SignCheckpoint(ctx)
	}
	x, err := a.export(ctx, audit, e, folder.path("log"))
	if x.refused != nil {
		a.IO().Warnf("a witness refuses this log: %s (logiqc audit push tells more)", logiqc.AsError(x.refused).Message)
	}
	return x.Checkpoint, err
}

// fillReport adds what needs a log that is whole, and writes the folder.
func (a *App) fillReport(ctx context.Context, audit logiqc.Audit, r *service.Reporter, head ledger.Head, folder *reportFolder, out *auditReport) error {
	accounts, err := audit.Reconcile(ctx)
	if err != nil {
		return err
	}
	out.Accounts = &accounts
	out.Log.Accounts = "compared"
	if err := readPeriod(ctx, logSource{audit}, r, head, folder); err != nil {
		return err
	}
	report := r.Report()
	out.Report = &report
	if folder == nil {
		return nil
	}
	return folder.write(out)
}

// readPeriod applies the log to the report, and hands the events of the period
// to the folder. The log is read once more than to check it, and need not come
// from where nobody can change it meanwhile: so it is hashed once more too.
func readPeriod(ctx context.Context, src ledger.Source, r *service.Reporter, head ledger.Head, folder *reportFolder) error {
	var tree ledger.Tree
	err := src.Leaves(ctx, 0, head.Size, func(seq int64, leaf []byte) error {
		tree.Add(leaf)
		e, err := logiqc.ParseLeaf(seq, leaf)
		if err != nil {
			return err
		}
		if r.In(e) {
			if err := folder.event(e); err != nil {
				return err
			}
		}
		return r.Apply(e)
	})
	if ledger.ProblemOf(err) != ledger.OK || err == nil && (tree.Size() != head.Size || tree.Root() != head.Root) {
		return logiqc.Errorf(logiqc.Integrity, "the log is not any more what was checked a moment ago").WithHint("logiqc audit verify")
	}
	return err
}

// grownFrom is the head of the checkpoint that the caller kept, if one was
// given.
func (r auditReport) grownFrom() *ledger.Head {
	if r.Log.kept == nil {
		return nil
	}
	return &r.Log.kept.head
}
