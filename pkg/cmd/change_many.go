package cmd

import (
	"context"
	"fmt"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// The outcomes of a change of one account among several.
const (
	outcomeChanged   = "changed"
	outcomeWould     = "would_change"
	outcomeUnchanged = "unchanged"
	outcomeRefused   = "refused"
)

// changeRow is the outcome for one account of several, in JSON.
type changeRow struct {
	Row     int         `json:"row"`
	Input   string      `json:"input"`
	User    string      `json:"user"`
	Outcome string      `json:"outcome"`
	Changed bool        `json:"changed"`
	Code    logiqc.Code `json:"code"`
	logiqc.Replayed
	message string
}

// changeSummary counts outcomes.
type changeSummary struct {
	Changed   int  `json:"changed"`
	Unchanged int  `json:"unchanged"`
	Refused   int  `json:"refused"`
	Failed    int  `json:"failed"`
	Would     *int `json:"would_change,omitempty"` // of a dry run
}

// all changes several accounts in one transaction.
func (c *changer) all(ctx context.Context, refs []string) error {
	if !c.req.Given && !c.req.DryRun {
		preview, err := c.call(ctx, refs, logiqc.Consent{DryRun: true})
		if err != nil {
			return err
		}
		would := 0
		for _, res := range preview {
			if res.Would {
				would++
			}
		}
		if c.req.Consent, err = c.agreeMany(ctx, would, c.dialogMany(would, len(refs))); err != nil {
			return err
		}
	}
	results, err := c.call(ctx, refs, c.req.Consent)
	if err != nil {
		return err
	}
	return c.report(results)
}

// dialogMany asks about several accounts.
func (c *changer) dialogMany(would, total int) ui.Dialog {
	d := ui.Dialog{
		Title: fmt.Sprintf(c.words.ask, counted(would, "account")), Will: c.words.will, WillNot: c.words.willNot,
		Action: "go on",
	}
	if rest := total - would; rest > 0 {
		d.Extra = []string{counted(rest, "other row") + " would be left as they are, or are refused."}
	}
	return d
}

// agreeMany asks for the number of accounts of a run to be typed and returns
// the consent to run with. Where nothing would change there is nothing to
// agree to: then the run is made without consent, which changes nothing but
// records what is refused.
func (a *App) agreeMany(ctx context.Context, would int, d ui.Dialog) (logiqc.Consent, error) {
	if would == 0 {
		return logiqc.Consent{}, nil
	}
	if !a.IO().CanPrompt() {
		return logiqc.Consent{}, logiqc.Errorf(logiqc.ConfirmationRequired,
			"changing %s needs a confirmation; nothing was changed", counted(would, "account")).
			WithHint("run it on a terminal, or add --yes")
	}
	d.TypeToConfirm = number(would)
	return logiqc.Consent{Given: true}, a.agree(ctx, d)
}

// report tells what became of several accounts.
func (c *changer) report(results []logiqc.ChangeResult) error {
	run := newRun[changeRow](c.IO(), c.req.RequestID, []string{"row", "input", "user", "outcome", "changed", "code"},
		func(r changeRow) []string {
			return []string{number(r.Row), r.Input, r.User, r.Outcome, yesNo(r.Changed), string(r.Code)}
		})
	var sum changeSummary
	if c.req.DryRun {
		sum.Would = new(int)
	}
	seen := map[string]bool{}
	for i, res := range results {
		row := changedRow(i+1, res, seen)
		seen[res.Account.ID] = true
		sum.count(row.Outcome)
		if row.Outcome == outcomeRefused {
			run.problem(row.Row, row.Input, row.Outcome, row.Code, row.message)
		}
		if err := run.add(row); err != nil {
			return err
		}
	}
	words := tally{{sum.Changed, c.words.done}, {sum.Unchanged, "unchanged"}, {sum.Refused, "refused"}}
	if sum.Would != nil {
		words[0] = tallied{*sum.Would, "would be " + c.words.done}
	}
	if err := run.close(sum, "", words.String()+". Run "+c.req.RequestID+"."); err != nil {
		return err
	}
	return partial(len(results), sum.Refused, words, c.req.DryRun)
}

// changedRow is the row of one result. An account that an earlier row named is
// a duplicate.
func changedRow(n int, res logiqc.ChangeResult, seen map[string]bool) changeRow {
	row := changeRow{Row: n, Input: res.Input, User: res.User, Outcome: outcomeUnchanged, Changed: res.Changed,
		Replayed: res.Replayed}
	switch {
	case seen[res.Account.ID] && res.Account.ID != "":
		row.Code = logiqc.Duplicate
	case res.Err != nil:
		row.Outcome, row.Code, row.message = outcomeRefused, res.Err.Code, res.Err.Message
	case res.Changed:
		row.Outcome = outcomeChanged
	case res.Would:
		row.Outcome = outcomeWould
	}
	return row
}

func (s *changeSummary) count(outcome string) {
	switch outcome {
	case outcomeChanged:
		s.Changed++
	case outcomeWould:
		*s.Would++
	case outcomeUnchanged:
		s.Unchanged++
	case outcomeRefused:
		s.Refused++
	}
}
