package totp

import (
	"net/url"
	"strings"
	"testing"

	"github.com/pquerna/otp"
	"pgregory.net/rapid"
)

const rfcSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

func TestURI(t *testing.T) {
	for _, tc := range []struct {
		issuer, account, want string
	}{
		{"Logiqc", "jlee", "otpauth://totp/Logiqc:jlee?secret=" + rfcSecret + "&issuer=Logiqc"},
		{"St Mary's", "j+lee@x", "otpauth://totp/St%20Mary%27s:j%2Blee%40x?secret=" + rfcSecret + "&issuer=St%20Mary%27s"},
		{"A&B=C?#/%", "李雷", "otpauth://totp/A%26B%3DC%3F%23%2F%25:%E6%9D%8E%E9%9B%B7?secret=" + rfcSecret + "&issuer=A%26B%3DC%3F%23%2F%25"},
		{"", "jlee", "otpauth://totp/jlee?secret=" + rfcSecret},
	} {
		if got := URI(tc.issuer, tc.account, rfcKey(t)); got != tc.want {
			t.Errorf("URI(%q, %q)\n got %s\nwant %s", tc.issuer, tc.account, got, tc.want)
		}
	}
}

func TestParseURI(t *testing.T) {
	for _, tc := range []struct {
		uri, issuer, account string
	}{
		{"otpauth://totp/Logiqc:jlee?secret=" + rfcSecret + "&issuer=Logiqc", "Logiqc", "jlee"},
		{"OTPAUTH://TOTP/Big%20Bank:%20jlee@x.au?secret=" + strings.ToLower(rfcSecret) + "&issuer=Big+Bank", "Big Bank", "jlee@x.au"},
		{"otpauth://totp/Old%3Ajlee?issuer=New&secret=" + rfcSecret + "&algorithm=sha1&digits=6&period=30", "New", "jlee"},
		{"otpauth://totp/jlee?secret=" + rfcSecret + "&image=https%3A%2F%2Fx&counter=4", "", "jlee"},
		{"otpauth://totp/?secret=" + rfcSecret, "", ""},
		{"otpauth://totp?secret=" + rfcSecret, "", ""},
		{"otpauth://totp/A:b:c?secret=" + rfcSecret, "A", "b:c"},
	} {
		parts, err := ParseURI(tc.uri)
		if err != nil || parts.Issuer != tc.issuer || parts.Account != tc.account || parts.Key.Base32() != rfcSecret {
			t.Errorf("ParseURI(%q) = %q, %q, %v; want %q, %q", tc.uri, parts.Issuer, parts.Account, err, tc.issuer, tc.account)
		}
	}
}

func TestParseURIRefuses(t *testing.T) {
	with := func(rest string) string { return "otpauth://totp/L:j?secret=" + rfcSecret + rest }
	for _, tc := range []struct {
		uri, names string
	}{
		{"", "not an otpauth URI"}, {"https://totp/L:j?secret=" + rfcSecret, "not an otpauth URI"},
		{"otpauth://totp/%zz?secret=" + rfcSecret, "not an otpauth URI"},
		{"otpauth://to tp/?secret=" + rfcSecret, "not an otpauth URI"},
		{"otpauth:totp/L:j?secret=" + rfcSecret, "type"}, {"otpauth://hotp/L:j?secret=" + rfcSecret + "&counter=1", "type"},
		{with("&algorithm=SHA256"), "algorithm is not SHA1"}, {with("&algorithm="), "algorithm"},
		{with("&digits=8"), "digits is not 6"}, {with("&digits=06"), "digits"},
		{with("&period=60"), "period is not 30"}, {with("&period=30s"), "period"},
		{with("&secret=" + rfcSecret), "secret occurs twice"}, {with("&period=30&period=60"), "period occurs twice"},
		{"otpauth://totp/L:j", "secret"}, {"otpauth://totp/L:j?secret=", "secret"},
		{"otpauth://totp/L:j?secret=GEZDGNBV", "secret"}, {"otpauth://totp/L#j?secret=" + rfcSecret, "secret"},
		{with("&a=%zz"), "malformed"}, {with("&a;b"), "malformed"},
		{"otpauth://totp/L:%FF?secret=" + rfcSecret, "label"}, {with("&issuer=a%00b"), "issuer"}, {with("&issuer=a%1B%5B2J"), "issuer"},
		{with("&x=" + strings.Repeat("x", maxURI)), "longer"},
	} {
		parts, err := ParseURI(tc.uri)
		switch {
		case err == nil || !parts.Key.IsZero():
			t.Errorf("ParseURI(%.90q) was accepted", tc.uri)
		case !strings.Contains(err.Error(), tc.names):
			t.Errorf("ParseURI(%.90q): %v; want it to name %q", tc.uri, err, tc.names)
		case strings.Contains(err.Error(), "GEZD"):
			t.Errorf("the error repeats the secret: %v", err)
		}
	}
}

// What URI writes, ParseURI and an unrelated reader read.
func TestURIRoundTrip(t *testing.T) {
	name := rapid.StringMatching(`[^:\s\pZ\pC]([^:\pC]{0,30}[^:\s\pZ\pC])?`)
	rapid.Check(t, func(r *rapid.T) {
		issuer, account := name.Draw(r, "issuer"), name.Draw(r, "account")
		k := mustKey(t, rapid.SliceOfN(rapid.Byte(), 10, 64).Draw(r, "key"))
		uri := URI(issuer, account, k)
		parts, err := ParseURI(uri)
		if err != nil || parts.Issuer != issuer || parts.Account != account || parts.Key.Base32() != k.Base32() {
			r.Fatalf("%s reads %q, %q: %v", uri, parts.Issuer, parts.Account, err)
		}
		other, err := otp.NewKeyFromURL(uri)
		if err != nil || other.Issuer() != issuer || other.AccountName() != account || other.Secret() != k.Base32() {
			r.Fatalf("%s reads %q, %q elsewhere: %v", uri, other.Issuer(), other.AccountName(), err)
		}
	})
}

func FuzzParseURI(f *testing.F) {
	f.Add("otpauth://totp/Logiqc:jlee?secret=" + rfcSecret + "&issuer=Logiqc")
	f.Add("otpauth://totp/a%3Ab?secret=" + rfcSecret + "&algorithm=SHA1&digits=6&period=30")
	f.Add("otpauth://hotp/a?secret=\xff&secret=")
	f.Fuzz(func(t *testing.T, uri string) {
		parts, err := ParseURI(uri)
		if err != nil {
			if !parts.Key.IsZero() {
				t.Error("an error and a key")
			}
			if u, parseErr := url.Parse(uri); parseErr == nil {
				if secret := u.Query().Get("secret"); len(secret) > 15 && strings.Contains(err.Error(), secret) {
					t.Errorf("the error repeats the secret: %v", err)
				}
			}
			return
		}
		if strings.Contains(parts.Issuer+parts.Account, ":") {
			return // cannot be written again
		}
		again, err := ParseURI(URI(parts.Issuer, parts.Account, parts.Key))
		if len(uri) < maxURI/4 && (err != nil || again.Issuer != parts.Issuer || again.Account != parts.Account || again.Key.Base32() != parts.Key.Base32()) {
			t.Errorf("%q does not survive being written: %v", uri, err)
		}
	})
}
