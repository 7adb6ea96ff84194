package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

func newAuditShow(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "show SEQ", Short: "Show one event in full",
		Long:    "Show everything the audit log says about one event. SEQ is its number, from 0 on.",
		Example: "  logiqc audit show 42\n  logiqc audit show 42 -o json",
		Args:    exactly(1, "the number of one event"),
		RunE: func(c *cobra.Command, args []string) error {
			seq, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || seq < 0 {
				return logiqc.Errorf(logiqc.Usage, "%q is not the number of an event", args[0]).WithHint("logiqc audit list")
			}
			svc, err := a.Service(c.Context())
			if err != nil {
				return err
			}
			e, err := svc.EventAt(c.Context(), seq)
			if err != nil {
				return err
			}
			return a.answer(e, func(io *ui.IO) error { return io.Card(eventCard(e)) })
		},
	}
}

// eventCard is an event for people; what it does not say is left out.
func eventCard(e logiqc.Event) ui.Card {
	var rows []ui.CardRow
	add := func(label, value string) {
		if value != "" {
			rows = append(rows, ui.CardRow{Label: label, Value: value})
		}
	}
	add("Time", local(e.Time, "2 Jan 2006 15:04:05.000 MST"))
	add("Actor", withID(e.Actor.Who(), e.Actor.ID))
	if e.Actor.Kind != logiqc.System {
		add("OS user", e.Actor.OSUser)
	}
	add("Host", e.Source.Host)
	add("Address", e.Source.IP)
	add("Application", e.Source.App)
	add("Target", withID(e.Target.Username, e.Target.ID))
	add("Error code", string(e.Code))
	add("Reason", e.Reason)
	add("Ticket", e.Ticket)
	add("Verified by", e.VerifiedBy)
	add("Request", e.RequestID)
	add("Id", e.ID)
	card := ui.Card{Title: fmt.Sprintf("Event %d: %s", e.Seq, e.Action), Status: string(e.Outcome), Sections: []ui.Section{{Rows: rows}}}
	if details := detailRows(e.Details); len(details) > 0 {
		card.Sections = append(card.Sections, ui.Section{Name: "Details", Rows: details})
	}
	return card
}

func withID(name, id string) string {
	if id == "" || name == "" {
		return name + id
	}
	return name + " · " + id
}

// detailsJSON is what an event says beyond its common fields.
func detailsJSON(d logiqc.Details) json.RawMessage {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil { //nolint:gosec // no secret: Password is the digest of a hash, as the log has it
		return json.RawMessage("{}") // a struct of plain fields always encodes
	}
	return bytes.TrimSpace(buf.Bytes())
}

// detailRows are the details that an event has, in their order.
func detailRows(d logiqc.Details) (rows []ui.CardRow) {
	dec := json.NewDecoder(bytes.NewReader(detailsJSON(d)))
	if _, err := dec.Token(); err != nil {
		return nil
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return rows
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return rows
		}
		text := string(value)
		if s := ""; json.Unmarshal(value, &s) == nil {
			text = s
		}
		rows = append(rows, ui.CardRow{Label: strings.ReplaceAll(fmt.Sprint(key), "_", " "), Value: text})
	}
	return rows
}
