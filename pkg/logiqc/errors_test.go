package logiqc_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// The contract of cli.md, "Exit status", written down a second time on purpose:
// a change of the table must be a change of the promise.
var promised = map[int][]logiqc.Code{
	1: {"internal"},
	2: {"usage", "invalid"},
	3: {"not_found"},
	4: {"unauthenticated", "forbidden", "signin_denied"},
	5: {"sso_account", "self_reset", "enforced", "privileged", "duplicate", "already_enrolled", "last_admin", "exists",
		"policy", "approval_required", "rejected", "expired", "wrong_code", "throttled", "code_required",
		"enrolment_required", "enrolment_code_required", "held", "moved", "frozen"},
	6: {"ambiguous"}, 7: {"cancelled", "confirmation_required"}, 8: {"partial"}, 9: {"integrity"}, 10: {"conflict"},
	11: {"unavailable"}, 12: {"unknown_outcome"},
}

// statuses is cli.md's "Codes → status" by exit status.
var statuses = map[int][]int{
	1: {500}, 2: {400, 422}, 3: {404}, 4: {401, 403}, 5: {409, 429}, 6: {409}, 7: {409}, 8: {409}, 9: {500}, 10: {412},
	11: {503}, 12: {504},
}

func TestEveryCodeHasItsExitAndHTTPStatus(t *testing.T) {
	seen := 0
	for exit, codes := range promised {
		for _, c := range codes {
			seen++
			if got := c.ExitStatus(); got != exit {
				t.Errorf("%s: exit %d, promised %d", c, got, exit)
			}
			ok := false
			for _, s := range statuses[exit] {
				ok = ok || c.HTTPStatus() == s
			}
			if !ok {
				t.Errorf("%s: HTTP %d, want one of %v", c, c.HTTPStatus(), statuses[exit])
			}
		}
	}
	if all := len(logiqc.Codes()); all != seen {
		t.Errorf("%d codes, %d promised", all, seen)
	}
	if logiqc.Throttled.HTTPStatus() != 429 {
		t.Errorf("throttled: HTTP %d", logiqc.Throttled.HTTPStatus())
	}
	if logiqc.Code("made up").ExitStatus() != 1 || logiqc.Code("made up").HTTPStatus() != 500 {
		t.Error("an unknown code is not an unexpected failure")
	}
}

func TestErrorIsItsCode(t *testing.T) {
	cause := errors.New("disk on fire")
	err := fmt.Errorf("reset: %w", logiqc.Errorf(logiqc.Unavailable, "cannot write: %w", cause).WithHint("logiqc %s", "doctor"))
	if !errors.Is(err, logiqc.Unavailable) || errors.Is(err, logiqc.Conflict) || !errors.Is(err, cause) {
		t.Errorf("%v is not what it wraps", err)
	}
	e := logiqc.AsError(err)
	if e.Code != logiqc.Unavailable || e.Message != "cannot write: disk on fire" || e.Hint != "logiqc doctor" {
		t.Errorf("got %+v", e)
	}
	if logiqc.AsError(nil) != nil {
		t.Error("no error became one")
	}
	if e := logiqc.AsError(cause); e.Code != logiqc.Internal || !errors.Is(e, cause) {
		t.Errorf("got %+v", e)
	}
	if e := logiqc.AsError(fmt.Errorf("x: %w", logiqc.NotFound)); e.Code != logiqc.NotFound {
		t.Errorf("got %+v", e)
	}
}

func TestWhichRefusalsAreRecorded(t *testing.T) {
	for code, want := range map[logiqc.Code]bool{
		logiqc.Forbidden: true, logiqc.SSOAccount: true, logiqc.Enforced: true, logiqc.SigninDenied: true,
		logiqc.Unauthenticated: false, logiqc.NotFound: false, logiqc.Ambiguous: false, logiqc.Usage: false,
		logiqc.Cancelled: false, logiqc.ConfirmationRequired: false, logiqc.Conflict: false, logiqc.Unavailable: false,
	} {
		if got := logiqc.Errorf(code, "x").Recorded(); got != want {
			t.Errorf("%s: recorded %t", code, got)
		}
	}
}

// A value that is as long as a request can be was repeated whole in the error.
func TestErrorsRepeatLittle(t *testing.T) {
	huge := strings.Repeat("ü", 50_000)
	p := logiqc.DefaultPolicy()
	for key, value := range map[string]string{logiqc.KeyReason: huge, logiqc.KeyBulkMax: strings.Repeat("9", 50_000), logiqc.KeySessionTTL: huge,
		logiqc.KeyMessage: huge, huge: "x"} {
		err := logiqc.AsError(p.Set(key, value))
		if err.Code != logiqc.Invalid || len(err.Message) > 2_000 || !strings.Contains(err.Message, "…") || !utf8.ValidString(err.Message) {
			t.Errorf("%.20s: %s, %d bytes: %.300s", key, err.Code, len(err.Message), err.Message)
		}
	}
	reason := strings.Repeat("r", logiqc.MaxReason)
	if e := logiqc.Errorf(logiqc.Invalid, "%q and %d", reason, 7); e.Message != strconv.Quote(reason)+" and 7" {
		t.Errorf("what may be given is cut: %s", e.Message)
	}
}
