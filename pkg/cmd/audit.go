package cmd

import (
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// newAudit groups what is done with the audit log.
func newAudit(a *App) *cobra.Command {
	return group("audit", "Read the audit log, and check that nobody changed it",
		newAuditList(a), newAuditShow(a), newAuditVerify(a), newAuditKey(a), newAuditCheckpoint(a), newAuditProve(a),
		newAuditExport(a), newAuditReconcile(a), newAuditReport(a), newAuditWitness(a), newAuditPush(a))
}

// eventColumns and eventCells are an event in the table.
var eventColumns = []ui.Column{
	{Name: "Seq", Right: true, Whole: true}, {Name: "Time", Whole: true}, {Name: "Action", Whole: true}, {Name: "Outcome", Whole: true},
	{Name: "Actor"}, {Name: "Target"}, {Name: "Why"},
}

// eventCells gives the row of an event: its time as the clock on the wall shows
// it, or in a pipe as machines write it.
func eventCells(io *ui.IO) func(logiqc.Event) []any {
	return func(e logiqc.Event) []any {
		at := e.Time.String()
		if io.OutTerminal() {
			at = local(e.Time, time.DateTime)
		}
		return []any{strconv.FormatInt(e.Seq, 10), at, string(e.Action), outcomeText(e), e.Actor.Who(), e.Target.Username, eventWhy(e)}
	}
}

func outcomeText(e logiqc.Event) ui.Text {
	if e.Outcome == logiqc.Success {
		return ui.Sprintf("%s", string(e.Outcome))
	}
	return ui.Red(string(e.Outcome))
}

// eventWhy is the error code of a refusal, and the reason that was given.
func eventWhy(e logiqc.Event) string {
	switch {
	case e.Code == "":
		return e.Reason
	case e.Reason == "":
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Reason
}

// eventHeader and eventRecord are an event in CSV; details are JSON.
var eventHeader = []string{"seq", "id", "time", "action", "outcome", "actor_kind", "actor_id", "actor_username", "actor_name",
	"actor_for", "os_user", "host", "ip", "app", "target_id", "target_username", "reason", "ticket", "verified_by", "code",
	"details", "request_id"}

func eventRecord(e logiqc.Event) []string {
	return oneLine([]string{
		strconv.FormatInt(e.Seq, 10), e.ID, e.Time.String(), string(e.Action), string(e.Outcome), string(e.Actor.Kind), e.Actor.ID,
		e.Actor.Username, e.Actor.Name, e.Actor.For, e.Actor.OSUser, e.Source.Host, e.Source.IP, e.Source.App, e.Target.ID,
		e.Target.Username, e.Reason, e.Ticket, e.VerifiedBy, string(e.Code), string(detailsJSON(e.Details)), e.RequestID,
	})
}
