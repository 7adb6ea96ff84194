package httpapi

import (
	"strconv"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// userRef names one account.
type userRef struct {
	User string `query:"user" doc:"A username, an email or an id, exactly; letter case is ignored"`
}

// runRef names one run.
type runRef struct {
	Run string `query:"run" doc:"The request id of its resets"`
}

// approvalQuery is [logiqc.ApprovalQuery] as URL parameters.
type approvalQuery struct {
	All  bool `query:"all" doc:"Those that are not open any more, too, for a day"`
	Mine bool `query:"mine" doc:"Only those that the caller may approve or reject"`
}

// approvalRef names one request for approval.
type approvalRef struct {
	ID string `query:"id" doc:"Its id, or an ending of it"`
}

// eventRef names one event.
type eventRef struct {
	Seq int64 `query:"seq" json:"seq" required:"true" doc:"Its place in the log, from 0"`
}

// userQuery is [logiqc.UserQuery] as URL parameters.
type userQuery struct {
	Text              string `query:"text" doc:"Words of a name, a username or an email, in any order"`
	Status            string `query:"status" enum:"active,inactive"`
	Auth              string `query:"auth" enum:"password,sso"`
	Role              string `query:"role" enum:"user,helpdesk,auditor,admin"`
	MFA               string `query:"mfa" enum:"none,pending,enrolled"`
	Required          string `query:"required" enum:"true,false"`
	Protected         string `query:"protected" enum:"true,false"`
	AwaitingEnrolment bool   `query:"awaiting_enrolment" doc:"Only those who were reset and have not enrolled since"`
	ResetBefore       string `query:"reset_before" format:"date-time" doc:"With awaiting_enrolment: those reset before"`
	Limit             int    `query:"limit" minimum:"0" maximum:"1000" doc:"At most so many; 0 is 1000"`
	Cursor            string `query:"cursor" doc:"next of the page before"`
}

func toUserQuery(q logiqc.UserQuery) userQuery {
	return userQuery{
		Text: q.Text, Status: string(q.Status), Auth: string(q.Auth), Role: string(q.Role), MFA: string(q.MFA),
		Required: boolText(q.Required), Protected: boolText(q.Protected), AwaitingEnrolment: q.AwaitingEnrolment,
		ResetBefore: q.ResetBefore.String(), Limit: q.Limit, Cursor: q.Cursor,
	}
}

func (q userQuery) domain() (logiqc.UserQuery, error) {
	before, err := queryTime("reset_before", q.ResetBefore)
	return logiqc.UserQuery{
		Text: q.Text, Status: logiqc.Status(q.Status), Auth: logiqc.Method(q.Auth), Role: logiqc.Role(q.Role),
		MFA: logiqc.EnrolmentState(q.MFA), Required: optionalBool(q.Required), Protected: optionalBool(q.Protected),
		AwaitingEnrolment: q.AwaitingEnrolment, ResetBefore: before, Limit: q.Limit, Cursor: q.Cursor,
	}, err
}

// eventQuery is [logiqc.EventQuery] as URL parameters.
type eventQuery struct {
	User      string   `query:"user" doc:"Only events about or by this account"`
	Target    string   `query:"target" doc:"Only events about this account"`
	Actor     string   `query:"actor" doc:"Only events by this account or token"`
	Actions   []string `query:"action" doc:"Only these actions, with commas between"`
	Outcome   string   `query:"outcome" enum:"success,denied,failed"`
	Since     string   `query:"since" format:"date-time"`
	Until     string   `query:"until" format:"date-time"`
	RequestID string   `query:"request_id"`
	After     string   `query:"after" pattern:"^-?[0-9]{1,18}$" doc:"Only events with a greater seq, oldest first; -1 begins with the first"`
	Limit     int      `query:"limit" minimum:"0" maximum:"1000" doc:"At most so many; 0 is 1000"`
	Cursor    string   `query:"cursor" doc:"next of the page before"`
}

func toEventQuery(q logiqc.EventQuery) eventQuery {
	w := eventQuery{
		User: q.User, Target: q.Target, Actor: q.Actor, Outcome: string(q.Outcome), Since: q.Since.String(),
		Until: q.Until.String(), RequestID: q.RequestID, Limit: q.Limit, Cursor: q.Cursor,
	}
	for _, a := range q.Actions {
		w.Actions = append(w.Actions, string(a))
	}
	if q.After != nil {
		w.After = strconv.FormatInt(*q.After, 10)
	}
	return w
}

func (q eventQuery) domain() (d logiqc.EventQuery, err error) {
	d = logiqc.EventQuery{
		User: q.User, Target: q.Target, Actor: q.Actor, Outcome: logiqc.Outcome(q.Outcome),
		RequestID: q.RequestID, Limit: q.Limit, Cursor: q.Cursor,
	}
	for _, a := range q.Actions {
		d.Actions = append(d.Actions, logiqc.Action(a))
	}
	if q.After != "" {
		after, err := strconv.ParseInt(q.After, 10, 64)
		if err != nil {
			return d, logiqc.Errorf(logiqc.Usage, "after takes the seq of an event, not %q", q.After)
		}
		d.After = &after
	}
	if d.Since, err = queryTime("since", q.Since); err != nil {
		return d, err
	}
	d.Until, err = queryTime("until", q.Until)
	return d, err
}

// queryTime reads a time of RFC 3339; "" is never.
func queryTime(name, s string) (logiqc.Time, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, logiqc.Errorf(logiqc.Usage, "%s takes a time of RFC 3339, not %q", name, s)
	}
	return logiqc.At(t), nil
}
