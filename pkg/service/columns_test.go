package service

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// anyEvent draws an event with every kind of text in it, or with plain text
// alone, as most have.
func anyEvent(rt *rapid.T) logiqc.Event {
	plain := rapid.Bool().Draw(rt, "plain")
	text := func(name string) string {
		if plain {
			return rapid.StringMatching(`[A-Za-z0-9._-]{0,12}`).Draw(rt, name)
		}
		return rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[A-Za-z0-9._-]{1,12}`), rapid.String(),
			rapid.SampledFrom([]string{`"`, `\`, `},"code":"x`, "Inês", "a\nb", `","request_id":"`})).Draw(rt, name)
	}
	return logiqc.Event{Body: logiqc.Body{
		ID: text("id"), Time: logiqc.Time(rapid.Int64Range(1, 1<<42).Draw(rt, "time")), Action: logiqc.Action(text("action")),
		Outcome: logiqc.Outcome(text("outcome")),
		Actor: logiqc.EventActor{Kind: logiqc.ActorKind(text("kind")), ID: text("actor"), Username: text("actor username"),
			Name: text("name"), For: text("for"), OSUser: text("os user")},
		Source: logiqc.EventSource{Host: text("host"), IP: text("ip"), App: text("app")},
		Target: logiqc.Target{ID: text("target"), Username: text("username")},
		Reason: text("reason"), Ticket: text("ticket"), VerifiedBy: text("verified by"), Code: logiqc.Code(text("code")),
		Details: logiqc.Details{Name: text("detail"), Account: &logiqc.Snapshot{Name: text("inner")}}, RequestID: text("request"),
	}}
}

// The quick reading of a leaf either says what decoding it says, or nothing.
func TestColumnsInLeaf(t *testing.T) {
	read := 0
	rapid.Check(t, func(rt *rapid.T) {
		leaf, err := anyEvent(rt).Leaf()
		if err != nil {
			rt.Fatal(err)
		}
		e, err := logiqc.ParseLeaf(0, leaf)
		if err != nil {
			rt.Fatal(err)
		}
		cols := store.ColumnsOf(e)
		want := cols.AppendIndex(nil)
		if fitsAsWritten(want, leaf) {
			read++
		}
		if !fits(want, 0, leaf) {
			rt.Fatalf("the columns of %s do not fit it", leaf)
		}
		other := anyColumns(rt, cols).AppendIndex(nil)
		if fits(other, 0, leaf) != bytes.Equal(other, want) {
			rt.Fatalf("the columns %q fit %s, or do not", other, leaf)
		}
	})
	if read == 0 {
		t.Error("no leaf was read the quick way")
	}
}

// anyColumns draws columns that differ from others in one, or in none.
func anyColumns(rt *rapid.T, c store.EventColumns) *store.EventColumns {
	text := rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[A-Za-z"\\,:]{0,3}`), rapid.Just("\xff"), rapid.Just("x\xffy"),
		rapid.SampledFrom([]string{c.ID, c.ActorUsername, c.TargetUsername, c.RequestID}))
	columns := []*string{&c.ID, (*string)(&c.Action), (*string)(&c.Outcome), (*string)(&c.ActorKind), &c.ActorID, &c.ActorUsername,
		&c.ActorName, &c.ActorFor, &c.TargetID, &c.TargetUsername, (*string)(&c.Code), &c.RequestID}
	if at := rapid.IntRange(0, len(columns)).Draw(rt, "which column"); at < len(columns) {
		*columns[at] = text.Draw(rt, "column")
	} else {
		c.Time += logiqc.Time(rapid.Int64Range(-1, 1).Draw(rt, "time column"))
	}
	return &c
}

// What is not written as leaves are is left to the slow way.
func TestColumnsInOtherLeaves(t *testing.T) {
	e := logiqc.Event{Body: logiqc.Body{ID: "1", Time: 1, Action: logiqc.MFAResetDone, Outcome: logiqc.Success, RequestID: "r"}}
	leaf, err := e.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	cols := store.ColumnsOf(e)
	index := cols.AppendIndex(nil)
	if !fitsAsWritten(index, leaf) {
		t.Fatalf("does not fit %q: %s", index, leaf)
	}
	for i := range leaf {
		if fitsAsWritten(index, leaf[:i]) {
			t.Errorf("fits: %s", leaf[:i])
		}
	}
	for i := range index {
		if fitsAsWritten(index[:i], leaf) {
			t.Errorf("fits: %q", index[:i])
		}
	}
	doubled := append(append([]byte{}, leaf[:len(leaf)-1]...), `,"code":"other"}`...)
	if fitsAsWritten(index, doubled) || fitsAsWritten(append(index, store.IndexMark), leaf) {
		t.Errorf("fits with more behind it: %s", doubled)
	}
}
