package totp

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what the codes of RFC 6238 are made with, in an HMAC
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"hash"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// The parameters of every code (RFC 6238 section 4). They are constants
// because authenticator apps silently ignore others.
const (
	Period     = 30 * time.Second // how long one code is shown
	Digits     = 6                // decimal digits of a code
	Skew       = 1                // steps accepted either side of now (RFC 6238 section 5.2)
	DriftSteps = 20               // steps looked at either side to diagnose a wrong clock: 10 minutes
)

// maxCodeText bounds what is looked at in a typed code: sixteen characters
// and generous separators.
const maxCodeText = 64

// Step returns the number of whole periods since 1970, counted downwards
// before it, in 64 bits (RFC 6238 section 4.2).
func Step(t time.Time) int64 {
	const seconds = int64(Period / time.Second)
	unix := t.Unix()
	step := unix / seconds
	if unix%seconds < 0 {
		step--
	}
	return step
}

// Code returns the six digits that an authenticator app with k shows during
// step; "" for the zero Key. A negative step is taken as the same 64 bits.
func Code(k Key, step int64) string {
	if k.IsZero() {
		return ""
	}
	code, err := hotp.GenerateCodeCustom(k.Base32(), uint64(step), hotp.ValidateOpts{
		Digits:    otp.DigitsSix,
		Algorithm: otp.AlgorithmSHA1,
	})
	if err != nil {
		panic("totp: our own base32 was refused") // the only error there is, and not the caller's
	}
	return code
}

// Normalise returns the six ASCII digits of a typed code and whether it has
// that form. Blanks, tabs, no-break spaces and dashes are dropped wherever
// they stand; anything else, other scripts' digits among it, is refused, as
// is text of more than 64 bytes, unread.
func Normalise(code string) (string, bool) {
	if len(code) > maxCodeText {
		return "", false
	}
	code = stripSeparators(code)
	if len(code) != Digits {
		return "", false
	}
	for _, r := range code {
		if r < '0' || r > '9' {
			return "", false
		}
	}
	return code, true
}

// Match says what [Check] found. At most one of OK and Drifted is set.
type Match struct {
	// OK: the code belongs to a step within Skew of now.
	OK bool
	// Step is the step that matched, set only when OK. Should several match,
	// it is the latest, so that spending it spends the code for all of them.
	Step int64
	// Drifted: the code is refused, but would be right within DriftSteps.
	Drifted bool
	// Drift is how far the device's clock is ahead (behind, if negative), in
	// whole periods, set only when Drifted. Of several it is the least.
	Drift time.Duration
}

// Check compares a typed code with the codes of k around now. A malformed
// code or the zero Key gives the zero Match. Otherwise all 41 steps are
// computed whatever matches, and compared in constant time (ASVS 11.2.4).
// That a step is new is for the caller to establish: Check keeps no state.
func Check(k Key, code string, now time.Time) Match {
	code, ok := Normalise(code)
	if !ok || k.IsZero() {
		return Match{}
	}
	const none = DriftSteps + 1
	centre, codes := Step(now), newCoder(k)
	accepted, drift := none, none
	// From far to near, so that the nearest step is the one that stays.
	for distance := DriftSteps; distance > Skew; distance-- {
		for _, offset := range [...]int{-distance, distance} {
			drift = subtle.ConstantTimeSelect(codes.matches(code, centre+int64(offset)), offset, drift)
		}
	}
	for offset := -Skew; offset <= Skew; offset++ {
		accepted = subtle.ConstantTimeSelect(codes.matches(code, centre+int64(offset)), offset, accepted)
	}
	switch {
	case accepted != none:
		return Match{OK: true, Step: centre + int64(accepted)}
	case drift != none:
		return Match{Drifted: true, Drift: time.Duration(drift) * Period}
	}
	return Match{}
}

// coder makes many codes of one key: what [Code] makes, without setting up the
// key anew for each.
type coder struct {
	mac  hash.Hash
	sum  []byte
	code [Digits]byte
}

func newCoder(k Key) *coder { return &coder{mac: hmac.New(sha1.New, k.Bytes())} }

// matches returns 1 if code is the one of step, else 0 (RFC 4226 section 5.3).
func (c *coder) matches(code string, step int64) int {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	c.mac.Reset()
	_, _ = c.mac.Write(counter[:]) // a hash takes everything
	c.sum = c.mac.Sum(c.sum[:0])
	at := c.sum[len(c.sum)-1] & 0xf
	n := binary.BigEndian.Uint32(c.sum[at:at+4]) & 0x7fffffff
	for i := len(c.code) - 1; i >= 0; i-- {
		c.code[i] = byte('0' + n%10)
		n /= 10
	}
	return subtle.ConstantTimeCompare([]byte(code), c.code[:])
}

// DescribeDrift puts [Match.Drift] into words that complete "your device's
// clock is …": "about 4 minutes fast", "about 1 minute slow", "about 45
// seconds fast". Minutes are rounded, halves up; less than half a second is
// "on time".
func DescribeDrift(d time.Duration) string {
	direction := "fast"
	if d < 0 {
		direction = "slow"
	}
	n, unit := d.Abs().Round(time.Second)/time.Second, "second"
	if n >= 60 {
		n, unit = d.Abs().Round(time.Minute)/time.Minute, "minute"
	}
	if n == 0 {
		return "on time"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("about %d %s %s", n, unit, direction)
}
