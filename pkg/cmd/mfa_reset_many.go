package cmd

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// resetBatch is how many accounts the first transaction of a run resets, so that
// its outcomes are soon told; the next ones take twice as many each, up to
// resetBatchMost, which is faster and holds others up for a moment only. codeBatch
// is for runs that make enrolment codes, which takes a while each, and for plans,
// which stop when too much goes wrong.
const (
	resetBatch     = 500
	resetBatchMost = 8000
	codeBatch      = 50
)

// resetSummary counts the outcomes of a run.
type resetSummary struct {
	Reset     int  `json:"reset"`
	Unchanged int  `json:"unchanged"`
	Refused   int  `json:"refused"`
	Ignored   int  `json:"ignored"`
	Failed    int  `json:"failed"`
	Would     *int `json:"would_reset,omitempty"` // of a dry run
	// Of a run of requests for approval.
	Requested    *int `json:"requested,omitempty"`
	WouldRequest *int `json:"would_request,omitempty"`
}

// newSummary counts nothing yet.
func (r *resetter) newSummary(dry bool) (s resetSummary) {
	switch {
	case r.ask && dry:
		s.WouldRequest = new(int)
	case r.ask:
		s.Requested = new(int)
	case dry:
		s.Would = new(int)
	}
	return s
}

// would is how many a dry run found that there is something to do for.
func (s resetSummary) would() int {
	if s.WouldRequest != nil {
		return *s.WouldRequest
	}
	return *s.Would
}

// all resets several accounts, batch by batch. Without --yes it first looks at
// all of them and asks; what was looked at is then what is reset.
func (r *resetter) all(ctx context.Context, refs []string) error {
	targets := make([]logiqc.ResetTarget, len(refs))
	for i, ref := range refs {
		targets[i] = logiqc.ResetTarget{User: ref, IfEnrolledAt: r.at}
	}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	r.reset.CanAsk = false // nobody types hundreds of usernames
	return r.agreeAndRun(ctx, targets)
}

// agreeAndRun asks, unless that was answered, and runs.
func (r *resetter) agreeAndRun(ctx context.Context, targets []logiqc.ResetTarget) error {
	if !r.reset.Given && !r.reset.DryRun {
		if err := r.agreeAll(ctx, targets); err != nil {
			return err
		}
	}
	return r.run(ctx, targets)
}

// prepare finds out whether there will be enrolment codes, and asks what the
// policy wants to know about a run.
func (r *resetter) prepare(ctx context.Context) error {
	by := r.svc.Actor()
	r.codes = r.reset.EnrolmentCode || !by.May(logiqc.UsersRead)
	if !by.May(logiqc.MFAReset) || !by.May(logiqc.UsersRead) {
		return nil // the service refuses, or is asked to by a token that reads nothing
	}
	p, err := r.svc.Policy(ctx)
	if err != nil {
		return err
	}
	r.codes = r.codes || p.EnrolmentCode != logiqc.CodeOff
	if !r.reset.WillAsk(by) || r.reset.DryRun {
		return nil
	}
	return r.askGrounds(ctx, r.svc, nil, &r.reset.Request, "Reset MFA of several accounts")
}

// agreeAll looks at all accounts, asks, and notes in targets what was seen.
func (r *resetter) agreeAll(ctx context.Context, targets []logiqc.ResetTarget) error {
	sum, n := r.newSummary(true), 0
	for _, row := range r.plan {
		if !r.planned(row) {
			sum.count(row.Outcome)
		}
	}
	err := r.batches(ctx, targets, logiqc.Consent{DryRun: true}, func(results []logiqc.ResetResult) error {
		for _, res := range results {
			r.ignored(&res)
			sum.count(res.Outcome)
			targets[n].Shown = res.Shown
			n++
		}
		return nil
	})
	if err != nil {
		return r.refusedWhole(ctx, targets, err)
	}
	d := ui.Dialog{
		Title:   "Reset MFA for " + counted(sum.would(), "account") + "?",
		Will:    []string{"remove their authenticator links and recovery codes", "end their sessions", "let whoever has the password enrol at the next sign-in"},
		WillNot: []string{"change passwords, statuses, toggles or the policy"},
	}
	if r.reset.KeepSessions {
		d.Will = slices.Delete(d.Will, 1, 2)
	}
	if r.reset.Hold {
		d.Will = append(d.Will, "hold their sign-in until users unlock")
	}
	if r.ask {
		d.Title = "Ask to reset MFA for " + counted(sum.would(), "account") + "?"
		d.Will = append([]string{"ask a second operator to approve, within an hour, each by itself"}, d.Will...)
	}
	if rest := sum.words()[1:].some(); rest != "" {
		d.Extra = []string{"Left alone: " + rest + "."}
	}
	r.reset.Consent, err = r.agreeMany(ctx, sum.would(), d)
	return err
}

// refusedWhole returns the error of a preview. A dry run leaves no trace of a
// rule that refuses the run as a whole, so the same is asked for once more,
// without consent to anything, for the audit log.
func (r *resetter) refusedWhole(ctx context.Context, targets []logiqc.ResetTarget, err error) error {
	if e := logiqc.AsError(err); !e.Recorded() || e.Code == logiqc.Forbidden {
		return err
	}
	again := r.batches(ctx, targets, logiqc.Consent{}, func([]logiqc.ResetResult) error { return nil })
	return cmp.Or(again, err)
}

// batches makes the calls of a run in order and hands on what each answers. It
// stops at the first that fails.
func (r *resetter) batches(ctx context.Context, targets []logiqc.ResetTarget, consent logiqc.Consent, took func([]logiqc.ResetResult) error) error {
	reset := r.reset
	reset.Consent, reset.Total = consent, len(targets)
	before := dealtWith{}
	progress := r.IO().Progress(int64(len(targets)), "accounts")
	defer progress.Done()
	size, most := resetBatch, resetBatchMost
	if r.codes || r.plan != nil {
		size, most = codeBatch, codeBatch
	}
	for ; len(targets) > 0; size = min(2*size, most) {
		batch := targets[:min(size, len(targets))]
		targets = targets[len(batch):]
		reset.Users, reset.Seen = batch, before.among(batch)
		results, err := r.send(ctx, reset)
		if err != nil {
			return err
		}
		for _, res := range results {
			before.add(res.Account)
		}
		if err := took(results); err != nil {
			return err
		}
		progress.Add(int64(len(batch)))
		reset.Batch++
	}
	return nil
}

// dealtWith are the ids of the accounts that a run has dealt with, by all that
// they can be named by.
type dealtWith map[string]string

// add notes an account, unless it is nil.
func (d dealtWith) add(acct *logiqc.Account) {
	if acct == nil {
		return
	}
	for _, name := range []string{acct.Username, acct.Email, acct.ID} {
		d[logiqc.Key(name)] = acct.ID
	}
}

// among are those that targets name again. Sent with every batch, all of a long
// run would not fit into a request.
func (d dealtWith) among(targets []logiqc.ResetTarget) (ids []string) {
	for _, target := range targets {
		if id, ok := d[logiqc.Key(target.User)]; ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// run resets the accounts and tells each outcome once it is committed. When the
// store fails on the way, what is left has failed; when it fails at once,
// nothing has been done and the failure is all there is to tell.
func (r *resetter) run(ctx context.Context, targets []logiqc.ResetTarget) error {
	t := &resetTally{resetter: r, out: newRun(r.IO(), r.reset.RequestID, r.header(), r.record)}
	t.sum = r.newSummary(r.reset.DryRun)
	err := r.batches(ctx, targets, r.reset.Consent, func(results []logiqc.ResetResult) error {
		for _, res := range results {
			if err := t.add(res); err != nil {
				return &answerError{err}
			}
		}
		return t.rate(results)
	})
	var lost *answerError
	switch {
	case errors.As(err, &lost):
		return lost.error
	case err != nil && t.n == 0:
		return err
	case err != nil:
		t.stopped = asError(ctx, err)
		if err := t.rest(targets[t.done:]); err != nil {
			return err
		}
	}
	if err := t.leftAlone(true); err != nil {
		return err
	}
	return t.close(t.n)
}

// answerError is a failure to tell an outcome, not to bring it about.
type answerError struct{ error }

// resetTally is a run's answer with what it has come to so far.
type resetTally struct {
	*resetter
	out         *bulkRun[resetRow]
	sum         resetSummary
	n           int        // rows told
	done        int        // of them, those that were tried
	first, last int64      // events
	rows        []resetRow // of a dry run
	stopped     *logiqc.Error
	issued      []resetRow // with enrolment codes, for people
	tried, bad  int        // of a plan
}

// add takes the next result.
func (t *resetTally) add(res logiqc.ResetResult) error {
	if err := t.leftAlone(false); err != nil {
		return err
	}
	if t.plan != nil {
		res.Input = t.plan[t.n].Input
	}
	t.ignored(&res)
	t.sum.count(res.Outcome)
	t.n++
	t.done++
	row := t.row(t.n, res)
	if row.EnrolmentCode != nil && t.IO().Format() == ui.FormatText {
		t.issued = append(t.issued, row)
	}
	if res.Audit != nil {
		if t.first == 0 {
			t.first = res.Audit.Seq
		}
		t.last = res.Audit.Seq
	}
	switch res.Outcome {
	case logiqc.ResetRefused, logiqc.ResetFailed, logiqc.ResetIgnored:
		t.out.problem(row.Row, row.Input, string(row.Outcome), row.Code, res.Err.Message)
	}
	if t.reset.DryRun {
		t.rows = append(t.rows, row)
	}
	return t.out.add(row)
}

// rest takes the accounts that were left undone when the run stopped.
func (t *resetTally) rest(targets []logiqc.ResetTarget) error {
	for _, target := range targets {
		res := logiqc.ResetResult{Input: target.User, Outcome: logiqc.ResetFailed, Err: t.stopped}
		if err := t.add(res); err != nil {
			return err
		}
	}
	return nil
}

// close ends the answer.
func (t *resetTally) close(total int) error {
	words := t.sum.words()
	text := words.String() + ". "
	switch {
	case t.last > t.first:
		text += "Events " + number(int(t.first)) + "–" + number(int(t.last)) + ", run "
	case t.last > 0:
		text += "Event " + number(int(t.last)) + ", run "
	default:
		text += "Run "
	}
	plan := ""
	if t.reset.DryRun {
		var err error
		if plan, err = planOf(t.rows); err != nil {
			return err
		}
	}
	if err := t.tellCodes(); err != nil {
		return err
	}
	if err := t.out.close(t.sum, plan, text+t.reset.RequestID+"."); err != nil {
		return err
	}
	if t.sum.Reset > 0 && t.IO().Format() == ui.FormatText {
		t.IO().Notef("None of them has been notified: logiqc users find --awaiting-enrolment, or -o csv next time, tells how to reach them.")
	}
	if t.sum.Requested != nil && t.IO().Format() == ui.FormatText {
		t.IO().Notef("They wait for a second operator: logiqc mfa approve --run %s", t.reset.RequestID)
	}
	err := partial(total, t.sum.Refused+t.sum.Failed, words, t.reset.DryRun)
	if t.stopped != nil {
		return logiqc.Errorf(logiqc.Partial, "%w. The run stopped half way: %s", err, t.stopped.Message).
			WithHint("what was done: logiqc audit list --request %s", t.reset.RequestID)
	}
	return err
}

// planOf is the SHA-256 of the results of a dry run, as compact JSON without
// HTML escapes, in hex.
func planOf(rows []resetRow) (string, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(rows); err != nil {
		return "", err
	}
	sum := sha256.Sum256(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
	return hex.EncodeToString(sum[:]), nil
}

func (s *resetSummary) count(outcome logiqc.ResetOutcome) {
	switch outcome {
	case logiqc.ResetDone:
		s.Reset++
	case logiqc.ResetWould:
		*s.Would++
	case logiqc.ResetRequested:
		*s.Requested++
	case logiqc.ResetWouldRequest:
		*s.WouldRequest++
	case logiqc.ResetUnchanged:
		s.Unchanged++
	case logiqc.ResetRefused:
		s.Refused++
	case logiqc.ResetIgnored:
		s.Ignored++
	case logiqc.ResetFailed:
		s.Failed++
	}
}

// words is the summary for people.
func (s *resetSummary) words() tally {
	first := tallied{s.Reset, "reset"}
	switch {
	case s.Would != nil:
		first = tallied{*s.Would, "would reset"}
	case s.Requested != nil:
		first = tallied{*s.Requested, "asked for"}
	case s.WouldRequest != nil:
		first = tallied{*s.WouldRequest, "would be asked for"}
	}
	return tally{first, {s.Unchanged, "unchanged"}, {s.Refused, "refused"}, {s.Ignored, "ignored"}, {s.Failed, "failed"}}
}
