package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// The rate at which a plan stops: more than one in tooMany of the accounts tried
// was refused, and at least tooFew.
const (
	tooManyOf = 10
	tooManyIn = 5
)

// fromPlan carries out the JSON of a dry run: exactly the accounts that it says
// would be reset, each only if it is as it was then. The run has the plan's own
// id, so that running it again returns what was done before and does the rest.
func (r *resetter) fromPlan(ctx context.Context, f *resetFlags, args []string) error {
	switch {
	case len(args) > 0 || f.from != "":
		return logiqc.Errorf(logiqc.Usage, "a plan names its users itself: leave the others out")
	case r.at != nil:
		return logiqc.Errorf(logiqc.Usage, "a plan says itself when each account was enrolled: leave --if-enrolled-at out")
	}
	if err := r.checkFlags(true); err != nil {
		return err
	}
	run, rows, err := readPlan(f.plan, r.IO().Stdin(ctx))
	if err != nil {
		return err
	}
	r.plan = rows
	if !r.reset.Remember {
		r.reset.RequestID, r.reset.Remember = run, true
	}
	var targets []logiqc.ResetTarget
	for _, row := range rows {
		if !r.ask && row.Outcome == logiqc.ResetWouldRequest {
			return logiqc.Errorf(logiqc.Usage, "this is a plan of requests for approval").WithHint("logiqc mfa request --plan %s", f.plan)
		}
		if r.planned(row) {
			at := row.EnrolledAt
			targets = append(targets, logiqc.ResetTarget{User: row.ID, IfUsername: row.User, IfEnrolledAt: &at})
		}
	}
	if r.svc, err = r.Service(ctx); err != nil {
		return err
	}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	r.reset.CanAsk = false
	return r.agreeAndRun(ctx, targets)
}

// planned reports whether a row of the plan is to be carried out. What would be
// reset can be asked for too; what was to be asked for is not reset instead.
func (r *resetter) planned(row resetRow) bool {
	return row.Outcome == logiqc.ResetWould || r.ask && row.Outcome == logiqc.ResetWouldRequest
}

// mostPlan bounds a plan, which is read whole.
const mostPlan = 256 << 20

// readPlan reads a plan and checks that its results are those it was made with:
// their hash is beside them. Invalid otherwise.
func readPlan(path string, stdin io.Reader) (run string, rows []resetRow, err error) {
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", nil, logiqc.Errorf(logiqc.Usage, "cannot read the plan: %w", err)
		}
		defer func() { _ = f.Close() }()
		stdin = f
	}
	text, err := io.ReadAll(io.LimitReader(stdin, mostPlan))
	if errors.Is(err, ui.ErrCancelled) {
		return "", nil, err
	}
	if err != nil {
		return "", nil, logiqc.Errorf(logiqc.Usage, "cannot read the plan: %w", err)
	}
	var plan struct {
		Run     string          `json:"run"`
		Results json.RawMessage `json:"results"`
		Plan    string          `json:"plan"`
	}
	how := "make it with: logiqc mfa reset --from FILE --dry-run -o json > plan.json"
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte(bom)), &plan); err != nil || plan.Plan == "" || plan.Results == nil || plan.Run == "" {
		return "", nil, logiqc.Errorf(logiqc.Invalid, "that is no plan: it is the JSON of a dry run of several users").WithHint("%s", how)
	}
	if rows, err = planRows(plan.Results); err != nil {
		return "", nil, logiqc.Errorf(logiqc.Invalid, "the results of the plan cannot be read: %w", err).WithHint("%s", how)
	}
	hash, err := planOf(rows)
	if err == nil && hash != plan.Plan {
		err = logiqc.Errorf(logiqc.Invalid, "the plan was changed after it was made: its results do not have the hash beside them; nothing was reset").
			WithHint("%s", how)
	}
	return plan.Run, rows, err
}

// plannable are the outcomes of a dry run.
var plannable = []logiqc.ResetOutcome{logiqc.ResetWould, logiqc.ResetWouldRequest, logiqc.ResetUnchanged, logiqc.ResetRefused,
	logiqc.ResetIgnored, logiqc.ResetFailed}

// planRows reads the rows of a plan and nothing else: what would not be in the
// hash again is refused.
func planRows(results json.RawMessage) ([]resetRow, error) {
	type planRow struct {
		Row   int    `json:"row"`
		Input string `json:"input"`
		resetOutcome
		dryRow
	}
	dec := json.NewDecoder(bytes.NewReader(results))
	dec.DisallowUnknownFields()
	var read []planRow
	if err := dec.Decode(&read); err != nil {
		return nil, err
	}
	rows := make([]resetRow, len(read))
	for i, p := range read {
		if !slices.Contains(plannable, p.Outcome) {
			return nil, fmt.Errorf("row %d: %q is no outcome of a dry run", p.Row, p.Outcome)
		}
		rows[i] = resetRow{Row: p.Row, Input: p.Input, resetOutcome: p.resetOutcome, dryRow: &p.dryRow}
	}
	return rows, nil
}

// leftAlone tells the rows of the plan that come next and are not carried out;
// with all, those after the last that is, too.
func (t *resetTally) leftAlone(all bool) error {
	for t.n < len(t.plan) && (all || !t.planned(t.plan[t.n])) {
		row := t.plan[t.n]
		t.n++
		if t.planned(row) {
			continue
		}
		if !t.reset.DryRun {
			row.dryRow = nil
		}
		if row.Outcome == logiqc.ResetRefused && slices.Contains(t.ignore, row.Code) {
			row.Outcome = logiqc.ResetIgnored
		}
		t.sum.count(row.Outcome)
		if row.Outcome != logiqc.ResetUnchanged {
			t.out.problem(row.Row, row.Input, string(row.Outcome), row.Code, "refused in the plan already")
		}
		if t.reset.DryRun {
			t.rows = append(t.rows, row)
		}
		if err := t.out.add(row); err != nil {
			return err
		}
	}
	return nil
}

// rate stops a plan when too many of its accounts are refused, which they were
// not when it was made. What an earlier run of it did is not counted.
func (t *resetTally) rate(results []logiqc.ResetResult) error {
	if t.plan == nil || t.reset.DryRun {
		return nil
	}
	for _, res := range results {
		if res.Replayed.Replayed {
			continue
		}
		t.tried++
		t.ignored(&res)
		if res.Outcome == logiqc.ResetRefused || res.Outcome == logiqc.ResetFailed {
			t.bad++
		}
	}
	if t.bad < tooManyIn || t.bad*tooManyOf <= t.tried {
		return nil
	}
	return logiqc.Errorf(logiqc.Partial, "%d of %d accounts were refused, more than one in %d; the rest was not tried", t.bad, t.tried, tooManyOf)
}

// tellCodes shows people the enrolment codes of a run.
func (t *resetTally) tellCodes() error {
	if len(t.issued) == 0 {
		return nil
	}
	table := t.IO().Table(ui.Column{Name: "user", Whole: true}, ui.Column{Name: "enrolment code", Whole: true},
		ui.Column{Name: "good until", Whole: true}, ui.Column{Name: "phone"}, ui.Column{Name: "email"})
	for _, row := range t.issued {
		contact := resetContact{}
		if row.Contact != nil {
			contact = *row.Contact
		}
		if err := table.Row(row.User, row.EnrolmentCode.Code, minute(row.EnrolmentCode.ExpiresAt), contact.Phone, contact.Email); err != nil {
			return err
		}
	}
	return table.Close()
}
