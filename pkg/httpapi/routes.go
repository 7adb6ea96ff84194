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

// serve answers the calls of an endpoint. call may be a method of the Service as
// it stands.
func serve[In, Out any](h *handler, api huma.API, e endpoint[In, Out], call func(logiqc.Service, context.Context, In) (Out, error)) {
	do := func(ctx context.Context, in In) (*reply[Out], error) {
		who := callerOf(ctx)
		if who.actor.Kind == "" {
			return nil, problemOf(logiqc.Errorf(logiqc.Unauthenticated, "you are not signed in").WithHint("logiqc signin"))
		}
		out, err := call(h.backend.As(who.actor), ctx, in)
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

type (
	ctx = context.Context
	svc = logiqc.Service
)

// serviceRoutes serves the methods of the Service, one by one.
func (h *handler) serviceRoutes(api huma.API) {
	h.accountRoutes(api)
	h.resetRoutes(api)
	serve(h, api, createToken, func(s svc, c ctx, in newToken) (createdToken, error) {
		info, token, err := s.CreateToken(c, in.domain())
		return createdToken{info, token.Reveal()}, err
	})
	serve(h, api, listTokens, func(s svc, c ctx, _ none) ([]logiqc.TokenInfo, error) { return s.Tokens(c) })
	serve(h, api, revokeTokens, svc.RevokeTokens)
	serve(h, api, listSessions, func(s svc, c ctx, in userRef) ([]logiqc.SessionInfo, error) { return s.Sessions(c, in.User) })
	serve(h, api, endSessions, svc.RevokeSessions)
	serve(h, api, listEvents, func(s svc, c ctx, in eventQuery) (out logiqc.EventPage, err error) {
		q, err := in.domain()
		if err != nil {
			return out, err
		}
		return s.Events(c, q)
	})
	serve(h, api, getEvent, func(s svc, c ctx, in eventRef) (logiqc.Event, error) { return s.EventAt(c, in.Seq) })
	serve(h, api, whoAmI, func(s svc, _ ctx, _ none) (actor, error) { return toActor(s.Actor()), nil })
}

// accountRoutes serves what is done with accounts.
func (h *handler) accountRoutes(api huma.API) {
	serve(h, api, findUsers, func(s svc, c ctx, in userQuery) (out logiqc.UserPage, err error) {
		q, err := in.domain()
		if err != nil {
			return out, err
		}
		return s.FindUsers(c, q)
	})
	serve(h, api, getUser, func(s svc, c ctx, in userRef) (logiqc.Account, error) { return s.GetUser(c, in.User) })
	serve(h, api, addUser, func(s svc, c ctx, in newUser) (logiqc.Changed, error) { return s.AddUser(c, in.domain()) })
	serve(h, api, editUser, svc.EditUser)
	serve(h, api, setPassword, func(s svc, c ctx, in passwordChange) (logiqc.Changed, error) { return s.SetPassword(c, in.domain()) })
	serve(h, api, changeUsers, svc.ChangeUsers)
	h.importRoute(api)
}

// resetRoutes serves what is done with MFA.
func (h *handler) resetRoutes(api huma.API) {
	serve(h, api, resetMFA, func(s svc, c ctx, in reset) ([]resetResult, error) {
		out, err := s.ResetMFA(c, in.domain())
		return each(out, toResetResult), err
	})
	serve(h, api, requestReset, func(s svc, c ctx, in reset) ([]resetResult, error) {
		out, err := s.RequestReset(c, in.domain())
		return each(out, toResetResult), err
	})
	serve(h, api, approvals, func(s svc, c ctx, in approvalQuery) ([]logiqc.Approval, error) {
		return s.Approvals(c, logiqc.ApprovalQuery{All: in.All})
	})
	serve(h, api, getApproval, func(s svc, c ctx, in approvalRef) (logiqc.Approval, error) { return s.Approval(c, in.ID) })
	serve(h, api, decide, func(s svc, c ctx, in logiqc.Decision) (decided, error) {
		out, err := s.DecideApproval(c, in)
		return toDecided(out), err
	})
	serve(h, api, enforce, svc.Enforce)
	serve(h, api, figures, func(s svc, c ctx, _ none) (logiqc.Figures, error) { return s.Figures(c) })
	serve(h, api, runFigures, func(s svc, c ctx, in runRef) (logiqc.RunFigures, error) { return s.Run(c, in.Run) })
	serve(h, api, verifyCode, svc.VerifyCode)
	serve(h, api, issueCode, func(s svc, c ctx, in codeIssue) (codeIssued, error) {
		out, err := s.IssueEnrolmentCode(c, in.domain())
		return toCodeIssued(out), err
	})
	serve(h, api, getPolicy, func(s svc, c ctx, _ none) (policy, error) {
		p, err := s.Policy(c)
		return policy(p), err
	})
	serve(h, api, changePolicy, func(s svc, c ctx, in logiqc.PolicyEdit) (policyEdited, error) {
		out, err := s.ChangePolicy(c, in)
		return toPolicyEdited(out), err
	})
}
