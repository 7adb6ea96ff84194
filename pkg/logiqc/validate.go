package logiqc

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// The longest texts, in characters (cli.md, "Ground rules").
const (
	MaxName   = 200
	MaxReason = 1000
)

var usernamePattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$`)
})

// CheckUsername refuses with Invalid what is no username: 1–64 of
// a-z A-Z 0-9 . _ -, first a letter or digit.
func CheckUsername(s string) error {
	if !usernamePattern().MatchString(s) {
		return Errorf(Invalid, "%q is no username: 1 to 64 of a-z A-Z 0-9 . _ -, first a letter or digit", s)
	}
	return nil
}

// CheckEmail refuses with Invalid what is no email: one @ with something on
// both sides, no blanks, at most 254 bytes (RFC 5321).
func CheckEmail(s string) error {
	local, domain, _ := strings.Cut(s, "@")
	bad := local == "" || domain == "" || strings.Contains(domain, "@") || len(s) > 254 ||
		strings.ContainsAny(s, " \t\r\n\v\f\u00a0") || !utf8.ValidString(s) || strings.ContainsRune(s, 0)
	if bad {
		return Errorf(Invalid, "%q is no email: one @ and no blanks", s)
	}
	return nil
}

// CheckText refuses with Invalid a text of more than longest characters, not
// UTF-8, or with a NUL. It is stored as it came.
func CheckText(what, s string, longest int) error {
	switch {
	case !utf8.ValidString(s):
		return Errorf(Invalid, "%s is not valid UTF-8", what)
	case strings.ContainsRune(s, 0):
		return Errorf(Invalid, "%s has a NUL character in it", what)
	case utf8.RuneCountInString(s) > longest:
		return Errorf(Invalid, "%s is longer than %d characters", what, longest)
	}
	return nil
}

// Check refuses with Invalid a request whose texts are not fit to be recorded.
func (r Request) Check() error {
	for _, text := range []struct{ what, value string }{
		{"the reason", r.Reason}, {"the ticket", r.Ticket}, {"the request id", r.RequestID},
		{"the verification", r.VerifiedBy},
	} {
		if err := CheckText(text.what, text.value, MaxReason); err != nil {
			return err
		}
	}
	return nil
}

// CheckIssuer refuses with Invalid what cannot be the name users see in their
// authenticator app: empty, longer than 64 characters, or with a colon, which
// separates issuer and account there.
func CheckIssuer(s string) error {
	if strings.TrimSpace(s) == "" || strings.ContainsRune(s, ':') {
		return Errorf(Invalid, "%q cannot be the issuer: it must not be empty or have a colon in it", s)
	}
	return CheckText("the issuer", s, 64)
}

// Check refuses with Invalid an account whose texts or words are not fit to be
// stored.
func (u User) Check() error {
	if err := CheckUsername(u.Username); err != nil {
		return err
	}
	if err := CheckEmail(u.Email); err != nil {
		return err
	}
	if err := CheckText("the name", u.Name, MaxName); err != nil {
		return err
	}
	if err := CheckText("the phone number", u.Phone, MaxName); err != nil {
		return err
	}
	if _, err := ParseRole(string(u.Role)); err != nil {
		return err
	}
	if u.Status != Active && u.Status != Inactive {
		return Errorf(Invalid, "%q is no status: active or inactive", u.Status)
	}
	if u.Auth != ByPassword && u.Auth != BySSO {
		return Errorf(Invalid, "%q is no sign-in method: password or sso", u.Auth)
	}
	return nil
}
