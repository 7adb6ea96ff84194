package httpapi

import (
	"context"
	"net/http"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// service is the Service of one actor, from afar.
type service struct {
	client *Client
	bearer logiqc.Secret
	actor  logiqc.Actor
}

// ask makes a call that changes nothing.
func ask[In, Out any](ctx context.Context, s *service, e endpoint[In, Out], in In) (out Out, err error) {
	err = s.client.send(ctx, outgoing{method: http.MethodGet, path: e.path, query: query(in), bearer: s.bearer,
		source: s.actor.Source, again: true}, &out)
	return out, err
}

// tell makes a call that changes something. It may be made again only if the
// server remembers its outcome under the request's id, or it changes nothing.
func tell[In, Out any](ctx context.Context, s *service, e endpoint[In, Out], r logiqc.Request, in In) (out Out, err error) {
	err = s.client.send(ctx, outgoing{method: http.MethodPost, path: e.path, body: in, bearer: s.bearer,
		source: s.actor.Source, request: r.RequestID, again: r.DryRun || r.Remember && r.RequestID != "", dry: r.DryRun}, &out)
	return out, err
}

// Actor implements [logiqc.Service].
func (s *service) Actor() logiqc.Actor { return s.actor }

// FindUsers implements [logiqc.Service].
func (s *service) FindUsers(ctx context.Context, q logiqc.UserQuery) (logiqc.UserPage, error) {
	return ask(ctx, s, findUsers, toUserQuery(q))
}

// GetUser implements [logiqc.Service].
func (s *service) GetUser(ctx context.Context, ref string) (logiqc.Account, error) {
	return ask(ctx, s, getUser, userRef{ref})
}

// AddUser implements [logiqc.Service].
func (s *service) AddUser(ctx context.Context, r logiqc.NewUser) (logiqc.Changed, error) {
	return tell(ctx, s, addUser, r.Request, toNewUser(r))
}

// EditUser implements [logiqc.Service].
func (s *service) EditUser(ctx context.Context, r logiqc.UserEdit) (logiqc.Changed, error) {
	return tell(ctx, s, editUser, r.Request, r)
}

// SetPassword implements [logiqc.Service].
func (s *service) SetPassword(ctx context.Context, r logiqc.PasswordChange) (logiqc.Changed, error) {
	return tell(ctx, s, setPassword, r.Request, toPasswordChange(r))
}

// ChangeUsers implements [logiqc.Service].
func (s *service) ChangeUsers(ctx context.Context, r logiqc.UserChange) ([]logiqc.ChangeResult, error) {
	return tell(ctx, s, changeUsers, r.Request, r)
}

// ResetMFA implements [logiqc.Service].
func (s *service) ResetMFA(ctx context.Context, r logiqc.Reset) ([]logiqc.ResetResult, error) {
	out, err := tell(ctx, s, resetMFA, r.Request, toReset(r))
	if err != nil {
		return nil, err
	}
	return each(out, resetResult.domain), nil
}

// RequestReset implements [logiqc.Service].
func (s *service) RequestReset(ctx context.Context, r logiqc.Reset) ([]logiqc.ResetResult, error) {
	out, err := tell(ctx, s, requestReset, r.Request, toReset(r))
	if err != nil {
		return nil, err
	}
	return each(out, resetResult.domain), nil
}

// Approvals implements [logiqc.Service].
func (s *service) Approvals(ctx context.Context, q logiqc.ApprovalQuery) ([]logiqc.Approval, error) {
	return ask(ctx, s, approvals, approvalQuery(q))
}

// Approval implements [logiqc.Service].
func (s *service) Approval(ctx context.Context, ref string) (logiqc.Approval, error) {
	return ask(ctx, s, getApproval, approvalRef{ref})
}

// DecideApproval implements [logiqc.Service].
func (s *service) DecideApproval(ctx context.Context, d logiqc.Decision) (logiqc.Decided, error) {
	out, err := tell(ctx, s, decide, d.Request, d)
	return out.domain(), err
}

// Enforce implements [logiqc.Service].
func (s *service) Enforce(ctx context.Context, r logiqc.Enforcement) (logiqc.EnforcementResult, error) {
	return tell(ctx, s, enforce, r.Request, r)
}

// Figures implements [logiqc.Service].
func (s *service) Figures(ctx context.Context) (logiqc.Figures, error) {
	return ask(ctx, s, figures, none{})
}

// Policy implements [logiqc.Service].
func (s *service) Policy(ctx context.Context) (logiqc.Policy, error) {
	p, err := ask(ctx, s, getPolicy, none{})
	return logiqc.Policy(p), err
}

// ChangePolicy implements [logiqc.Service].
func (s *service) ChangePolicy(ctx context.Context, r logiqc.PolicyEdit) (logiqc.PolicyEdited, error) {
	out, err := tell(ctx, s, changePolicy, r.Request, r)
	return out.domain(), err
}

// VerifyCode implements [logiqc.Service].
func (s *service) VerifyCode(ctx context.Context, r logiqc.CodeCheck) (logiqc.CodeChecked, error) {
	return tell(ctx, s, verifyCode, r.Request, r)
}

// SecondFactor implements [logiqc.Service].
func (s *service) SecondFactor(ctx context.Context, r logiqc.FactorCheck) (logiqc.FactorChecked, error) {
	return tell(ctx, s, secondFactor, logiqc.Request{}, toFactorCheck(r))
}

// IssueEnrolmentCode implements [logiqc.Service].
func (s *service) IssueEnrolmentCode(ctx context.Context, r logiqc.CodeIssue) (logiqc.CodeIssued, error) {
	out, err := tell(ctx, s, issueCode, r.Request, toCodeIssue(r))
	return out.domain(), err
}

// Run implements [logiqc.Service].
func (s *service) Run(ctx context.Context, requestID string) (logiqc.RunFigures, error) {
	return ask(ctx, s, runFigures, runRef{requestID})
}

// CreateToken implements [logiqc.Service].
func (s *service) CreateToken(ctx context.Context, r logiqc.NewToken) (logiqc.TokenInfo, logiqc.Secret, error) {
	out, err := tell(ctx, s, createToken, r.Request, toNewToken(r))
	return out.TokenInfo, logiqc.Secret(out.Token), err
}

// Tokens implements [logiqc.Service].
func (s *service) Tokens(ctx context.Context) ([]logiqc.TokenInfo, error) {
	return ask(ctx, s, listTokens, none{})
}

// RevokeTokens implements [logiqc.Service].
func (s *service) RevokeTokens(ctx context.Context, r logiqc.Revocation) (logiqc.Revoked, error) {
	return tell(ctx, s, revokeTokens, r.Request, r)
}

// Sessions implements [logiqc.Service].
func (s *service) Sessions(ctx context.Context, ref string) ([]logiqc.SessionInfo, error) {
	return ask(ctx, s, listSessions, userRef{ref})
}

// RevokeSessions implements [logiqc.Service].
func (s *service) RevokeSessions(ctx context.Context, r logiqc.Revocation) (logiqc.Revoked, error) {
	return tell(ctx, s, endSessions, r.Request, r)
}

// Events implements [logiqc.Service].
func (s *service) Events(ctx context.Context, q logiqc.EventQuery) (logiqc.EventPage, error) {
	return ask(ctx, s, listEvents, toEventQuery(q))
}

// EventAt implements [logiqc.Service].
func (s *service) EventAt(ctx context.Context, seq int64) (logiqc.Event, error) {
	return ask(ctx, s, getEvent, eventRef{seq})
}
