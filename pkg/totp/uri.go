package totp

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const maxURI = 4096

// URI returns the otpauth URI that an authenticator app reads from a QR code
// (Google Authenticator's Key URI Format), without the parameters that have
// their default value: every character makes the QR code bigger. Account is
// the username. Neither name may contain ':', which separates them in the
// label even when it is percent-encoded; without issuer, account stands
// alone. Blanks become %20, since apps show a '+' as it is.
func URI(issuer, account string, k Key) string {
	label, query := escape(account), "?secret="+k.Base32()
	if issuer != "" {
		label = escape(issuer) + ":" + label
		query += "&issuer=" + escape(issuer)
	}
	return "otpauth://totp/" + label + query
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// URIParts is what an otpauth URI says. Issuer and Account are valid UTF-8
// without control characters, and may be empty.
type URIParts struct {
	Issuer, Account string
	Key             Key
}

// ParseURI reads another system's otpauth URI. It refuses what this package
// cannot verify — another type than totp, another algorithm than SHA1, other
// than 6 digits, another period than 30 — and what is malformed, with an
// error that names the parameter and never contains the secret. Where the
// issuer parameter and the label's prefix differ, the parameter counts;
// parameters without a meaning here are ignored.
func ParseURI(uri string) (URIParts, error) {
	if len(uri) > maxURI {
		return URIParts{}, fmt.Errorf("otpauth URI is longer than %d bytes", maxURI)
	}
	// Errors of net/url repeat the text they refuse, secret included.
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "otpauth" {
		return URIParts{}, errors.New("not an otpauth URI")
	}
	if !strings.EqualFold(u.Host, "totp") {
		return URIParts{}, errors.New("otpauth URI: type is not totp")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return URIParts{}, errors.New("otpauth URI: the part after ? is malformed")
	}
	if err := checkParameters(query); err != nil {
		return URIParts{}, err
	}
	parts := URIParts{Account: strings.TrimPrefix(u.Path, "/")}
	if issuer, account, found := strings.Cut(parts.Account, ":"); found {
		parts.Issuer, parts.Account = issuer, account
	}
	if query.Has("issuer") {
		parts.Issuer = query.Get("issuer")
	}
	parts.Issuer, parts.Account = strings.TrimSpace(parts.Issuer), strings.TrimSpace(parts.Account)
	if !printable(parts.Issuer) || !printable(parts.Account) {
		return URIParts{}, errors.New("otpauth URI: label or issuer is not readable text")
	}
	if parts.Key, err = ParseKey(query.Get("secret")); err != nil {
		return URIParts{}, fmt.Errorf("otpauth URI: secret: %w", err)
	}
	return parts, nil
}

// checkParameters refuses parameters that occur twice, since readers differ
// in which one they take, and values other than the fixed ones.
func checkParameters(query url.Values) error {
	for _, name := range [...]string{"secret", "issuer", "algorithm", "digits", "period"} {
		if len(query[name]) > 1 {
			return fmt.Errorf("otpauth URI: parameter %s occurs twice", name)
		}
	}
	for _, fixed := range [...]struct{ name, want string }{
		{"algorithm", "SHA1"},
		{"digits", strconv.Itoa(Digits)},
		{"period", strconv.Itoa(int(Period / time.Second))},
	} {
		if query.Has(fixed.name) && !strings.EqualFold(query.Get(fixed.name), fixed.want) {
			return fmt.Errorf("otpauth URI: parameter %s is not %s", fixed.name, fixed.want)
		}
	}
	return nil
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
