package httpapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/logiqc/logiqc/pkg/httpapi"
	"github.com/logiqc/logiqc/pkg/service"
)

// The description of the API holds together. Where LOGIQC_TEST_OPENAPI names a file it is
// written there, for tools that are not ours (.ci/run).
func TestOpenAPI(t *testing.T) {
	d := openDesk(t)
	e := d.exchange(t, "", "GET", "/openapi.json", "")
	if file := os.Getenv("LOGIQC_TEST_OPENAPI"); file != "" {
		if err := os.WriteFile(file, e.body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var doc struct {
		OpenAPI    string
		Tags       []struct{ Name, Description string }
		Components struct {
			Schemas map[string]struct {
				Properties map[string]json.RawMessage
				Required   []string
			}
		}
	}
	if err := json.Unmarshal(e.body, &doc); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Fatalf("%s: %v", doc.OpenAPI, err)
	}
	for _, tag := range doc.Tags {
		if tag.Description == "" {
			t.Errorf("what are the calls below %s about?", tag.Name)
		}
	}
	for name, fields := range map[string]string{
		"Account": "id username email name phone status auth role protected contact_changed_at contact_changed_by mfa signin version created_at updated_at",
		"Event":   "seq id time action outcome actor source target reason ticket verified_by code details request_id",
		"Attempt": "attempt outcome user expires_at session notice",
		// Without these a generated client has no session after an enrolment.
		"Enrolled": "attempt outcome user expires_at session notice recovery_codes audit",
		"Problem":  "type title status detail code hint matches",
		"Reset":    "request_id reason given typed dry_run users code_ttl",
	} {
		schema := doc.Components.Schemas[name]
		for field := range strings.FieldsSeq(fields) {
			if schema.Properties[field] == nil {
				t.Errorf("%s has no %s: %v", name, field, schema.Properties)
			}
		}
	}
	if r := doc.Components.Schemas["Reset"].Required; len(r) > 0 {
		t.Errorf("a reset has to say %v", r)
	}
	if r := doc.Components.Schemas["Account"].Required; len(r) < 16 {
		t.Errorf("an account need not have more than %v", r)
	}
}

// schema is as much of a JSON schema as the description uses.
type schema struct {
	Ref        string `json:"$ref"`
	Properties map[string]schema
	Required   []string
	Items      *schema
	AnyOf      []schema
}

// described is the description of the API, for [described.check].
type described struct {
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct{ Schema schema }
		}
	}
	Components struct{ Schemas map[string]schema }
}

// theDescription needs no store.
var theDescription = sync.OnceValue(func() *described {
	w := httptest.NewRecorder()
	httpapi.Handler((*service.Desk)(nil), httpapi.Options{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", http.NoBody))
	d := &described{}
	if err := json.Unmarshal(w.Body.Bytes(), d); err != nil {
		panic(err)
	}
	return d
})

// check wants an answer to be as it is described: a client that was generated
// from the description sees no more than that.
func (d *described) check(t testing.TB, r *http.Request, status int, body []byte) {
	t.Helper()
	path := r.URL.Path
	if parts := strings.SplitN(path, "/", 5); len(parts) > 3 && parts[2] == "signin" {
		parts[3] = "{attempt}"
		path = strings.Join(parts, "/")
	}
	s, ok := d.Paths[path][strings.ToLower(r.Method)].Responses["200"].Content["application/json"]
	var answer any
	if status == http.StatusOK && ok && json.Unmarshal(body, &answer) == nil {
		d.match(t, r.Method+" "+path, s.Schema, answer)
	}
}

// checked carries requests, and checks the answers.
type checked struct {
	t    testing.TB
	next http.RoundTripper
}

func (c *checked) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	theDescription().check(c.t, r, resp.StatusCode, body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func (d *described) match(t testing.TB, where string, s schema, v any) {
	t.Helper()
	for _, one := range s.AnyOf { // a reference, or null
		if one.Ref != "" && v != nil {
			d.match(t, where, one, v)
		}
	}
	if s.Ref != "" {
		s = d.Components.Schemas[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]]
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if s.Items != nil {
				d.match(t, where, *s.Items, item)
			}
		}
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				t.Errorf("%s has no %s", where, name)
			}
		}
		for name, value := range v {
			if p, ok := s.Properties[name]; ok {
				d.match(t, where+"."+name, p, value)
			} else if len(s.Properties) > 0 {
				t.Errorf("%s has %s, which is not described", where, name)
			}
		}
	}
}
