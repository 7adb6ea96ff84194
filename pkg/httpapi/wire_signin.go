package httpapi

import (
	"net/netip"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// The paths of a sign-in. {attempt} is the attempt's own token, which nobody
// can guess and which is of no use once the sign-in is done; or, so that it
// stands in no address, currentAttempt with the token in attemptHeader.
const (
	signinPath     = "/v1/signin"
	attemptPath    = signinPath + "/{attempt}"
	currentAttempt = "current"
	attemptHeader  = "Logiqc-Attempt"
	sessionPath    = "/v1/session"
)

// The headers in which a client says where it runs. They are its claims.
const (
	hostHeader   = "Logiqc-Host"
	osUserHeader = "Logiqc-Os-User"
)

// client is where a sign-in comes from that an application passes on.
type client struct {
	IP   string `json:"ip,omitempty"`
	Host string `json:"host,omitempty"`
}

// source is where the client is; nowhere for nil.
func (c *client) source() (src logiqc.Source, err error) {
	if c == nil {
		return src, nil
	}
	if c.IP != "" {
		ip, err := netip.ParseAddr(c.IP)
		if err != nil {
			return src, logiqc.Errorf(logiqc.Invalid, "client.ip is no address")
		}
		src.IP = ip.Unmap().WithZone("").String()
	}
	src.Host = c.Host
	return src, logiqc.CheckText("client.host", c.Host, logiqc.MaxName)
}

// toClient is the other way round.
func toClient(src logiqc.Source) *client {
	if src.IP == "" && src.Host == "" {
		return nil
	}
	return &client{IP: src.IP, Host: src.Host}
}

// factorCheck is [logiqc.FactorCheck].
type factorCheck struct {
	User         string  `json:"user" required:"true" doc:"A username, an email or an id"`
	Code         string  `json:"code,omitempty" doc:"An app code"`
	RecoveryCode string  `json:"recovery_code,omitempty" doc:"Instead of an app code"`
	Client       *client `json:"client,omitempty" doc:"Where the user is"`
}

func toFactorCheck(r logiqc.FactorCheck) factorCheck {
	return factorCheck{User: r.User, Code: r.Code, RecoveryCode: r.RecoveryCode.Reveal(), Client: toClient(r.From)}
}

func (w factorCheck) domain() (logiqc.FactorCheck, error) {
	from, err := w.Client.source()
	return logiqc.FactorCheck{User: w.User, Code: w.Code, RecoveryCode: logiqc.Secret(w.RecoveryCode), From: from}, err
}

// signinRequest is [logiqc.SigninRequest].
type signinRequest struct {
	User     string         `json:"user" required:"true" doc:"A username, an email or an id"`
	Password string         `json:"password" required:"true"`
	Purpose  logiqc.Purpose `json:"purpose,omitempty" enum:"signin,enrol,replace,recovery_codes" doc:"signin where nothing is said; only that yields a session"`
	Client   *client        `json:"client,omitempty" doc:"Where the user is; for tokens with the right signin only"`
}

// factor is a code of whichever kind the call takes.
type factor struct {
	Code   string  `json:"code" required:"true"`
	Client *client `json:"client,omitempty" doc:"As at the start, where it is another"`
}

// step is a call of a sign-in that takes nothing.
type step struct {
	Client *client `json:"client,omitempty" doc:"As at the start, where it is another"`
}

// session is what a sign-in that is done yields.
type session struct {
	ID        string      `json:"id"`
	Token     string      `json:"token" doc:"For the header Authorization: Bearer"`
	ExpiresAt logiqc.Time `json:"expires_at"`
}

// attempt is [logiqc.Attempt].
type attempt struct {
	Attempt   string       `json:"attempt" doc:"Carries the sign-in on; empty once it is over"`
	Outcome   logiqc.Stage `json:"outcome" enum:"code_required,enrolment_required,signed_in,over"`
	User      string       `json:"user"`
	ExpiresAt logiqc.Time  `json:"expires_at" doc:"When the attempt is over, or the session"`
	Session   *session     `json:"session,omitempty"`
	Notice    string       `json:"notice" doc:"What the user is to be told, if anything"`
	// Pending and CodeNeeded are of an enrolment to come.
	Pending    bool `json:"enrolment_pending" doc:"One is under way, so that its code can be proved"`
	CodeNeeded bool `json:"enrolment_code_required" doc:"It takes the enrolment code of the help desk first"`
	// RecoveryCodesLeft is told to who is signed in.
	RecoveryCodesLeft int `json:"recovery_codes_left"`
}

func toAttempt(a logiqc.Attempt) attempt {
	w := attempt{
		Outcome: a.Stage, User: a.User, ExpiresAt: a.ExpiresAt, Notice: a.Notice, Pending: a.Pending,
		CodeNeeded: a.CodeNeeded, RecoveryCodesLeft: a.RecoveryCodesLeft,
	}
	switch a.Stage {
	case logiqc.StageSignedIn:
		w.Session = &session{ID: a.ID, Token: a.Token.Reveal(), ExpiresAt: a.ExpiresAt}
	case logiqc.StageCode, logiqc.StageEnrol:
		w.Attempt = a.Token.Reveal()
	}
	return w
}

func (w attempt) domain() logiqc.Attempt {
	a := logiqc.Attempt{
		Token: logiqc.Secret(w.Attempt), Stage: w.Outcome, User: w.User, ExpiresAt: w.ExpiresAt, Notice: w.Notice,
		Pending: w.Pending, CodeNeeded: w.CodeNeeded, RecoveryCodesLeft: w.RecoveryCodesLeft,
	}
	if s := w.Session; s != nil {
		a.ID, a.Token = s.ID, logiqc.Secret(s.Token)
	}
	return a
}

// pendingEnrolment is [logiqc.PendingEnrolment], with its QR code.
type pendingEnrolment struct {
	User      string      `json:"user"`
	Issuer    string      `json:"issuer"`
	Label     string      `json:"label"`
	Secret    string      `json:"secret" doc:"The setup key, in base32"`
	URI       string      `json:"uri" doc:"The same for an authenticator app"`
	QRPNG     []byte      `json:"qr_png" doc:"The URI as a QR code: a PNG, in base64"`
	ExpiresAt logiqc.Time `json:"expires_at"`
}

func (w pendingEnrolment) domain() logiqc.PendingEnrolment {
	return logiqc.PendingEnrolment{
		User: w.User, Issuer: w.Issuer, Label: w.Label, Secret: logiqc.Secret(w.Secret), URI: logiqc.Secret(w.URI),
		ExpiresAt: w.ExpiresAt,
	}
}

// Attempt is an attempt as a part of another answer: only parts with an exported
// name are described in the OpenAPI document.
type Attempt = attempt

// enrolled is [logiqc.Enrolled].
type enrolled struct {
	Attempt
	RecoveryCodes []string        `json:"recovery_codes"`
	Audit         logiqc.AuditRef `json:"audit"`
}

func toEnrolled(e logiqc.Enrolled) enrolled {
	w := enrolled{Attempt: toAttempt(e.Attempt), RecoveryCodes: each(e.RecoveryCodes, logiqc.Secret.Reveal), Audit: e.Audit}
	w.User = e.User
	return w
}

func (w enrolled) domain() logiqc.Enrolled {
	e := logiqc.Enrolled{User: w.User, Audit: w.Audit, Attempt: w.Attempt.domain()}
	for _, code := range w.RecoveryCodes {
		e.RecoveryCodes = append(e.RecoveryCodes, logiqc.Secret(code))
	}
	return e
}
