package cmd

import (
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// pushAnswer is the answer of `audit push`.
type pushAnswer struct {
	Checkpoint string `json:"checkpoint"` // with the signatures of the witnesses
	logiqc.LogHead
	Pushed []pushed `json:"pushed"`
}

func (p *push) answer() pushAnswer { return pushAnswer{p.cp.Note, p.cp.LogHead, p.done} }

func (p *push) text(io *ui.IO) error {
	table := io.Table(ui.Column{Name: "To"}, ui.Column{Name: "Outcome", Whole: true}, ui.Column{Name: "Events", Right: true, Whole: true},
		ui.Column{Name: "Note"})
	for _, one := range p.done {
		size := ""
		if one.Code == "" {
			size = number(int(p.cp.Size))
		}
		if err := table.Row(one.To, one.Outcome, size, one.Message); err != nil {
			return err
		}
	}
	return table.Close()
}

// failure is the error that a push is which did not get everywhere: a log that
// somebody has seen otherwise comes before all else.
func (p *push) failure() error {
	var first *pushed
	bad := 0
	for i, one := range p.done {
		if one.Code == "" {
			continue
		}
		bad++
		if first == nil || one.Code == logiqc.Integrity && first.Code != logiqc.Integrity {
			first = &p.done[i]
		}
	}
	switch {
	case first == nil:
		return nil
	case first.Code == logiqc.Integrity || bad == len(p.done):
		return logiqc.Errorf(first.Code, "%s", first.Message).WithHint("%s", first.hint)
	}
	return logiqc.Errorf(logiqc.Partial, "the checkpoint did not get everywhere: %d of %d failed", bad, len(p.done)).WithHint("%s", first.hint)
}
