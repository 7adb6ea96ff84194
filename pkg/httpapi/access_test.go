package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/servicetest"
)

// may says who may make a call: by the letters of callers, against each kind of
// target, "" where there is none. Whoever is not named is refused.
type may map[string]string

// The callers, by letter: nobody, user, the token of an application, help desk,
// auditor, administrator, and tokens of the last three.
const callers = "-upHAXhax"

// The kinds of target. A caller's own account is another row: self.
const (
	noTarget = ""
	plain    = "ann"  // an account that is not privileged
	desk2    = "hal"  // of the help desk
	admin2   = "boss" // an administrator
	self     = "self"
)

// desks, admins and so on are the callers of several rows.
const (
	people  = "uHAX"   // everybody who signs in
	readers = "HAXhax" // who finds and shows accounts
	desks   = "HXhx"   // who resets
	admins  = "Xx"
	proof   = "AXax" // who checks the log
)

// row is who may make one call. request makes its body, or its query for a GET.
type row struct {
	request func(target string) string
	may     may
}

func always(s string) func(string) string { return func(string) string { return s } }

func about(format string) func(string) string {
	return func(target string) string { return fmt.Sprintf(format, target) }
}

// everyTarget gives the same callers for each kind of target but oneself.
func everyTarget(callers string) may { return may{plain: callers, desk2: callers, admin2: callers} }

// rows is product.md's table of R1, call by call. Nothing in it changes the
// store: it asks for dry runs and previews.
var rows = map[string]row{
	"find-users":   {always("limit=1"), may{noTarget: readers}},
	"show-user":    {about("user=%s"), everyTarget(readers)},
	"add-user":     {always(`{"username":"new","email":"n@x","dry_run":true}`), may{noTarget: admins}},
	"edit-user":    {about(`{"user":%q,"phone":"1","dry_run":true}`), everyTarget(admins)},
	"set-password": {about(`{"user":%q,"new":"quite another one","dry_run":true}`), everyTarget(admins)},
	"import-users": {always(`{"dry_run":true}` + "\n" + `{"end":0}`), may{noTarget: admins}},
	// Of the five verbs the help desk has one.
	"change-users": {about(`{"verb":"deactivate","users":[%q],"dry_run":true}`), everyTarget(admins)},
	"unlock":       {about(`{"verb":"unlock","users":[%q],"dry_run":true}`), may{plain: desks, desk2: admins, admin2: admins}},

	"reset-mfa": {about(`{"users":[{"user":%q}],"dry_run":true,"typed":""}`), may{plain: desks, self: ""}},
	"reset-typed": {func(target string) string {
		return fmt.Sprintf(`{"users":[{"user":%q}],"dry_run":true,"typed":%q}`, target, target)
	}, may{plain: desks, desk2: "X", admin2: "X", self: ""}},
	"request-reset":        {about(`{"users":[{"user":%q}],"dry_run":true}`), may{plain: desks, desk2: desks, admin2: desks, self: ""}},
	"list-approvals":       {always(""), may{noTarget: desks}},
	"show-approval":        {always("id=0000"), may{noTarget: desks}},
	"decide-approval":      {always(`{"id":"0000","approve":true,"dry_run":true}`), may{noTarget: "X"}},
	"enforce-mfa":          {always(`{"on":true,"dry_run":true}`), may{noTarget: admins}},
	"mfa-status":           {always(""), may{noTarget: readers}},
	"mfa-run":              {always("run=none"), may{noTarget: readers}},
	"verify-code":          {about(`{"user":%q,"code":"000000"}`), may{plain: desks, desk2: admins, admin2: admins, self: ""}},
	"second-factor":        {about(`{"user":%q,"code":"000000"}`), everyTarget("x")},
	"issue-enrolment-code": {about(`{"user":%q,"dry_run":true}`), may{plain: desks, desk2: admins, admin2: admins, self: ""}},
	"show-policy":          {always(""), may{noTarget: readers}},
	"set-policy":           {always(`{"settings":[],"dry_run":true}`), may{noTarget: admins}},
	"create-token":         {always(`{"name":"t","role":"app","dry_run":true}`), may{noTarget: admins}},
	"list-tokens":          {always(""), may{noTarget: admins}},
	"revoke-tokens":        {always(`{"id":"none","dry_run":true}`), may{noTarget: admins}},
	"list-sessions":        {about("user=%s"), may{plain: admins, desk2: admins, admin2: admins, self: people + "x"}},
	"revoke-sessions":      {about(`{"user":%q,"dry_run":true}`), may{plain: admins, desk2: admins, admin2: admins, self: people + "x"}},
	"list-events":          {always("limit=1"), may{noTarget: people + "hax"}},
	"show-event":           {always("seq=0"), may{noTarget: people + "hax"}},
	"whoami":               {always(""), may{noTarget: people + "phax"}},

	"audit-evidence":   {always(""), may{noTarget: proof}},
	"audit-head":       {always(""), may{noTarget: proof}},
	"audit-leaves":     {always("from=0&to=1"), may{noTarget: proof}},
	"audit-hashes":     {always("from=0&to=1"), may{noTarget: proof}},
	"audit-hashes-at":  {always("indexes=0"), may{noTarget: proof}},
	"audit-checkpoint": {always(""), may{noTarget: proof}},
	"audit-prove":      {always(`{"seq":0}`), may{noTarget: proof}},
	"audit-receipt":    {always(`{"seq":0,"id":"none"}`), may{noTarget: desks}},
	"audit-export":     {always(`{"folder":"/x"}`), may{noTarget: proof}},
	"audit-reconcile":  {always(""), may{noTarget: proof}},
	"audit-add-witness": {always(`{"url":"http://127.0.0.1:9","key":"w.example/1+bcd5f9c1+BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f","dry_run":true}`),
		may{noTarget: admins}},
	"audit-remove-witness": {always(`{"name":"none","dry_run":true}`), may{noTarget: admins}},
	"audit-keep-anchor":    {always(`{"place":"file:/x","note":"none"}`), may{noTarget: proof}},
	"audit-checkup":        {always(""), may{noTarget: proof}},
}

// Calls that are rows of another call, for another thing it does.
var alsoCalled = map[string]string{"unlock": "change-users", "reset-typed": "reset-mfa"}

// The calls that need nobody: the way in and out, which have tests of their own.
var open = []string{"signin", "signin-code", "signin-recovery-code", "signin-enrolment-code", "start-enrolment",
	"prove-enrolment", "recovery-codes", "cancel-signin", "signout", "healthz", "readyz"}

// operation is a call as the description of the API has it.
type operation struct{ method, path string }

// operations are the calls by their names, from /openapi.json.
func (d *desk) operations(t *testing.T) map[string]operation {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(d.exchange(t, "", "GET", "/openapi.json", "").body, &doc); err != nil {
		t.Fatal(err)
	}
	out := map[string]operation{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			out[op.OperationID] = operation{strings.ToUpper(method), path}
		}
	}
	return out
}

// cast makes the callers: their sessions and tokens, and the accounts these act
// for.
func (d *desk) cast(t *testing.T) (bearers map[byte]logiqc.Secret, accounts map[byte]string) {
	t.Helper()
	helen := d.helen(t)
	if _, err := helen.Enforce(t.Context(), logiqc.Enforcement{Request: logiqc.Request{Consent: logiqc.Consent{Given: true}}}); err != nil {
		t.Fatal(err)
	}
	d.add(t, plain, logiqc.RoleUser)
	d.add(t, desk2, logiqc.RoleHelpdesk)
	d.add(t, admin2, logiqc.RoleAdmin)
	bearers = map[byte]logiqc.Secret{'-': ""}
	accounts = map[byte]string{}
	for letter, who := range map[byte]struct {
		name string
		role logiqc.Role
	}{'u': {"ursula", logiqc.RoleUser}, 'H': {"priya", logiqc.RoleHelpdesk}, 'A': {"ines", logiqc.RoleAuditor}, 'X': {"tom", logiqc.RoleAdmin}} {
		d.add(t, who.name, who.role)
		at, err := d.SignIn().Start(t.Context(), logiqc.SigninRequest{User: who.name, Password: servicetest.Password, Purpose: logiqc.SigninPurpose})
		if err != nil || at.Stage != logiqc.StageSignedIn {
			t.Fatalf("%s: %+v, %v", who.name, at, err)
		}
		bearers[letter], accounts[letter] = at.Token, who.name
	}
	tom, err := d.As(t.Context(), bearers['X'])
	if err != nil {
		t.Fatal(err)
	}
	for letter, role := range map[byte]logiqc.Role{'p': logiqc.RoleApp, 'h': logiqc.RoleHelpdesk, 'a': logiqc.RoleAuditor, 'x': logiqc.RoleAdmin} {
		_, token, err := tom.CreateToken(t.Context(), logiqc.NewToken{Name: "of " + string(role), Role: role})
		if err != nil {
			t.Fatal(err)
		}
		bearers[letter], accounts[letter] = token, "tom"
	}
	return bearers, accounts
}

// answerCode is the code of the failure in an answer, or of that of the one
// account it is about; "" for a success.
func answerCode(e exchanged) string {
	var p struct{ Code string }
	if e.status >= 400 {
		if json.Unmarshal(e.body, &p) != nil || p.Code == "" {
			return "no problem of ours: " + string(e.body)
		}
		return p.Code
	}
	var results []struct {
		Error *struct{ Code string } `json:"error"`
	}
	if json.Unmarshal(e.body, &results) == nil && len(results) == 1 && results[0].Error != nil {
		return results[0].Error.Code
	}
	return ""
}

// refusals are the codes by which somebody is refused for who they are, or for
// whom it is about.
var refusals = []string{"unauthenticated", "forbidden", "self_reset", "privileged"}

// Who may what, on the raw protocol: each call by each caller against each kind
// of target. A call without a row fails (S-87, ASVS 8.3.1, GHSA-rxmp-8h9v-56cx).
func TestAccess(t *testing.T) {
	d := openDesk(t)
	ops := d.operations(t)
	for id := range ops {
		if _, ok := rows[id]; !ok && !slices.Contains(open, id) {
			t.Errorf("%s has no row: who may call it?", id)
		}
	}
	bearers, accounts := d.cast(t)
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		op, ok := ops[id]
		if !ok {
			op, ok = ops[alsoCalled[id]]
		}
		if !ok {
			t.Errorf("there is no call %s", id)
			continue
		}
		for target, allowed := range rows[id].may {
			for i := range len(callers) {
				letter := callers[i]
				name := target
				if target == self {
					if name = accounts[letter]; name == "" {
						continue
					}
				}
				code := d.try(t, bearers[letter], op, rows[id].request(name))
				got := !slices.Contains(refusals, code)
				if want := strings.IndexByte(allowed, letter) >= 0; got != want || strings.HasPrefix(code, "no problem") || code == "internal" {
					t.Errorf("%s by %c about %q: %q, want it allowed: %t", id, letter, target, code, want)
				}
			}
		}
	}
}

// try makes a call and returns the code of its failure.
func (d *desk) try(t *testing.T, bearer logiqc.Secret, op operation, request string) string {
	t.Helper()
	path, body := op.path, request
	if op.method == "GET" {
		path, body = op.path+"?"+request, ""
	}
	return answerCode(d.exchange(t, bearer, op.method, path, body))
}

// Nobody learns what there is: every address below /v1/ but the way in answers
// 401 to whoever has neither session nor token.
func TestNothingForNobody(t *testing.T) {
	d := openDesk(t)
	for _, bearer := range []logiqc.Secret{"", "x", "lqs_x", d.init + "x"} {
		for _, path := range []string{"/v1/users", "/v1/none", "/v1/", "/v1/signin2", "/v1/users/../users", "/v1//users", "/v1/users/", "/v1/session", "/v1/second-factor"} {
			e := d.exchange(t, bearer, "GET", path, "")
			if e.status != 401 || answerCode(e) != "unauthenticated" || e.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s with %d characters: %d %s", path, len(bearer.Reveal()), e.status, e.body)
			}
		}
	}
	for _, ask := range []string{"GET /v1/users?limit=1&limit=2", "GET /v1/users?text=%zz", "DELETE /v1/session?x=1&x=2"} { // nor what is wrong with it
		method, path, _ := strings.Cut(ask, " ")
		if e := d.exchange(t, "", method, path, ""); e.status != 401 || answerCode(e) != "unauthenticated" {
			t.Errorf("%s: %d %s", ask, e.status, e.body)
		}
	}
	if e := d.exchange(t, d.init, "GET", "/v1/none", ""); e.status != 404 || answerCode(e) != "not_found" {
		t.Errorf("an unknown address: %d %s", e.status, e.body)
	}
	if e := d.exchange(t, d.init, "PATCH", "/v1/users", "{}"); e.status != 405 || e.header.Get("Allow") == "" || answerCode(e) != "usage" {
		t.Errorf("an unknown method: %d %s", e.status, e.body)
	}
	for path, want := range map[string]int{
		"/v1/users/": 404, "/v1//users": 404, "/v1/signin/../users": 404, // nobody is sent elsewhere
		"/v1/users?limit=1&limit=2": 422, "/v1/users?text=%zz": 422, "/v1/users?text=%ff": 422, "/v1/users/show?user=a%00": 422, // nothing is passed over
	} {
		if e := d.exchange(t, d.init, "GET", path, ""); e.status != want || strings.HasPrefix(answerCode(e), "no problem") {
			t.Errorf("%s: %d %s", path, e.status, e.body)
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/openapi.json"} {
		if e := d.exchange(t, "", "GET", path, ""); e.status != 200 {
			t.Errorf("%s: %d", path, e.status)
		}
	}
}

// A role that was taken away and a token that was revoked are of no use at the
// very next request.
func TestAtTheNextRequest(t *testing.T) {
	d := openDesk(t)
	bearers, _ := d.cast(t)
	helen := d.helen(t)
	desk, err := d.As(t.Context(), bearers['H'])
	if err != nil {
		t.Fatal(err)
	}
	role := logiqc.RoleUser
	if _, err := helen.EditUser(t.Context(), logiqc.UserEdit{User: "priya", Role: &role}); err != nil {
		t.Fatal(err)
	}
	if _, err := desk.GetUser(t.Context(), plain); logiqc.AsError(err).Code != logiqc.Unauthenticated {
		t.Errorf("with the role taken away: %v", err)
	}
	tokens, err := helen.Tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range tokens {
		if k.Role != logiqc.RoleAuditor {
			continue
		}
		d.raw(t, 200, bearers['a'], "GET", "/v1/users?limit=1", "")
		_, err := helen.RevokeTokens(t.Context(), logiqc.Revocation{Request: logiqc.Request{Consent: logiqc.Consent{Given: true}}, ID: k.ID})
		if err != nil {
			t.Fatal(err)
		}
		d.raw(t, 401, bearers['a'], "GET", "/v1/users?limit=1", "")
	}
	if _, err := helen.ChangeUsers(t.Context(), logiqc.UserChange{Request: logiqc.Request{Consent: logiqc.Consent{Given: true}},
		Verb: logiqc.Deactivate, Users: []string{"tom"}}); err != nil {
		t.Fatal(err)
	}
	d.raw(t, 401, bearers['X'], "GET", "/v1/users?limit=1", "")
	d.raw(t, 401, bearers['x'], "GET", "/v1/users?limit=1", "") // his token with him
}
