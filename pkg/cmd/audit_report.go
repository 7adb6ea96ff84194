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
	Origin   string          `json:"origin"`
	MadeAt   logiqc.Time     `json:"made_at"`
	Log      verified        `json:"log"`
	Accounts *accountsReport `json:"accounts"` // null when the log is not whole
	*service.Report
	Written []string `json:"written"`
}

// accountsReport is the outcome of reconciling.
type accountsReport struct {
	Compared    int                  `json:"compared"`
	Differences []service.Difference `json:"differences"`
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
	desk, actor, err := a.Direct(ctx)
	if err != nil {
		return out, err
	}
	e, err := desk.Evidence(ctx, actor)
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
	cp, err := a.reportCheckpoint(ctx, desk, actor, folder)
	if err != nil {
		return out, err
	}
	out = auditReport{Origin: e.Origin, MadeAt: logiqc.At(a.Now()), Written: []string{}}
	out.Log = verified{KeySource: k.source, Checkpoint: cp.Note, Accounts: notCompared, keys: k, place: inStore}
	e.Last.Note, e.Last.At = cp.Note, out.MadeAt
	known, err := knownFrom(e, k)
	if err == nil {
		out.Log, err = a.verifyLog(ctx, desk.Source(), verifyFlags{kept: f.checkpoint}, known, out.Log)
	} else {
		out.Log, err = out.Log.refuse(ctx, desk.Source(), err)
	}
	if err != nil || !out.Log.OK {
		return out, err // figures of a log that was changed would mean nothing
	}
	return out, a.fillReport(ctx, desk, service.NewReporter(since, until, time.Local), cp.Head.Size, folder, &out)
}

// reportCheckpoint signs the checkpoint of a report; one with a folder exports
// the log to it.
func (a *App) reportCheckpoint(ctx context.Context, desk *service.Desk, by logiqc.Actor, folder *reportFolder) (service.Checkpoint, error) {
	if folder == nil {
		return desk.Checkpoint(ctx, by)
	}
	x, _, err := a.export(ctx, desk, by, folder.path("log"))
	return x.Checkpoint, err
}

// fillReport adds what needs a log that is whole, and writes the folder.
func (a *App) fillReport(ctx context.Context, desk *service.Desk, r *service.Reporter, size int64, folder *reportFolder, out *auditReport) error {
	compared, diffs, err := desk.Reconcile(ctx)
	if err != nil {
		return err
	}
	out.Accounts = &accountsReport{compared, diffs}
	out.Log.Accounts = "compared"
	report, err := desk.Report(ctx, r, size, folder.event)
	if err != nil {
		return err
	}
	out.Report = &report
	if folder == nil {
		return nil
	}
	return folder.write(out)
}

// grownFrom is the head of the checkpoint that the caller kept, if one was
// given.
func (r auditReport) grownFrom() *ledger.Head {
	if r.Log.kept == nil {
		return nil
	}
	return &r.Log.kept.head
}
