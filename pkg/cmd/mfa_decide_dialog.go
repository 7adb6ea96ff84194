package cmd

import (
	"slices"
	"strings"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// decideDialog asks what to do with the request that a preview of a decision
// shows: about a reset, which can be approved or rejected, or only to reject
// it.
func decideDialog(out logiqc.Decided, store string, now time.Time) ui.Dialog {
	r := out.Approval
	asked := []ui.Fact{
		{Label: "Asked by", Value: r.RequestedBy + ", " + ago(r.RequestedAt, now) + ", open until " + local(r.ExpiresAt, "15:04")},
		{Label: "Because", Value: grounds(r)},
	}
	if out.Reset == nil {
		return ui.Dialog{
			Title: "Reject the MFA reset for " + r.Account.DisplayName() + "?", Facts: append(whoFacts(r.Account), asked...),
			Will: []string{"close the request"}, WillNot: []string{"reset or change anything"},
			Affirmative: "Reject", Negative: "Leave it open", Word: "reject", Action: "reject", Decline: "leave it open",
		}
	}
	preview := *out.Reset
	preview.Account, preview.Approval = &r.Account, &r
	d := resetDialog(preview, store, r.KeepSessions, now)
	d.Title, d.TypeToConfirm = "Approve an MFA reset for "+r.Account.DisplayName()+"?", ""
	// First what a small window has to show: the request, and whether the number to
	// call back can be relied on.
	isCall := func(f ui.Fact) bool { return f.Label == "Call back" }
	if i := slices.IndexFunc(d.Facts, isCall); i >= 0 {
		asked = append(asked, d.Facts[i])
	}
	d.Facts = append(asked, slices.DeleteFunc(d.Facts, isCall)...)
	for _, other := range r.Others {
		d.Warnings = append(d.Warnings, other.RequestedBy+" has asked for it too ("+strings.ToUpper(other.Short)+"); approving this makes that void.")
	}
	d.Affirmative, d.Other, d.Negative = "Approve", "Reject", "Leave it open"
	d.Word, d.Action, d.OtherWord, d.OtherAction, d.Decline = "approve", "approve", "reject", "reject", "leave it open"
	return d
}
