package cmd

import (
	"context"
	"strconv"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
	"github.com/logiqc/logiqc/pkg/ui"
)

// pendingAnswer is the answer of an enrolment that was started.
type pendingAnswer struct {
	State     logiqc.EnrolmentState `json:"state"`
	User      string                `json:"user"`
	Issuer    string                `json:"issuer"`
	Label     string                `json:"label"`
	Secret    string                `json:"secret"`
	URI       string                `json:"uri"`
	Algorithm string                `json:"algorithm"`
	Digits    int                   `json:"digits"`
	Period    int                   `json:"period"`
	ExpiresAt logiqc.Time           `json:"expires_at"`
}

// answerPending answers with a setup key, to the script that asked for it.
func (a *App) answerPending(p logiqc.PendingEnrolment) error {
	out := pendingAnswer{
		State: logiqc.EnrolmentPending, User: p.User, Issuer: p.Issuer, Label: p.Label, Secret: p.Secret.Reveal(),
		URI: p.URI.Reveal(), Algorithm: "SHA1", Digits: totp.Digits, Period: int(totp.Period.Seconds()), ExpiresAt: p.ExpiresAt,
	}
	return a.answer(out, func(io *ui.IO) error {
		return facts(io, "state", string(out.State), "user", out.User, "issuer", out.Issuer, "label", out.Label,
			"secret", out.Secret, "uri", out.URI, "algorithm", out.Algorithm, "digits", strconv.Itoa(out.Digits),
			"period", strconv.Itoa(out.Period), "expires_at", out.ExpiresAt.String())
	})
}

// enrolledAnswer is the answer of a proved enrolment, and of fresh recovery
// codes.
type enrolledAnswer struct {
	State         logiqc.EnrolmentState `json:"state"`
	User          string                `json:"user"`
	RecoveryCodes []string              `json:"recovery_codes"`
	Audit         logiqc.AuditRef       `json:"audit"`
}

// answerEnrolled answers with recovery codes: on a screen of their own where
// somebody is there to read them.
func (a *App) answerEnrolled(ctx context.Context, r logiqc.Enrolled) error {
	out := enrolledAnswer{State: logiqc.EnrolmentEnrolled, User: r.User, RecoveryCodes: revealed(r.RecoveryCodes), Audit: r.Audit}
	return a.answer(out, func(io *ui.IO) error {
		if io.CanPrompt() {
			err := a.showRecoveryCodes(ctx, r)
			io.Answerf("The authenticator app of %s is set up. Event %d.", r.User, r.Audit.Seq)
			return err
		}
		lines := []string{"state", string(out.State), "user", out.User}
		for _, code := range out.RecoveryCodes {
			lines = append(lines, "recovery_code", code)
		}
		return facts(io, append(lines, "event", strconv.FormatInt(r.Audit.Seq, 10))...)
	})
}

// facts writes pairs of label and value, one to a line: whole, and in a pipe
// with a tab between them.
func facts(io *ui.IO, pairs ...string) error {
	table := io.Table(ui.Column{Name: "label", Whole: true}, ui.Column{Name: "value", Whole: true})
	for i := 0; i+1 < len(pairs); i += 2 {
		if io.OutTerminal() {
			io.Answerf("%s: %s", pairs[i], pairs[i+1])
		} else if err := table.Row(pairs[i], pairs[i+1]); err != nil {
			return err
		}
	}
	return table.Close()
}
