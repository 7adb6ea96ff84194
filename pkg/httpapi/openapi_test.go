package httpapi_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
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
