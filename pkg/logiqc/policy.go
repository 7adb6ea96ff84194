package logiqc

import (
	"strconv"
	"time"
)

// Policy is the organisation's settings. They are kept in the store and
// changed only by an admin, with an event.
type Policy struct {
	// Enforced: MFA is required of every account that signs in by password.
	Enforced bool
	// Issuer is the name users see in their authenticator app.
	Issuer string
	// SessionTTL is how long a session lasts.
	SessionTTL time.Duration
	// BulkMax is the most accounts that one reset may name.
	BulkMax int
}

// DefaultPolicy is what a new store starts with.
func DefaultPolicy() Policy {
	return Policy{Enforced: true, Issuer: "Logiqc", SessionTTL: 12 * time.Hour, BulkMax: 500}
}

// The names of the policy's keys.
const (
	KeyEnforced   = "mfa.enforced"
	KeyIssuer     = "totp.issuer"
	KeySessionTTL = "session.ttl"
	KeyBulkMax    = "reset.bulk_max"
)

// PolicyKeys lists the keys, in the order of the contract.
var PolicyKeys = []string{KeyEnforced, KeyBulkMax, KeySessionTTL, KeyIssuer}

// Values returns the policy as its keys, each with its text.
func (p Policy) Values() map[string]string {
	return map[string]string{
		KeyEnforced:   strconv.FormatBool(p.Enforced),
		KeyIssuer:     p.Issuer,
		KeySessionTTL: p.SessionTTL.String(),
		KeyBulkMax:    strconv.Itoa(p.BulkMax),
	}
}

// Set gives one key a value; Invalid for an unknown key or an unfit value.
func (p *Policy) Set(key, value string) (err error) {
	switch key {
	case KeyEnforced:
		p.Enforced, err = strconv.ParseBool(value)
	case KeyIssuer:
		if err = CheckIssuer(value); err == nil {
			p.Issuer = value
		}
	case KeySessionTTL:
		var d time.Duration
		if d, err = ParseAge(value); err == nil {
			p.SessionTTL = d
		}
	case KeyBulkMax:
		p.BulkMax, err = strconv.Atoi(value)
	default:
		return Errorf(Invalid, "%q is no key of the policy", key)
	}
	if err != nil {
		return Errorf(Invalid, "%s does not take %q: %w", key, value, err)
	}
	return nil
}
