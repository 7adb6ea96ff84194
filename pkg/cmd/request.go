package cmd

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// requestFlags are what commands that change something have in common.
type requestFlags struct {
	yes, dryRun  bool
	requestID    string
	reason       string
	ticket       string
	verifiedBy   string
	confirmation bool // the command asks before it acts
}

// addRequestFlags gives a command the flags of a change; one that asks before
// it acts gets --yes too.
func addRequestFlags(c *cobra.Command, asks bool) *requestFlags {
	f := &requestFlags{confirmation: asks}
	if asks {
		c.Flags().BoolVarP(&f.yes, "yes", "y", false, "answer the question with yes")
	}
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would happen, change nothing")
	c.Flags().StringVar(&f.requestID, "request-id", "", "make a retry with the same `ID` return the first outcome")
	return f
}

// addReason gives the command --reason.
func (f *requestFlags) addReason(c *cobra.Command) {
	c.Flags().StringVar(&f.reason, "reason", "", "why, for the audit log")
}

// addTicket gives the command --ticket.
func (f *requestFlags) addTicket(c *cobra.Command) {
	c.Flags().StringVar(&f.ticket, "ticket", "", "the ticket this belongs to")
}

// request makes the request of one call. canAsk says that a dialog can follow.
func (f *requestFlags) request(canAsk bool) (logiqc.Request, error) {
	r := logiqc.Request{RequestID: f.requestID, Remember: f.requestID != "", Reason: f.reason, Ticket: f.ticket,
		VerifiedBy: f.verifiedBy}
	if r.RequestID == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return r, fmt.Errorf("make a request id: %w", err)
		}
		r.RequestID = id.String()
	}
	r.Consent = logiqc.Consent{DryRun: f.dryRun, Given: f.yes || !f.confirmation, CanAsk: canAsk && !f.yes}
	return r, r.Check()
}
