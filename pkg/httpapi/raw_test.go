package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/httpapi"
	"github.com/logiqc/logiqc/pkg/logiqc"
)

// A program that is not ours gets round no rule by what it writes (S-30, S-31).
func TestRawHTTPMayNoMore(t *testing.T) {
	d := openDesk(t)
	bearers, _ := d.cast(t)
	long := strings.Repeat("r", logiqc.MaxReason+1)
	var many []string
	for i := range 501 {
		many = append(many, fmt.Sprintf(`{"user":"u%d"}`, i))
	}
	size := d.newest(t).Seq
	for what, c := range map[string]struct {
		who        byte
		path, body string
		code       string
	}{
		"no consent":                      {'X', "/v1/mfa/reset", `{"users":[{"user":"ann"}]}`, ""}, // unchanged: nothing to clear
		"yes is not enough":               {'X', "/v1/mfa/reset", `{"users":[{"user":"boss"}],"given":true}`, "privileged"},
		"another name typed":              {'X', "/v1/mfa/reset", `{"users":[{"user":"boss"}],"given":true,"typed":"ann"}`, "privileged"},
		"asked, and yes at once":          {'X', "/v1/mfa/reset", `{"users":[{"user":"boss"}],"can_ask":true,"given":true}`, "privileged"},
		"a token that says it will ask":   {'x', "/v1/mfa/reset", `{"users":[{"user":"boss"}],"can_ask":true}`, "privileged"},
		"a token types nothing":           {'x', "/v1/mfa/reset", `{"users":[{"user":"boss"}],"given":true,"typed":"boss"}`, "privileged"},
		"one's own, as another":           {'X', "/v1/mfa/reset", `{"users":[{"user":"TOM@example.org"}],"given":true,"typed":"tom"}`, "self_reset"},
		"a condition twice":               {'X', "/v1/mfa/reset", `{"users":[{"user":"ann"}],"dry_run":true,"given":true,"Dry_Run":false}`, "invalid"},
		"two in the place of one":         {'X', "/v1/mfa/reset", `{"users":[{"user":"ann" , "user" :"boss"}],"given":true}`, "invalid"},
		"a name behind an escape":         {'X', "/v1/mfa/reset", `{"users":[{"user":"ann","\u0075ser":"boss"}],"given":true}`, "invalid"},
		"more than may be, said to be 1":  {'X', "/v1/mfa/reset", `{"users":[` + strings.Join(many, ",") + `],"total":1,"max":100000,"given":true}`, "policy"},
		"a reason too long to be kept":    {'X', "/v1/mfa/reset", `{"users":[{"user":"ann"}],"given":true,"reason":"` + long + `"}`, "invalid"},
		"a NUL in a reason":               {'X', "/v1/mfa/reset", `{"users":[{"user":"ann"}],"given":true,"reason":"a\u0000b"}`, "invalid"},
		"who acts, said by who asks":      {'H', "/v1/mfa/reset", `{"users":[{"user":"ann"}],"given":true,"actor":{"role":"admin"}}`, "invalid"},
		"the role of an application":      {'X', "/v1/users/add", `{"username":"n","email":"n@x","role":"app","password":"correct horse battery"}`, "usage"},
		"a short password":                {'X', "/v1/users/add", `{"username":"n","email":"n@x","password":"short"}`, "invalid"},
		"the last admin, by oneself":      {'X', "/v1/users/edit", `{"user":"nobody","role":"user"}`, "not_found"},
		"one's own password, unproved":    {'u', "/v1/users/passwd", `{"user":"","new":"quite another one"}`, "usage"},
		"one's own password, wrongly":     {'u', "/v1/users/passwd", `{"user":"","current":"no","new":"quite another one"}`, "signin_denied"},
		"a right that is never single":    {'X', "/v1/tokens/create", `{"name":"t","allow":["administer"]}`, "usage"},
		"a purpose of the server's own":   {'-', "/v1/signin", `{"user":"ann","password":"correct horse battery","purpose":"password"}`, "usage"},
		"an import that was cut off":      {'X', "/v1/users/import", "{}\n" + `{"row":1,"fields":["username","email"],"username":"n","email":"n@x"}`, "usage"},
		"an import that lost a row":       {'X', "/v1/users/import", "{}\n" + `{"row":1,"fields":["username","email"],"username":"n","email":"n@x"}` + "\n" + `{"end":2}`, "usage"},
		"an import with a stranger in it": {'X', "/v1/users/import", "{}\n" + `{"row":1,"id":"1"}` + "\n" + `{"end":1}`, "invalid"},
	} {
		e := d.exchange(t, bearers[c.who], "POST", c.path, c.body)
		if code := answerCode(e); code != c.code {
			t.Errorf("%s: %q, want %q: %.300s", what, code, c.code, e.body)
		}
	}
	for _, e := range d.since(t, size) {
		if e.Outcome == logiqc.Success {
			t.Errorf("something was done: %+v", e)
		}
	}
}

// Whoever names nothing is answered with nothing: no event used to be the first.
func TestEventIsNamed(t *testing.T) {
	d := openDesk(t)
	for path, code := range map[string]string{"/v1/events/show": "invalid", "/v1/events/show?seq=": "invalid", "/v1/events/show?seq=0": "",
		"/v1/users/show": "not_found", "/v1/mfa/approvals/show": "usage", "/v1/mfa/run": "not_found"} {
		if e := d.exchange(t, d.init, "GET", path, ""); answerCode(e) != code {
			t.Errorf("%s: %d, %.300s", path, e.status, e.body)
		}
	}
	if e, err := d.helen(t).EventAt(t.Context(), 0); err != nil || e.Seq != 0 {
		t.Errorf("the first event: %+v, %v", e, err)
	}
}

// since are the events after the one at seq.
func (d *desk) since(t *testing.T, seq int64) []logiqc.Event {
	t.Helper()
	page, err := d.helen(t).Events(t.Context(), logiqc.EventQuery{After: &seq})
	if err != nil {
		t.Fatal(err)
	}
	return page.Events
}

// What a client says of itself is a claim beside what is known: it is kept apart,
// and what cannot be kept is refused (ASVS 16.2.1).
func TestClaimsOfTheClient(t *testing.T) {
	d := openDesk(t)
	ask := func(host, user string) exchanged {
		r, err := http.NewRequestWithContext(t.Context(), "POST", d.server.URL+"/v1/users/passwd", strings.NewReader(`{"user":"nobody","new":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+d.init.Reveal())
		r.Header.Set("X-Forwarded-For", "198.51.100.1")
		r.Header["Logiqc-Host"], r.Header["Logiqc-Os-User"] = []string{host}, []string{user}
		resp, err := d.server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return exchanged{status: resp.StatusCode}
	}
	for _, bad := range []string{strings.Repeat("h", 201), "%00", "%ff", "%"} {
		if e := ask(bad, "tester"); e.status != 422 && e.status != 400 {
			t.Errorf("%.10q: %d", bad, e.status)
		}
	}
	d.add(t, "ann", logiqc.RoleUser)
	in := d.client.SignIn()
	_, err := in.Start(t.Context(), logiqc.SigninRequest{User: "ann", Password: "wrong", Purpose: logiqc.SigninPurpose,
		Source: logiqc.Source{Host: "Büro 3", OSUser: "zoë\n", IP: "1.2.3.4", App: "forged"}})
	if logiqc.AsError(err).Code != logiqc.SigninDenied {
		t.Fatal(err)
	}
	e := d.newest(t)
	if e.Source.Host != "Büro 3" || e.Actor.OSUser != "zoë\n" || e.Source.IP != "127.0.0.1" || e.Source.App != "" {
		t.Errorf("in the log as %+v %+v", e.Source, e.Actor)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", d.server.URL+"/v1/signin", strings.NewReader(`{"user":"ann","password":"wrong","purpose":"signin"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded"} { // anybody writes these
		r.Header.Set(name, "198.51.100.1")
	}
	resp, err := d.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if e := d.newest(t); resp.StatusCode != 401 || e.Source.IP != "127.0.0.1" {
		t.Errorf("%d, in the log as %+v", resp.StatusCode, e.Source)
	}
}

// Bodies are bounded, first of all those that anybody may send (S-88).
func TestBodiesAreBounded(t *testing.T) {
	d := openDesk(t)
	big := strings.Repeat("x", 10<<20)
	for _, c := range []struct {
		bearer     logiqc.Secret
		path, body string
	}{
		{"", "/v1/signin", `{"user":"` + big[:64<<10] + `"}`},
		{"", "/v1/signin/x/code", `{"code":"` + big[:64<<10] + `"}`},
		{d.init, "/v1/users/add", `{"name":"` + big[:1<<20] + `"}`},
		{d.init, "/v1/mfa/reset", `{"reason":"` + big + `"}`},
	} {
		e := d.exchange(t, c.bearer, "POST", c.path, c.body)
		if e.status != 413 || answerCode(e) != "invalid" || len(e.body) > 1000 {
			t.Errorf("%s: %d %.200s", c.path, e.status, e.body)
		}
	}
	line := `{"row":1,"name":"` + big[:1<<20] + `"}`
	if e := d.exchange(t, d.init, "POST", "/v1/users/import", "{}\n"+line+"\n"); answerCode(e) != "invalid" {
		t.Errorf("a row of an import: %d %.200s", e.status, e.body)
	}
}

// An answer never repeats what was sent wrongly: it may have been a password.
func TestProblemsRepeatNothing(t *testing.T) {
	d := openDesk(t)
	const canary = "hunter2-canary"
	for path, body := range map[string]string{
		"/v1/signin":        `{"user":"ann","password":"` + canary + `"`,
		"/v1/signin/x/code": `{"code":{"a":"` + canary + `"}}`,
		"/v1/users/add":     `{"username":{"a":"` + canary + `"}}`,
		"/v1/users/passwd":  `["` + canary + `"]`,
		"/v1/users/edit":    `{"user":"x"} ` + canary,
		"/v1/tokens/create": canary,
		"/v1/mfa/reset":     `{"users":"` + canary + `"}`,
		"/v1/mfa/verify":    `{"code":17,"user":"` + canary + `"}`,
		"/v1/mfa/request":   `{"` + strings.Repeat(canary, 3) + `":17}`,
	} {
		e := d.exchange(t, d.init, "POST", path, body)
		if e.status != 400 && e.status != 422 || strings.Contains(string(e.body), canary) {
			t.Errorf("%s: %d %s", path, e.status, e.body)
		}
		if e.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept by a cache", path)
		}
	}
	if none := d.exchange(t, d.init, "POST", "/v1/tokens/create", canary); !strings.Contains(string(none.body), "it is no JSON") || strings.Contains(string(none.body), "character") {
		t.Errorf("no JSON: %s", none.body)
	}
	e := d.exchange(t, d.init, "POST", "/v1/mfa/reset", `{"max":98765432109876543210}`)
	if when := d.exchange(t, d.init, "POST", "/v1/mfa/reset", `{"users":[{"user":"x","if_enrolled_at":"`+canary+`"}]}`); !strings.Contains(string(when.body), "RFC 3339") ||
		strings.Contains(string(when.body), canary) {
		t.Errorf("a time: %s", when.body)
	}
	if answerCode(e) != "invalid" || !strings.Contains(string(e.body), "max takes no such number") || strings.Contains(string(e.body), "987") {
		t.Errorf("a number: %s", e.body)
	}
}

// FuzzCalls makes any call with anything: each answer is one of ours, and none is
// a failure inside.
func FuzzCalls(f *testing.F) {
	d := openDesk(f)
	d.add(f, "ann", logiqc.RoleUser)
	handler := httpapi.Handler(d.behind, httpapi.Options{QR: picture})
	var doc struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(d.exchange(f, "", "GET", "/openapi.json", "").body, &doc); err != nil {
		f.Fatal(err)
	}
	paths := slices.Sorted(maps.Keys(doc.Paths))
	for i := range paths {
		for _, seed := range []string{``, `{}`, `null`, `[]`, `{"user":"ann","dry_run":true}`, `{"users":[{"user":"ann","if_enrolled_at":"none"}],"given":true}`,
			`{"user":"ann","password":"correct horse battery"}`, `{"code":"123456"}`, `{"settings":[{"key":"session.ttl","value":"1h"}]}`,
			"{}\n{\"row\":1,\"username\":\"a\"}\n{\"end\":1}\n", "user=ann&after=1", "from=0&to=9", "seq=99999999999999999999",
			`{"users":[{"user":"\ud800","shown":"x"}],"code_ttl":"-1s","batch":-1}`, `{"name":"t","lifetime":"9999999h","role":"app"}`} {
			f.Add(uint8(i), seed)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, text string) {
		path := paths[int(which)%len(paths)]
		for method := range doc.Paths[path] {
			target, body := strings.Replace(path, "{attempt}", "x", 1), text
			if method == "get" {
				target, body = target+"?"+(&url.URL{RawQuery: url.PathEscape(text)}).RawQuery, ""
			}
			r := httptest.NewRequestWithContext(t.Context(), strings.ToUpper(method), target, strings.NewReader(body))
			if path != "/v1/signin" {
				r.Header.Set("Authorization", "Bearer "+d.init.Reveal())
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code >= 500 && w.Code != 503 || w.Code == 401 && strings.Contains(w.Body.String(), "helen") {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
			if w.Code != 204 && !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s %s: %d, and no JSON: %q", method, path, w.Code, w.Body)
			}
		}
	})
}
