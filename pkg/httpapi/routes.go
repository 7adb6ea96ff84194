package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// body and reply are how huma wants what goes in and out.
type (
	body[T any]  struct{ Body T }
	reply[T any] struct{ Body T }
)

// operation is an endpoint as huma wants it described.
func (e endpoint[In, Out]) operation() huma.Operation {
	op := huma.Operation{
		OperationID: e.id, Method: e.method, Path: e.path, Summary: e.summary, MaxBodyBytes: bodyLimit, BodyReadTimeout: readTimeout,
		SkipValidateBody: true, // see strict
		Security:         []map[string][]string{{"bearer": {}}},
	}
	if e.limit > 0 {
		op.MaxBodyBytes = e.limit
	}
	return op
}

// serve answers the calls of an endpoint.
func serve[In, Out any](h *handler, api huma.API, e endpoint[In, Out], call func(context.Context, logiqc.Service, In) (Out, error)) {
	do := func(ctx context.Context, in In) (*reply[Out], error) {
		who := callerOf(ctx)
		if who.actor.Kind == "" {
			return nil, problemOf(logiqc.Errorf(logiqc.Unauthenticated, "you are not signed in").WithHint("logiqc signin"))
		}
		out, err := call(ctx, h.backend.As(who.actor), in)
		if err != nil {
			return nil, h.failed(ctx, e.path, err)
		}
		return &reply[Out]{out}, nil
	}
	if e.method == http.MethodGet {
		huma.Register(api, e.operation(), func(ctx context.Context, in *In) (*reply[Out], error) { return do(ctx, *in) })
		return
	}
	huma.Register(api, e.operation(), func(ctx context.Context, in *body[In]) (*reply[Out], error) { return do(ctx, in.Body) })
}

// serviceRoutes serves the methods of the Service, one by one.
func (h *handler) serviceRoutes(api huma.API) {
	type (
		ctx = context.Context
		svc = logiqc.Service
	)
	serve(h, api, findUsers, func(c ctx, s svc, in userQuery) (out logiqc.UserPage, err error) {
		q, err := in.domain()
		if err != nil {
			return out, err
		}
		return s.FindUsers(c, q)
	})
	serve(h, api, getUser, func(c ctx, s svc, in userRef) (logiqc.Account, error) { return s.GetUser(c, in.User) })
	serve(h, api, addUser, func(c ctx, s svc, in newUser) (logiqc.Changed, error) { return s.AddUser(c, in.domain()) })
	serve(h, api, editUser, func(c ctx, s svc, in logiqc.UserEdit) (logiqc.Changed, error) { return s.EditUser(c, in) })
	serve(h, api, setPassword, func(c ctx, s svc, in passwordChange) (logiqc.Changed, error) { return s.SetPassword(c, in.domain()) })
	serve(h, api, changeUsers, func(c ctx, s svc, in logiqc.UserChange) ([]logiqc.ChangeResult, error) { return s.ChangeUsers(c, in) })
	serve(h, api, resetMFA, func(c ctx, s svc, in reset) ([]resetResult, error) {
		out, err := s.ResetMFA(c, in.domain())
		return each(out, toResetResult), err
	})
	serve(h, api, requestReset, func(c ctx, s svc, in reset) ([]resetResult, error) {
		out, err := s.RequestReset(c, in.domain())
		return each(out, toResetResult), err
	})
	serve(h, api, approvals, func(c ctx, s svc, in approvalQuery) ([]logiqc.Approval, error) {
		return s.Approvals(c, logiqc.ApprovalQuery{All: in.All})
	})
	serve(h, api, getApproval, func(c ctx, s svc, in approvalRef) (logiqc.Approval, error) { return s.Approval(c, in.ID) })
	serve(h, api, decide, func(c ctx, s svc, in logiqc.Decision) (decided, error) {
		out, err := s.DecideApproval(c, in)
		return toDecided(out), err
	})
	serve(h, api, enforce, func(c ctx, s svc, in logiqc.Enforcement) (logiqc.EnforcementResult, error) { return s.Enforce(c, in) })
	serve(h, api, figures, func(c ctx, s svc, _ none) (logiqc.Figures, error) { return s.Figures(c) })
	serve(h, api, runFigures, func(c ctx, s svc, in runRef) (logiqc.RunFigures, error) { return s.Run(c, in.Run) })
	serve(h, api, verifyCode, func(c ctx, s svc, in logiqc.CodeCheck) (logiqc.CodeChecked, error) { return s.VerifyCode(c, in) })
	serve(h, api, issueCode, func(c ctx, s svc, in codeIssue) (codeIssued, error) {
		out, err := s.IssueEnrolmentCode(c, in.domain())
		return toCodeIssued(out), err
	})
	serve(h, api, getPolicy, func(c ctx, s svc, _ none) (policy, error) {
		p, err := s.Policy(c)
		return policy(p), err
	})
	serve(h, api, changePolicy, func(c ctx, s svc, in logiqc.PolicyEdit) (policyEdited, error) {
		out, err := s.ChangePolicy(c, in)
		return toPolicyEdited(out), err
	})
	serve(h, api, createToken, func(c ctx, s svc, in newToken) (createdToken, error) {
		info, token, err := s.CreateToken(c, in.domain())
		return createdToken{info, token.Reveal()}, err
	})
	serve(h, api, listTokens, func(c ctx, s svc, _ none) ([]logiqc.TokenInfo, error) { return s.Tokens(c) })
	serve(h, api, revokeTokens, func(c ctx, s svc, in logiqc.Revocation) (logiqc.Revoked, error) { return s.RevokeTokens(c, in) })
	serve(h, api, listSessions, func(c ctx, s svc, in userRef) ([]logiqc.SessionInfo, error) { return s.Sessions(c, in.User) })
	serve(h, api, endSessions, func(c ctx, s svc, in logiqc.Revocation) (logiqc.Revoked, error) { return s.RevokeSessions(c, in) })
	serve(h, api, listEvents, func(c ctx, s svc, in eventQuery) (out logiqc.EventPage, err error) {
		q, err := in.domain()
		if err != nil {
			return out, err
		}
		return s.Events(c, q)
	})
	serve(h, api, getEvent, func(c ctx, s svc, in eventRef) (logiqc.Event, error) { return s.EventAt(c, in.Seq) })
	serve(h, api, whoAmI, func(_ ctx, s svc, _ none) (actor, error) { return toActor(s.Actor()), nil })
	h.importRoute(api)
}
