package httpapi_test

import (
	"bytes"
	"encoding/json"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/servicetest"
	"github.com/logiqc/logiqc/pkg/totp"
)

// raw makes a call as a program that is not ours would, and wants a status. The
// body is sent with the media type that curl -d gives it.
func (d *desk) raw(t testing.TB, status int, token logiqc.Secret, method, path, body string) map[string]any {
	t.Helper()
	resp := d.exchange(t, token, method, path, body)
	if resp.status != status {
		t.Fatalf("%s %s: %d %s, want %d", method, path, resp.status, resp.body, status)
	}
	var out map[string]any
	if len(resp.body) > 0 && resp.body[0] == '{' {
		if err := json.Unmarshal(resp.body, &out); err != nil {
			t.Fatalf("%s %s: %s: %v", method, path, resp.body, err)
		}
	}
	return out
}

type exchanged struct {
	status int
	header http.Header
	body   []byte
}

func (d *desk) exchange(t testing.TB, token logiqc.Secret, method, path, body string) exchanged {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, d.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	resp, err := d.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return exchanged{resp.StatusCode, resp.Header, data}
}

// helen is the admin whose store it is.
func (d *desk) helen(t testing.TB) logiqc.Service {
	t.Helper()
	s, err := d.As(t.Context(), d.init)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (d *desk) token(t testing.TB, n logiqc.NewToken) logiqc.Secret {
	t.Helper()
	_, token, err := d.helen(t).CreateToken(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (d *desk) add(t testing.TB, username string, r logiqc.Role) {
	t.Helper()
	_, err := d.helen(t).AddUser(t.Context(), logiqc.NewUser{Username: username, Email: username + "@example.org", Role: r,
		Password: servicetest.Password})
	if err != nil {
		t.Fatal(err)
	}
}

// newest is the newest event.
func (d *desk) newest(t testing.TB) logiqc.Event {
	t.Helper()
	page, err := d.helen(t).Events(t.Context(), logiqc.EventQuery{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	return page.Events[0]
}

const signinBody = `{"user":"jlee","password":"correct horse battery","client":{"ip":"203.0.113.9"}}`

// An application passes sign-ins on, as days.md shows it: password, enrolment
// with a QR code that reads back, recovery codes, session; the next time a code;
// and after a reset the notice. The log names the application and its user's
// address.
func TestApplicationPassesSigninsOn(t *testing.T) {
	d := openDesk(t)
	d.add(t, "jlee", logiqc.RoleUser)
	app := d.token(t, logiqc.NewToken{Name: "portal", Role: logiqc.RoleApp})

	at := d.raw(t, 200, app, "POST", "/v1/signin", signinBody)
	if at["outcome"] != "enrolment_required" || at["session"] != nil {
		t.Fatalf("%v", at)
	}
	path := "/v1/signin/" + at["attempt"].(string)
	pending := d.raw(t, 200, app, "POST", path+"/enrolment", `{}`)
	key, err := totp.ParseKey(pending["secret"].(string))
	if err != nil {
		t.Fatal(err)
	}
	var picture struct {
		QR []byte `json:"qr_png"`
	}
	if raw, _ := json.Marshal(pending); json.Unmarshal(raw, &picture) != nil || len(picture.QR) == 0 {
		t.Fatal("no picture of the QR code")
	}
	if _, err := png.Decode(bytes.NewReader(picture.QR)); err != nil {
		t.Error(err)
	}
	code := func() string { return `{"code":"` + totp.Code(key, totp.Step(d.Now())) + `"}` }
	done := d.raw(t, 200, app, "POST", path+"/enrolment/code", code())
	if done["outcome"] != "signed_in" || len(done["recovery_codes"].([]any)) != 10 {
		t.Fatalf("%v", done)
	}
	d.raw(t, 401, app, "POST", path+"/code", code()) // the attempt is over
	session := logiqc.Secret(done["session"].(map[string]any)["token"].(string))
	if who := d.raw(t, 200, session, "GET", "/v1/session", ""); who["user"] != "jlee" || who["via"] != "session" {
		t.Errorf("%v", who)
	}
	d.raw(t, 204, session, "DELETE", "/v1/session", "")
	d.raw(t, 401, session, "GET", "/v1/session", "")

	d.Advance(time.Minute)
	at = d.raw(t, 200, app, "POST", "/v1/signin", signinBody)
	path = "/v1/signin/" + at["attempt"].(string)
	wrong := d.raw(t, 409, app, "POST", path+"/code", `{"code":"000000"}`)
	if wrong["code"] != "wrong_code" {
		t.Errorf("%v", wrong)
	}
	done = d.raw(t, 200, app, "POST", path+"/code", code())
	if done["outcome"] != "signed_in" || done["notice"] != "" {
		t.Errorf("%v", done)
	}
	e := d.newest(t)
	if e.Action != logiqc.SigninSucceeded || e.Source.App != "portal" || e.Source.IP != "203.0.113.9" || e.Actor.Username != "jlee" {
		t.Errorf("in the log as %+v", e)
	}
	d.noticeAfterReset(t, app)
}

// A body without its password or its code, as a faulty application sends it, is
// no try: it used to count as a wrong one, and the user had to wait.
func TestForgottenFieldsAreNoMisses(t *testing.T) {
	d := openDesk(t)
	d.add(t, "jlee", logiqc.RoleUser)
	app := d.token(t, logiqc.NewToken{Name: "portal", Role: logiqc.RoleApp})
	forgotten := func(bearer logiqc.Secret, path, field string, bodies ...string) {
		t.Helper()
		before := d.newest(t).Seq
		for _, body := range bodies {
			if p := d.raw(t, 422, bearer, "POST", path, body); p["code"] != "invalid" || !strings.Contains(p["detail"].(string), field+" is missing") {
				t.Errorf("%s with %s: %v", path, body, p)
			}
		}
		if p := d.raw(t, 400, bearer, "POST", path, ""); p["code"] != "usage" {
			t.Errorf("%s without a body: %v", path, p)
		}
		if after := d.newest(t); after.Seq != before {
			t.Errorf("%s: recorded as %+v", path, after)
		}
	}
	forgotten(app, "/v1/signin", "password", `{"user":"jlee"}`, `{"user":"jlee","password":null}`)
	forgotten(app, "/v1/signin", "user", `{"password":"correct horse battery"}`, `{}`, `null`)

	at := d.raw(t, 200, app, "POST", "/v1/signin", signinBody)
	path := "/v1/signin/" + at["attempt"].(string)
	key, err := totp.ParseKey(d.raw(t, 200, app, "POST", path+"/enrolment", "")["secret"].(string))
	if err != nil {
		t.Fatal(err)
	}
	forgotten(app, path+"/enrolment/code", "code", `{}`, `{"code":null}`, `{"client":{"host":"desk-3"}}`)
	code := func() string { return `{"Code":"` + totp.Code(key, totp.Step(d.Now())) + `"}` }
	d.raw(t, 200, app, "POST", path+"/enrolment/code", code())
	d.Advance(time.Minute)

	at = d.raw(t, 200, app, "POST", "/v1/signin", signinBody)
	path = "/v1/signin/" + at["attempt"].(string)
	for _, step := range []string{"/code", "/recovery-code", "/enrolment-code"} {
		forgotten(app, path+step, "code", `{}`)
	}
	forgotten(app, "/v1/second-factor", "user", `{"code":"123456"}`)
	forgotten(d.init, "/v1/mfa/verify", "code", `{"user":"jlee"}`)
	if done := d.raw(t, 200, app, "POST", path+"/code", code()); done["outcome"] != "signed_in" {
		t.Errorf("%v", done)
	}
}

// noticeAfterReset: the user of the application is told that the MFA was reset,
// with the answer that signs them in, and once.
func (d *desk) noticeAfterReset(t *testing.T, app logiqc.Secret) {
	t.Helper()
	_, err := d.helen(t).ResetMFA(t.Context(), logiqc.Reset{Request: logiqc.Request{Consent: logiqc.Consent{Given: true}},
		Users: []logiqc.ResetTarget{{User: "jlee"}}})
	if err != nil {
		t.Fatal(err)
	}
	d.Advance(time.Minute)
	at := d.raw(t, 200, app, "POST", "/v1/signin", signinBody)
	path := "/v1/signin/" + at["attempt"].(string)
	pending := d.raw(t, 200, app, "POST", path+"/enrolment", ``)
	key, err := totp.ParseKey(pending["secret"].(string))
	if err != nil {
		t.Fatal(err)
	}
	done := d.raw(t, 200, app, "POST", path+"/enrolment/code", `{"code":"`+totp.Code(key, totp.Step(d.Now()))+`"}`)
	if notice, _ := done["notice"].(string); !strings.HasPrefix(notice, "Your MFA was reset on 23 November 2026") || done["outcome"] != "signed_in" {
		t.Errorf("%v", done)
	}
}

// What an application may not: act for others, say where a user is without a
// token, or with one that has not the right.
func TestApplicationRights(t *testing.T) {
	d := openDesk(t)
	d.add(t, "jlee", logiqc.RoleUser)
	app := d.token(t, logiqc.NewToken{Name: "portal", Role: logiqc.RoleApp})
	check := d.token(t, logiqc.NewToken{Name: "check", Allow: []logiqc.Right{logiqc.SecondFactor}})

	if p := d.raw(t, 401, "", "POST", "/v1/signin", signinBody); p["code"] != "unauthenticated" {
		t.Errorf("a client without a token: %v", p)
	}
	d.raw(t, 403, check, "POST", "/v1/signin", signinBody)
	if e := d.newest(t); e.Outcome != logiqc.Denied || e.Action != logiqc.SigninStarted || e.Actor.Name != "check" {
		t.Errorf("in the log as %+v", e)
	}
	d.raw(t, 403, d.init, "POST", "/v1/signin", signinBody) // a person is no application
	d.raw(t, 401, "lqc_nonsense", "POST", "/v1/signin", signinBody)
	d.raw(t, 422, app, "POST", "/v1/signin", strings.Replace(signinBody, "203.0.113.9", "here", 1))
	if p := d.raw(t, 401, app, "POST", "/v1/signin", strings.Replace(signinBody, "correct", "wrong", 1)); p["code"] != "signin_denied" {
		t.Errorf("a wrong password: %v", p)
	}
	d.raw(t, 403, app, "POST", "/v1/second-factor", `{"user":"jlee","code":"123456"}`)
	if p := d.raw(t, 409, check, "POST", "/v1/second-factor", `{"user":"jlee","code":"123456"}`); p["code"] != "enrolment_required" {
		t.Errorf("a second factor that is not there: %v", p)
	}
	d.raw(t, 403, app, "GET", "/v1/users/show?user=jlee", "")
	d.raw(t, 403, check, "GET", "/v1/events?after=0", "")

	at := d.raw(t, 200, "", "POST", "/v1/signin", `{"user":"jlee","password":"correct horse battery"}`)
	d.raw(t, 204, "", "DELETE", "/v1/signin/"+at["attempt"].(string), "")
	d.raw(t, 401, "", "POST", "/v1/signin/"+at["attempt"].(string)+"/enrolment", "")
}

// Events are had by a token with audit.read, from a place in the log on, oldest
// first.
func TestEventsAfter(t *testing.T) {
	d := openDesk(t)
	reader := d.token(t, logiqc.NewToken{Name: "siem", Allow: []logiqc.Right{logiqc.AuditRead}})
	page := d.raw(t, 200, reader, "GET", "/v1/events?after=0", "")
	events := page["events"].([]any)
	if len(events) < 2 || events[0].(map[string]any)["seq"] != float64(1) || page["next"] != "" {
		t.Errorf("%v", page)
	}
	if p := d.raw(t, 422, reader, "GET", "/v1/events?afer=0", ""); p["code"] != "invalid" {
		t.Errorf("a misspelt condition: %v", p)
	}
}
