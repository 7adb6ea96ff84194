package cmd

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

const (
	// eventsForPeople is how many events a list for people shows by itself.
	eventsForPeople = 50
	// followFrom is how many past events --follow begins with.
	followFrom = 10
	// followEvery is how often --follow looks for new events.
	followEvery = time.Second
)

// eventFlags are the flags of `audit list`.
type eventFlags struct {
	query        logiqc.EventQuery
	actions      []string
	since, until string
	limit        int
	follow       bool
}

func newAuditList(a *App) *cobra.Command {
	var f eventFlags
	c := &cobra.Command{
		Use: "list", Short: "List events, newest first",
		Long: "List the events of the audit log, newest first. With --follow, the last ones and then\n" +
			"each as it happens, oldest first, until Ctrl-C.\n\n" +
			"TIME is RFC 3339, a date, or an age such as 24h or 7d. Who is no administrator or\n" +
			"auditor sees the events they may.",
		Example: "  logiqc audit list --user jlee\n" +
			"  logiqc audit list --action mfa.reset,mfa.enrolled --since 7d\n" +
			"  logiqc audit list --outcome denied --follow\n" +
			"  logiqc audit list -o jsonl > events.jsonl",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.complete(c, a.Now()); err != nil {
				return err
			}
			svc, err := a.Service(c.Context())
			if err != nil {
				return err
			}
			if f.follow {
				return a.followEvents(c.Context(), svc, f)
			}
			return a.listEvents(c.Context(), svc, f.query, a.listLimit(c, f.limit, eventsForPeople))
		},
	}
	f.add(c)
	return c
}

// add gives the command its flags.
func (f *eventFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.query.User, "user", "", "only events about or by this `USER`")
	flags.StringVar(&f.query.Target, "target", "", "only events about this `USER`")
	flags.StringVar(&f.query.Actor, "actor", "", "only events by this `USER` or token")
	flags.StringSliceVar(&f.actions, "action", nil, "only these actions, a `LIST` such as mfa.reset,signin.failed")
	enumFlag(c, &f.query.Outcome, "outcome", "only events that ended so", logiqc.Success, logiqc.Denied, logiqc.Failed)
	flags.StringVar(&f.since, "since", "", "only events from `TIME` on")
	flags.StringVar(&f.until, "until", "", "only events before `TIME`")
	flags.StringVar(&f.query.RequestID, "request", "", "only events of the request with this `ID`")
	flags.IntVar(&f.limit, "limit", 0, "at most `N` events (50 on a terminal, otherwise all)")
	flags.StringVar(&f.query.Cursor, "cursor", "", "go on where an earlier list was cut")
	flags.BoolVar(&f.follow, "follow", false, "go on with new events as they happen, until Ctrl-C")
	_ = c.RegisterFlagCompletionFunc("action", cobra.FixedCompletions(actionNames(), cobra.ShellCompDirectiveNoFileComp))
}

func actionNames() []string {
	names := make([]string, len(logiqc.Actions))
	for i, action := range logiqc.Actions {
		names[i] = string(action)
	}
	return names
}

// complete makes the query of what was typed.
func (f *eventFlags) complete(c *cobra.Command, now time.Time) (err error) {
	if f.follow && (f.query.Cursor != "" || f.until != "") {
		return logiqc.Errorf(logiqc.Usage, "--follow goes on for ever: it takes neither --until nor --cursor")
	}
	for _, name := range f.actions {
		if !slices.Contains(logiqc.Actions, logiqc.Action(name)) {
			return logiqc.Errorf(logiqc.Usage, "%q is no action", name).WithHint("one of %s", joined(logiqc.Actions, ", "))
		}
		f.query.Actions = append(f.query.Actions, logiqc.Action(name))
	}
	for _, t := range []struct {
		text string
		time *logiqc.Time
	}{{f.since, &f.query.Since}, {f.until, &f.query.Until}} {
		if t.text == "" {
			continue
		}
		if *t.time, err = logiqc.ParseTime(t.text, now, time.Local); err != nil {
			return err
		}
	}
	return checkLimit(c, f.limit)
}

// listEvents writes the events that a query selects, page by page, at most
// limit of them unless that is 0.
func (a *App) listEvents(ctx context.Context, svc logiqc.Service, q logiqc.EventQuery, limit int) error {
	io := a.IO()
	out := list(io, eventColumns, eventCells(io), eventHeader, eventRecord)
	next, err := out.pages(q.Cursor, limit, func(cursor string, size int) ([]logiqc.Event, string, error) {
		q.Cursor, q.Limit = cursor, size
		page, err := svc.Events(ctx, q)
		return page.Events, page.Next, err
	})
	if err != nil {
		return err
	}
	if next != "" {
		io.Hintf("more: --cursor %s", next)
	} else if out.n == 0 && io.Format() == ui.FormatText {
		io.Notef("No event matches.")
	}
	return nil
}

// followEvents writes the last events and then each new one, until the context
// ends; that is how it is meant to end.
func (a *App) followEvents(ctx context.Context, svc logiqc.Service, f eventFlags) error {
	out := list(a.IO(), eventColumns, eventCells(a.IO()), eventHeader, eventRecord)
	last := int64(-1)
	if f.since == "" || f.limit > 0 {
		recent := f.query
		if recent.Limit = f.limit; recent.Limit == 0 {
			recent.Limit = followFrom
		}
		page, err := svc.Events(ctx, recent)
		if err != nil {
			return err
		}
		slices.Reverse(page.Events)
		if err := out.addAll(page.Events); err != nil {
			return err
		}
		if n := len(page.Events); n > 0 {
			last = page.Events[n-1].Seq
		}
	}
	err := a.pollEvents(ctx, svc, f.query, last, out)
	if ctx.Err() != nil {
		err = nil
	}
	if closing := out.Close(); err == nil {
		err = closing
	}
	return err
}

// pollEvents writes every event after last, for ever.
func (a *App) pollEvents(ctx context.Context, svc logiqc.Service, q logiqc.EventQuery, last int64, out *rows[logiqc.Event]) error {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		q.After = &last
		page, err := svc.Events(ctx, q)
		if err != nil {
			return err
		}
		if err := out.addAll(page.Events); err != nil {
			return err
		}
		if n := len(page.Events); n > 0 {
			last = page.Events[n-1].Seq
		}
		if page.Next != "" {
			continue
		}
		if err := out.flush(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
