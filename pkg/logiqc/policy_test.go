package logiqc_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

func TestPolicySet(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{ // want: as it is shown, "!" when it is refused
		{"mfa.enforced", "false", "false"}, {"mfa.enforced", "perhaps", "!"},
		{"reset.reason", "required", "required"}, {"reset.reason", "yes", "!"}, {"reset.reason", "", "!"},
		{"reset.reasons", " new phone , lost,,", "new phone,lost"}, {"reset.reasons", "", ""},
		{"reset.reasons", strings.Repeat("x", 1001), "!"}, {"reset.reasons", "a\x00b", "!"},
		{"reset.ticket", "INC[0-9]+", "INC[0-9]+"}, {"reset.ticket", "", ""}, {"reset.ticket", "[", "!"},
		{"reset.ticket", "a)|(b", "!"}, {"reset.ticket", `(?<x`, "!"}, {"reset.ticket", `(a)\1`, "!"},
		{"reset.verified_by", "callback,in_person", "callback,in_person"}, {"reset.verified_by", "callback,name", "!"},
		{"reset.verified_by", "Date of Birth", "!"}, {"reset.verified_by", "DOB", "!"}, {"reset.verified_by", "date_of_birth", "!"},
		{"reset.verified_by", "employee_number", "!"}, {"reset.verified_by", "employee-number", "!"}, {"reset.verified_by", "staff id", "!"},
		{"reset.verified_by", "full_name", "!"}, {"reset.verified_by", "video", "video"}, {"reset.verified_by", "manager", "manager"},
		{"reset.bulk_max", "1", "1"}, {"reset.bulk_max", "0", "!"}, {"reset.bulk_max", "-5", "!"}, {"reset.bulk_max", "x", "!"},
		{"enrolment.code", "always", "always"}, {"enrolment.code", "on", "!"},
		{"enrolment.code_ttl", "72h", "72h"}, {"enrolment.code_ttl", "3d", "72h"}, {"enrolment.code_ttl", "90m", "1h30m"},
		{"enrolment.code_ttl", "30s", "!"}, {"enrolment.code_ttl", "31d", "!"}, {"enrolment.code_ttl", "0", "!"},
		{"enrolment.window", "24h", "24h"}, {"enrolment.window", "0", "0"}, {"enrolment.window", "-1h", "!"}, {"enrolment.window", "999999h", "!"},
		{"session.ttl", "8h", "8h"}, {"session.ttl", "90s", "1m30s"}, {"session.ttl", "0", "!"},
		{"totp.issuer", "St Mary's", "St Mary's"}, {"totp.issuer", "a:b", "!"},
		{"message.template", "Hi {name} of {organisation}", "Hi {name} of {organisation}"}, {"message.template", "Hi {nam}", "!"},
		{"message.template", "Hi {", "!"}, {"message.template", "{{name}}", "!"}, {"message.template", "", ""},
		{"nope", "1", "!"}, {"", "", "!"},
		{"reset.approval", "none", "none"}, {"reset.approval", "privileged", "privileged"}, {"reset.approval", "all", "all"}, {"reset.approval", "", "!"},
		{"reset.approvers", "helpdesk", "helpdesk"}, {"reset.approvers", "admin", "admin"}, {"reset.approvers", "auditor", "!"},
		{"reset.max_per_hour", "20", "20"}, {"reset.max_per_hour", "-1", "!"}, {"reset.max_per_hour", "many", "!"},
		{"stepup.minutes", "5", "5"}, {"stepup.minutes", "5m", "!"}, {"reset.same_user_hours", "24", "24"}, {"reset.same_user_hours", "999999", "!"},
		{"reset.contact_changed_hours", "0", "0"}, {"reset.contact_changed_hours", "1.5", "!"},
	} {
		p := logiqc.DefaultPolicy()
		err := p.Set(c.key, c.value)
		if c.want == "!" {
			if !errors.Is(err, logiqc.Invalid) {
				t.Errorf("%s=%q: %v", c.key, c.value, err)
			}
			continue
		}
		if got := p.Values()[c.key]; err != nil || got != c.want {
			t.Errorf("%s=%q: %q, %v", c.key, c.value, got, err)
		}
	}
}

// The defaults are those of the contract.
func TestPolicyDefaults(t *testing.T) {
	want := map[string]string{
		"mfa.enforced": "true", "reset.reason": "optional", "reset.reasons": "", "reset.ticket": "", "reset.verified_by": "",
		"reset.bulk_max": "500", "enrolment.code": "off", "enrolment.code_ttl": "15m", "enrolment.window": "0", "session.ttl": "12h",
		"totp.issuer": "Logiqc", "message.template": "", "reset.approval": "none", "reset.approvers": "admin",
		"reset.max_per_hour": "0", "reset.same_user_hours": "0", "reset.contact_changed_hours": "0", "stepup.minutes": "0",
	}
	got := logiqc.DefaultPolicy().Values()
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s is %q, want %q", key, got[key], value)
		}
	}
	if len(got) != len(want) || len(logiqc.PolicyKeys) != len(want) {
		t.Errorf("%d keys, want %d", len(got), len(want))
	}
}

// Changes are made all or none, and listed as they differ.
func TestPolicyWith(t *testing.T) {
	p := logiqc.DefaultPolicy()
	then, changes, err := p.With([]logiqc.Setting{{Key: "session.ttl", Value: "8h"}, {Key: "reset.reason", Value: "required"}, {Key: "reset.bulk_max", Value: "500"}})
	want := []logiqc.Change{{Field: "reset.reason", From: "optional", To: "required"}, {Field: "session.ttl", From: "12h", To: "8h"}}
	if err != nil || len(changes) != 2 || changes[0] != want[0] || changes[1] != want[1] || !then.ReasonRequired || then.SessionTTL != 8*time.Hour {
		t.Errorf("%+v, %v", changes, err)
	}
	if same, changes, err := p.With([]logiqc.Setting{{Key: "session.ttl", Value: "8h"}, {Key: "reset.ticket", Value: "["}}); err == nil || same != p || changes != nil {
		t.Errorf("half of it: %+v, %v", changes, err)
	}
}

func TestCheckGrounds(t *testing.T) {
	p := logiqc.DefaultPolicy()
	if err := p.CheckGrounds(logiqc.Request{}, false); err != nil {
		t.Errorf("by default: %v", err)
	}
	p.ReasonRequired, p.Reasons, p.Ticket, p.VerifiedBy = true, "new phone,lost", "INC[0-9]{3}|X", "callback,manager"
	good := logiqc.Request{Reason: "New Phone", Ticket: "INC123", VerifiedBy: "callback"}
	for _, c := range []struct {
		name  string
		asked bool
		with  func(*logiqc.Request)
		flag  string // that the refusal names, "" for none
	}{
		{"all of it", false, func(*logiqc.Request) {}, ""},
		{"no reason", false, func(r *logiqc.Request) { r.Reason = " " }, "--reason"},
		{"another reason", false, func(r *logiqc.Request) { r.Reason = "bored" }, "--reason"},
		{"no ticket", false, func(r *logiqc.Request) { r.Ticket = "" }, "--ticket"},
		{"more than a ticket", false, func(r *logiqc.Request) { r.Ticket = "INC1234" }, "--ticket"},
		{"a line after the ticket", false, func(r *logiqc.Request) { r.Ticket = "INC123\n" }, "--ticket"},
		{"the other alternative as a whole", false, func(r *logiqc.Request) { r.Ticket = "X" }, ""},
		{"the other alternative in part", false, func(r *logiqc.Request) { r.Ticket = "aX" }, "--ticket"},
		{"not verified", false, func(r *logiqc.Request) { r.VerifiedBy = "" }, "--verified-by"},
		{"verified otherwise", false, func(r *logiqc.Request) { r.VerifiedBy = "dob" }, "--verified-by"},
		{"nothing, but it will be asked", true, func(r *logiqc.Request) { *r = logiqc.Request{} }, ""},
		{"unfit, though something will be asked", true, func(r *logiqc.Request) { *r = logiqc.Request{Ticket: "1"} }, "--ticket"},
	} {
		r := good
		c.with(&r)
		err := p.CheckGrounds(r, c.asked)
		if c.flag == "" && err != nil || c.flag != "" && (!errors.Is(err, logiqc.PolicyRefused) || !strings.Contains(err.Error(), c.flag)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	p = logiqc.DefaultPolicy()
	p.Reasons = "lost"
	if p.CheckReason("") != nil || p.CheckReason("LOST") != nil || p.CheckReason("x") == nil {
		t.Error("a list alone does not make a reason required")
	}
}

func TestResetMessage(t *testing.T) {
	const end = "If you did not ask for this, call the help desk at once."
	p := logiqc.DefaultPolicy()
	a := logiqc.Account{Username: "jlee", Name: "Jordan {username} Lee", Signin: logiqc.SigninView{Next: logiqc.NextEnrol}}
	if got := p.ResetMessage(a, false); got != "Hello Jordan, your MFA was reset on {time}. Sign in as usual and set up your authenticator app again. "+end {
		t.Errorf("%q", got)
	}
	if got := p.ResetMessage(a, true); !strings.Contains(got, "type the enrolment code that the help desk gives you") || !strings.HasSuffix(got, end) {
		t.Errorf("with a code: %q", got)
	}
	a.Signin.Next = logiqc.NextPassword
	if got := p.ResetMessage(a, false); strings.Contains(got, "authenticator") {
		t.Errorf("nothing to set up where MFA is not required: %q", got)
	}
	p.Message, p.Issuer = "{name} ({username}), {organisation}: {time}. {next}", "St Mary's"
	if got := p.ResetMessage(a, false); got != "Jordan {username} Lee (jlee), St Mary's: {time}. Sign in as usual. "+end {
		t.Errorf("a template: %q", got)
	}
	p.Message = "Hi. " + end
	if got := p.ResetMessage(a, false); got != "Hi. "+end {
		t.Errorf("the end twice: %q", got)
	}
}
