package httpapi

import (
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// endpoint is one call, as server and client both know it. In is the JSON body
// of a POST, or for a GET a struct with a query tag at each field; Out is the
// JSON of the answer.
type endpoint[In, Out any] struct {
	id, method, path string
	summary          string
	limit            int64 // of the body in bytes; 0 is bodyLimit
	slow             bool  // may take longer than a client waits for a sign of life
}

// The most bytes of a body: of a sign-in, which anybody may start, of most
// calls, and of those that name many accounts.
const (
	signinLimit = 64 << 10
	bodyLimit   = 1 << 20
	longLimit   = 8 << 20
)

// none is In or Out of a call that takes or gives nothing.
type none struct{}

// The calls of the Service, in the order of its methods.
var (
	findUsers    = endpoint[userQuery, logiqc.UserPage]{"find-users", "GET", "/v1/users", "Find accounts, best match first", 0, false}
	getUser      = endpoint[userRef, logiqc.Account]{"show-user", "GET", "/v1/users/show", "Show one account, named exactly", 0, false}
	addUser      = endpoint[newUser, logiqc.Changed]{"add-user", "POST", "/v1/users/add", "Add an account", 0, false}
	editUser     = endpoint[logiqc.UserEdit, logiqc.Changed]{"edit-user", "POST", "/v1/users/edit", "Change an account", 0, false}
	setPassword  = endpoint[passwordChange, logiqc.Changed]{"set-password", "POST", "/v1/users/passwd", "Set a password: one's own, or an admin for others", 0, false}
	changeUsers  = endpoint[logiqc.UserChange, []logiqc.ChangeResult]{"change-users", "POST", "/v1/users/change", "Activate, deactivate, unlock, enable or disable accounts", longLimit, true}
	resetMFA     = endpoint[reset, []resetResult]{"reset-mfa", "POST", "/v1/mfa/reset", "Reset the MFA of accounts", longLimit, true}
	requestReset = endpoint[reset, []resetResult]{"request-reset", "POST", "/v1/mfa/request", "Ask that a second operator approves resets", longLimit, true}
	approvals    = endpoint[approvalQuery, []logiqc.Approval]{"list-approvals", "GET", "/v1/mfa/approvals", "List requests for approval, the one that runs out first at the front", 0, false}
	getApproval  = endpoint[approvalRef, logiqc.Approval]{"show-approval", "GET", "/v1/mfa/approvals/show", "Show one request for approval", 0, false}
	decide       = endpoint[logiqc.Decision, decided]{"decide-approval", "POST", "/v1/mfa/approvals/decide", "Approve a request, which resets in the same transaction, or reject it", 0, false}
	enforce      = endpoint[logiqc.Enforcement, logiqc.EnforcementResult]{"enforce-mfa", "POST", "/v1/mfa/enforce", "Require MFA of everybody, or not any more", 0, false}
	figures      = endpoint[none, logiqc.Figures]{"mfa-status", "GET", "/v1/mfa/status", "Count the accounts by their MFA", 0, false}
	runFigures   = endpoint[runRef, logiqc.RunFigures]{"mfa-run", "GET", "/v1/mfa/run", "Tell how far the accounts are that a run reset", 0, false}
	verifyCode   = endpoint[logiqc.CodeCheck, logiqc.CodeChecked]{"verify-code", "POST", "/v1/mfa/verify", "Prove a caller's app code", 0, false}
	secondFactor = endpoint[factorCheck, logiqc.FactorChecked]{"second-factor", "POST", "/v1/second-factor", "Check the second factor, for an application that has checked the password itself", signinLimit, false}
	issueCode    = endpoint[codeIssue, codeIssued]{"issue-enrolment-code", "POST", "/v1/mfa/enrolment-code", "Give an account that has yet to enrol a fresh enrolment code", 0, false}
	getPolicy    = endpoint[none, policy]{"show-policy", "GET", "/v1/policy", "Show the organisation's settings", 0, false}
	changePolicy = endpoint[logiqc.PolicyEdit, policyEdited]{"set-policy", "POST", "/v1/policy", "Change the organisation's settings, all or none", 0, false}
	createToken  = endpoint[newToken, createdToken]{"create-token", "POST", "/v1/tokens/create", "Make a token, which is shown once, here", 0, false}
	listTokens   = endpoint[none, []logiqc.TokenInfo]{"list-tokens", "GET", "/v1/tokens", "List tokens", 0, false}
	revokeTokens = endpoint[logiqc.Revocation, logiqc.Revoked]{"revoke-tokens", "POST", "/v1/tokens/revoke", "Revoke tokens", 0, false}
	listSessions = endpoint[userRef, []logiqc.SessionInfo]{"list-sessions", "GET", "/v1/sessions", "List live sessions: of one account, or all", 0, false}
	endSessions  = endpoint[logiqc.Revocation, logiqc.Revoked]{"revoke-sessions", "POST", "/v1/sessions/revoke", "End sessions", 0, false}
	listEvents   = endpoint[eventQuery, logiqc.EventPage]{"list-events", "GET", "/v1/events", "List events: newest first, or with after those that follow, oldest first", 0, false}
	getEvent     = endpoint[eventRef, logiqc.Event]{"show-event", "GET", "/v1/events/show", "Show one event", 0, false}
)

// query writes the fields of a struct with query tags as URL parameters; what
// is zero is left out where the server does not insist on it.
func query(in any) url.Values {
	values := url.Values{}
	v := reflect.ValueOf(in)
	for i := range v.NumField() {
		field, tag := v.Field(i), v.Type().Field(i).Tag
		name, _, _ := strings.Cut(tag.Get("query"), ",")
		if name == "" || field.IsZero() && tag.Get("required") == "" {
			continue
		}
		if field.Kind() == reflect.Slice {
			parts := make([]string, field.Len())
			for j := range parts {
				parts[j] = fmt.Sprint(field.Index(j))
			}
			values.Set(name, strings.Join(parts, ","))
			continue
		}
		values.Set(name, fmt.Sprint(field))
	}
	return values
}

// optionalBool reads "true", "false" and "".
func optionalBool(s string) *bool {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return nil
	}
	return &b
}

// boolText writes what optionalBool reads.
func boolText(b *bool) string {
	if b == nil {
		return ""
	}
	return strconv.FormatBool(*b)
}
