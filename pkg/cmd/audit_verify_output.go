package cmd

import (
	"context"
	"fmt"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// notCompared is what verify says of the accounts.
const notCompared = "not_compared"

// noSignature is what verify says where the folder of keys has signed nothing
// yet, so that a key that was given has nothing to be checked with.
const noSignature = "no signature was checked, as no checkpoint of it has been signed yet: logiqc audit checkpoint"

// place is what was checked.
type place int

const (
	inStore place = iota
	inFolder
	inProof
)

// verified is the answer of `audit verify`.
type verified struct {
	OK         bool            `json:"ok"`
	Problem    ledger.Problem  `json:"problem,omitempty"`
	Seq        *int64          `json:"seq,omitempty"` // the first bad event, where it can be told; of a proof, the event
	Size       int64           `json:"size"`
	Root       string          `json:"root"`
	Checkpoint string          `json:"checkpoint"`
	KeySource  string          `json:"key_source"`
	Checked    verifiedCount   `json:"checked"`
	Since      *logiqc.LogHead `json:"since"`
	Cosigned   []cosignedAt    `json:"cosigned,omitempty"` // by witnesses
	Accounts   string          `json:"accounts"`
	Event      *logiqc.Event   `json:"event,omitempty"` // of a proof
	Warnings   []string        `json:"warnings,omitempty"`

	place  place
	keys   logKeys
	detail string
	signed bool            // a checkpoint of it was proved with the keys
	broken *keptCheckpoint // the one it does not continue
	kept   *keptCheckpoint // the one that the caller kept
	newer  []string        // keys that a key given handed the log over to
}

type verifiedCount struct {
	Events int64 `json:"events"`
}

// take puts what was found into the answer.
func (v *verified) take(r ledger.Report, known []keptCheckpoint) {
	v.OK, v.Problem, v.detail = r.OK, r.Problem, r.Detail
	v.Size, v.Root, v.Checked.Events = r.Size, r.Root.String(), r.Checked
	if r.Seq >= 0 {
		v.Seq = &r.Seq
	}
	v.signed = len(v.keys.verifiers) > 0 && (len(known) > 0 || v.place == inFolder)
	for i, c := range known {
		longer := c.head.Size > r.Size
		if (r.Problem == ledger.Truncated && longer || r.Problem == ledger.Forked && !longer) && v.broken == nil {
			v.broken = &known[i]
		}
	}
}

// refuse is the answer where a checkpoint already was not what it had to be;
// an error that says nothing about the log is returned.
func (v verified) refuse(ctx context.Context, src ledger.Source, err error) (verified, error) {
	problem := ledger.ProblemOf(err)
	if problem == ledger.OK {
		return v, err
	}
	v.Problem, v.detail = problem, err.Error()
	if src != nil {
		head, err := src.Head(ctx)
		if err != nil {
			return v, err
		}
		v.Size, v.Root = head.Size, head.Root.String()
	}
	return v, nil
}

// text tells the finding to a person.
func (v verified) text(io *ui.IO) error {
	switch {
	case !v.OK:
		v.tellProblem(io)
		return nil
	case v.place == inProof:
		io.Answerf("Event %d is in the log of %s, which had %s then.", v.Event.Seq, v.keys.origin(), events(v.Size))
		v.tellCosigned(io)
		return io.Card(eventCard(*v.Event))
	}
	io.Answerf("The log is whole: %s, root %s", events(v.Size), v.Root)
	switch {
	case v.signed:
		io.Answerf("Checked here, on this machine; signed by %s.", v.keys.origin())
	case v.Checkpoint != "":
		io.Answerf("Checked here, on this machine; no key is known to check its checkpoint with.")
	default:
		io.Answerf("Checked here, on this machine; %s", noSignature)
	}
	v.tellCosigned(io)
	if v.Since == nil {
		io.Answerf("It says nothing yet about before today: keep a checkpoint.\n  logiqc audit checkpoint > today.ckpt")
	} else {
		io.Answerf("It has grown from the %s you kept a checkpoint of, and nothing in them was changed.\n"+
			"Their hashes prove that; to read them all again: without --since.", events(v.Since.Size))
	}
	if v.place == inStore {
		io.Answerf("Accounts were not compared with it: logiqc audit reconcile")
	}
	return nil
}

// tellProblem tells what is wrong.
func (v verified) tellProblem(io *ui.IO) {
	io.Answerf("PROBLEM: %s", string(v.Problem))
	if b := v.broken; b != nil {
		at := ""
		if !b.at.IsZero() {
			at = day(b.at)
		}
		io.Answerf("  %-6s  %-11s  %s, root %s", b.what, at, events(b.head.Size), b.head.Root.String())
		io.Answerf("  %-6s  %-11s  %s, root %s", "now", "", events(v.Size), v.Root)
		if v.Problem == ledger.Truncated {
			io.Answerf("  %s missing", eventRange(v.Size, b.head.Size-1))
			return
		}
	}
	if v.Seq != nil {
		io.Answerf("First bad event: %d", *v.Seq)
	}
	if v.broken == nil && v.Root != "" {
		io.Answerf("The log claims %s, root %s", events(v.Size), v.Root)
		io.Answerf("Found right before that: %s", events(v.Checked.Events))
	}
}

// failure is the error that a problem is.
func (v verified) failure() error {
	if v.OK {
		return nil
	}
	hint := "change nothing more; keep the store's files as they are, and tell whoever answers for the log"
	said := "the audit log was changed"
	switch {
	case len(v.newer) > 0:
		said = "the key given was retired, and handed the log over to another"
		hint = "an event that the key given signed names it: --key '" + v.newer[len(v.newer)-1] + "'"
	case v.KeySource == keyPinned && v.kept == nil && (v.Problem == ledger.WrongOrigin || v.Problem == ledger.BadSignature):
		said = "the key that was kept here is not the one of this log"
		hint = "if it was replaced, or the log has a new name, get the new line from whoever answers for the log, and check with it once: " +
			"logiqc audit verify --key VKEY (it is kept then); if not: " + hint
	case v.Problem == ledger.WrongOrigin:
		said, hint = "this is not the log that the key is for", "give the key of this log: its auditor has it"
	case v.Problem == ledger.BadSignature:
		said, hint = "no key given signed this", "give the key of this log, and the one before it if it was replaced; if you did: "+hint
	case v.place == inProof:
		said, hint = "the proof does not hold", "ask for another: logiqc audit prove SEQ"
	case v.broken != nil && v.broken.what == "kept":
		said = "the log is not the one you kept a checkpoint of"
	}
	return logiqc.Errorf(logiqc.Integrity, "%s (%s): %s", said, string(v.Problem), v.detail).WithHint("%s", hint)
}

// events is a number of events for people: "9,310 events".
func events(n int64) string { return counted(int(n), "event") }

// eventRange names events from first to last: "events 9,298–9,309 are".
func eventRange(first, last int64) string {
	if first == last {
		return fmt.Sprintf("event %s is", thousands(int(first)))
	}
	return fmt.Sprintf("events %s–%s are", thousands(int(first)), thousands(int(last)))
}
