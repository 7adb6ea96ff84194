package service

import (
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
		want := store.ColumnsOf(e)
		got, ok := columnsIn(leaf)
		if ok && got != want {
			rt.Fatalf("%s\nread as %+v\nwant    %+v", leaf, got, want)
		}
		if ok {
			read++
		}
		if !indexes(want, 0, leaf) {
			rt.Fatalf("the columns of %s do not fit it", leaf)
		}
		other := want
		other.Code += "x"
		if indexes(other, 0, leaf) {
			rt.Fatalf("other columns fit %s", leaf)
		}
	})
	if read == 0 {
		t.Error("no leaf was read the quick way")
	}
}

// What is not written as leaves are is left to the slow way.
func TestColumnsInOtherLeaves(t *testing.T) {
	leaf, err := logiqc.Body{ID: "1", Time: 1, Action: logiqc.MFAResetDone, Outcome: logiqc.Success, RequestID: "r"}.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := columnsIn(leaf); !ok {
		t.Fatalf("not read: %s", leaf)
	}
	for i := range leaf {
		if c, ok := columnsIn(leaf[:i]); ok {
			t.Errorf("%s read as %+v", leaf[:i], c)
		}
	}
	doubled := append(append([]byte{}, leaf[:len(leaf)-1]...), `,"code":"other"}`...)
	if _, ok := columnsIn(doubled); ok {
		t.Errorf("read: %s", doubled)
	}
}
