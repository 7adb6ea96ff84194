package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// somePlan is what a dry run of three users writes.
func somePlan(t *testing.T) []byte {
	t.Helper()
	message := "a\u202eb <&> \u00e9"
	rows := []resetRow{
		{Row: 1, Input: "a\u202eb", resetOutcome: resetOutcome{User: "ab", Outcome: logiqc.ResetWould, NextSignin: "enrol",
			Cleared: logiqc.Cleared{Authenticator: true, RecoveryCodes: 10}, Contact: &resetContact{Email: "a@x", Message: &message}},
			dryRow: &dryRow{ID: "1", EnrolledAt: 1_700_000_000_123}},
		{Row: 2, Input: "nobody", resetOutcome: resetOutcome{Outcome: logiqc.ResetRefused, Code: logiqc.NotFound}, dryRow: &dryRow{}},
		{Row: 3, Input: "pending", resetOutcome: resetOutcome{User: "p", Outcome: logiqc.ResetWould}, dryRow: &dryRow{ID: "3"}},
	}
	hash, err := planOf(rows)
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(map[string]any{"run": "r-1", "results": rows, "summary": map[string]int{}, "plan": hash})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A plan is read back as it was made, however it is laid out; whatever was
// changed in it shows.
func TestReadPlan(t *testing.T) {
	plan := somePlan(t)
	var indented bytes.Buffer
	if err := json.Indent(&indented, plan, "", "   "); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"as written": plan, "laid out": indented.Bytes()} {
		run, rows, err := readPlan("-", bytes.NewReader(text))
		if err != nil || run != "r-1" || len(rows) != 3 || rows[0].ID != "1" || rows[0].EnrolledAt != 1_700_000_000_123 || rows[1].Code != logiqc.NotFound {
			t.Errorf("%s: %s %+v, %v", name, run, rows, err)
		}
	}
	for from, to := range map[string]string{
		`"id":"3"`: `"id":"4"`, `"pending"`: `"other"`, `would_reset`: `unchanged`, `"enrolled_at":"2023`: `"enrolled_at":"2024`,
		`"row":3`: `"row":4`, `not_found`: ``, `"plan":"`: `"plan":"0`, `"run":"r-1"`: `"run":""`, `"results":[`: `"results":[{},`,
		`"input":"nobody"`: `"input":"nobody","extra":1`, `"plan"`: `"planned"`, `{"plan`: `["plan`,
	} {
		if !bytes.Contains(plan, []byte(from)) {
			t.Fatalf("no %s in %s", from, plan)
		}
		forged := bytes.Replace(plan, []byte(from), []byte(to), 1)
		if _, _, err := readPlan("-", bytes.NewReader(forged)); !errors.Is(err, logiqc.Invalid) {
			t.Errorf("%s for %s: %v", to, from, err)
		}
	}
	for name, text := range map[string]string{"nothing": "", "a list": "jlee\n", "an answer": `{"user":"jlee","outcome":"would_reset"}`, "null": "null"} {
		if _, _, err := readPlan("-", strings.NewReader(text)); !errors.Is(err, logiqc.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, rows, err := readPlan("-", bytes.NewReader(append([]byte(bom), plan...))); err != nil || len(rows) != 3 {
		t.Errorf("with a byte order mark: %v, %v", rows, err)
	}
	// Whoever makes the hash anew cannot have the run tell of resets that it never made.
	done := []resetRow{{Row: 1, Input: "ab", resetOutcome: resetOutcome{User: "ab", Outcome: logiqc.ResetDone}, dryRow: &dryRow{ID: "1"}}}
	hash, err := planOf(done)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"run": "r-1", "results": done, "plan": hash})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := readPlan("-", bytes.NewReader(text)); !errors.Is(err, logiqc.Invalid) || !strings.Contains(err.Error(), `"reset" is no outcome of a dry run`) {
		t.Errorf("a plan of what was done: %v", err)
	}
	if _, _, err := readPlan(filepath.Join(t.TempDir(), "none"), os.Stdin); !errors.Is(err, logiqc.Usage) {
		t.Errorf("no file: %v", err)
	}
}

func FuzzReadPlan(f *testing.F) {
	f.Add([]byte(`{"run":"r","results":[],"plan":"x"}`))
	f.Add([]byte(`{"run":"r","results":[{"row":1}],"plan":""}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		run, rows, err := readPlan("-", bytes.NewReader(text))
		if err != nil && !errors.Is(err, logiqc.Invalid) {
			t.Errorf("%v", err)
		}
		if err == nil && run == "" {
			t.Errorf("a plan of no run: %+v", rows)
		}
	})
}

// When a plan stops: more than one in ten refused, and at least five.
func TestPlanRate(t *testing.T) {
	bad := logiqc.ResetResult{Outcome: logiqc.ResetRefused, Err: logiqc.Errorf(logiqc.Conflict, "changed")}
	sso := logiqc.ResetResult{Outcome: logiqc.ResetRefused, Err: logiqc.Errorf(logiqc.SSOAccount, "sso")}
	old := bad
	old.Replayed.Replayed = true
	for _, c := range []struct {
		name  string
		good  int
		bad   []logiqc.ResetResult
		stops bool
	}{
		{"few of few", 0, []logiqc.ResetResult{bad, bad, bad, bad}, false}, {"five of five", 0, []logiqc.ResetResult{bad, bad, bad, bad, bad}, true},
		{"one in ten", 45, []logiqc.ResetResult{bad, bad, bad, bad, bad}, false}, {"more", 44, []logiqc.ResetResult{bad, bad, bad, bad, bad}, true},
		{"of an earlier run", 0, []logiqc.ResetResult{old, old, old, old, old, old}, false},
		{"expected ones", 0, []logiqc.ResetResult{sso, sso, sso, sso, sso, sso}, false},
	} {
		tally := &resetTally{resetter: &resetter{plan: []resetRow{}, ignore: []logiqc.Code{logiqc.SSOAccount}}}
		err := tally.rate(append(make([]logiqc.ResetResult, c.good), c.bad...))
		if (err != nil) != c.stops || err != nil && !errors.Is(err, logiqc.Partial) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
