package logiqc

import "strings"

// CheckGrounds refuses with PolicyRefused what the policy wants better founded:
// without the reason, the ticket or the verification of the caller that it
// takes, or with an unfit one; the message names the flag, and every flag where
// there is more than one to mend. With asked, what is missing will be asked for
// and is not refused yet.
func (p Policy) CheckGrounds(r Request, asked bool) error {
	var messages, hints []string
	for _, g := range []struct {
		given string
		check func(string) error
	}{{r.Reason, p.CheckReason}, {r.Ticket, p.CheckTicket}, {r.VerifiedBy, p.CheckVerifiedBy}} {
		if asked && strings.TrimSpace(g.given) == "" {
			continue
		}
		if e := AsError(g.check(g.given)); e != nil && e.Code != PolicyRefused {
			return e
		} else if e != nil {
			messages, hints = append(messages, e.Message), append(hints, e.Hint)
		}
	}
	if len(messages) == 0 {
		return nil
	}
	return refusedByPolicy("%s", strings.Join(messages, "; ")).WithHint("%s", strings.Join(hints, "; "))
}

// CheckReason refuses with PolicyRefused a reason that is missing or none of
// the list.
func (p Policy) CheckReason(s string) error {
	given := strings.TrimSpace(s) != ""
	switch {
	case !given && p.ReasonRequired:
		return refusedByPolicy("a reason is needed: --reason").WithHint("%s", p.reasonHint())
	case given && p.Reasons != "" && !p.Reasons.Has(s):
		return refusedByPolicy("--reason %q is none of the reasons to choose from", s).WithHint("%s", p.reasonHint())
	}
	return nil
}

func (p Policy) reasonHint() string {
	if p.Reasons == "" {
		return "--reason TEXT"
	}
	return "--reason takes one of: " + p.Reasons.String()
}

// CheckTicket refuses with PolicyRefused a ticket that is missing, or is not as
// a whole what the policy's expression says.
func (p Policy) CheckTicket(s string) error {
	if p.Ticket == "" {
		return nil
	}
	whole, err := wholeText(p.Ticket)
	switch {
	case err != nil:
		return Errorf(Internal, "the policy's %s: %w", KeyTicket, err)
	case strings.TrimSpace(s) == "":
		return refusedByPolicy("a ticket is needed: --ticket").WithHint("--ticket has to match %s", p.Ticket)
	case !whole.MatchString(s):
		return refusedByPolicy("--ticket %q is not as tickets are here", s).WithHint("--ticket has to match %s", p.Ticket)
	}
	return nil
}

// CheckVerifiedBy refuses with PolicyRefused a verification of the caller that
// is missing or none of the list.
func (p Policy) CheckVerifiedBy(s string) error {
	switch {
	case p.VerifiedBy == "" || p.VerifiedBy.Has(s):
		return nil
	case strings.TrimSpace(s) == "":
		return refusedByPolicy("how was the caller verified? --verified-by is needed").
			WithHint("--verified-by takes one of: %s", p.VerifiedBy)
	}
	return refusedByPolicy("--verified-by %q is none of the ways to verify a caller here", s).
		WithHint("--verified-by takes one of: %s", p.VerifiedBy)
}

func refusedByPolicy(format string, args ...any) *Error {
	return Errorf(PolicyRefused, format, args...)
}
