package httpapi_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// rightOf is the one right with which a token may make a call; a call that is not
// named here takes a token of a role.
var rightOf = map[string]logiqc.Right{
	"find-users": logiqc.UsersRead, "show-user": logiqc.UsersRead, "mfa-status": logiqc.UsersRead, "mfa-run": logiqc.UsersRead,
	"show-policy": logiqc.UsersRead,
	"add-user":    logiqc.UsersWrite, "edit-user": logiqc.UsersWrite, "set-password": logiqc.UsersWrite, "change-users": logiqc.UsersWrite,
	"import-users": logiqc.UsersWrite,
	"reset-mfa":    logiqc.MFAReset, "request-reset": logiqc.MFAReset, "list-approvals": logiqc.MFAReset, "show-approval": logiqc.MFAReset,
	"issue-enrolment-code": logiqc.MFAReset, "unlock": logiqc.MFAReset, "reset-typed": logiqc.MFAReset, "audit-receipt": logiqc.MFAReset,
	"verify-code": logiqc.MFAVerify, "list-events": logiqc.AuditRead, "show-event": logiqc.AuditRead, "second-factor": logiqc.SecondFactor,
}

// A token that carries one right makes the calls of that right, for an account
// that is not privileged, and no other call, although an administrator made it.
func TestAccessOfSingleRights(t *testing.T) {
	d := openDesk(t)
	ops := d.operations(t)
	d.cast(t)
	for _, right := range logiqc.TokenRights {
		token := d.token(t, logiqc.NewToken{Name: string(right), Allow: []logiqc.Right{right}})
		for _, id := range slices.Sorted(maps.Keys(rows)) {
			op, ok := ops[id]
			if !ok {
				op = ops[alsoCalled[id]]
			}
			code := d.try(t, token, op, rows[id].request(plain))
			got, want := !slices.Contains(refusals, code), id == "whoami" || rightOf[id] == right
			if got != want {
				t.Errorf("%s with %s: %q, want it allowed: %t", id, right, code, want)
			}
		}
	}
}
