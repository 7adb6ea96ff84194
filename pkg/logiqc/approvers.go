package logiqc

// NobodyApproves says, in a sentence without its full stop, which resets the
// policy wants a second operator for and leaves none who could be it; "" where
// there always is one. admins and helpdesk are how many of them are active.
//
// There is always an admin (product.md R15), and two approve for each other
// whatever the policy: so it is about the only one.
func (p Policy) NobodyApproves(admins, helpdesk int) string {
	ofAnybody := p.Approval == ApproveAll || p.MaxPerHour > 0 || p.SameUserHours > 0 || p.ContactChangedHours > 0
	switch {
	case admins != 1:
	case ofAnybody && helpdesk == 0:
		return "resets take a second operator by this policy, and there is none beside the only administrator: nobody could approve them"
	case ofAnybody && p.Approvers != RoleHelpdesk:
		return "only administrators approve by this policy, and there is one: nobody could approve what that one asks for, nor the reset of their own MFA"
	case p.Approval != ApproveNone, ofAnybody:
		return "there is only one administrator: nobody could approve the reset of their own MFA, nor that of a privileged account where they ask for it"
	}
	return ""
}

// ApproverMissing is the next step where [Policy.NobodyApproves] has a word to
// say.
const ApproverMissing = "logiqc users add USERNAME --email E --role admin"
