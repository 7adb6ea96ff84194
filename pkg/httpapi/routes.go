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
func (e endpoint[In, Out]) operation(api huma.API) huma.Operation {
	op := huma.Operation{
		OperationID: e.id, Method: e.method, Path: e.path, Summary: e.summary, MaxBodyBytes: bodyLimit, BodyReadTimeout: readTimeout,
		SkipValidateBody: true, // see strict
		Security:         []map[string][]string{{"bearer": {}}},
	}
	if e.limit > 0 {
		op.MaxBodyBytes = e.limit
	}
	return described(api, op)
}

// door is where calls come in that an actor has to make: as is what they are
// made on.
type door[S any] struct {
	*handler
	api huma.API
	as  func(logiqc.Actor) S
}

// serve answers the calls of an endpoint. call may be a method of S as it
// stands.
func serve[S, In, Out any](d door[S], e endpoint[In, Out], call func(S, context.Context, In) (Out, error)) {
	do := func(ctx context.Context, in In) (*reply[Out], error) {
		who := callerOf(ctx)
		if who.actor.Kind == "" {
			return nil, d.failed(ctx, e.path, nobody())
		}
		if e.slow {
			defer who.keepWaiting()()
		}
		out, err := call(d.as(who.actor), ctx, in)
		if err != nil {
			return nil, d.failed(ctx, e.path, err)
		}
		return &reply[Out]{out}, nil
	}
	_, bare := any(*new(In)).(none)
	if e.method == http.MethodGet || bare {
		huma.Register(d.api, e.operation(d.api), func(ctx context.Context, in *In) (*reply[Out], error) { return do(ctx, *in) })
		return
	}
	huma.Register(d.api, e.operation(d.api), func(ctx context.Context, in *body[In]) (*reply[Out], error) { return do(ctx, in.Body) })
}

type (
	ctx = context.Context
	svc = logiqc.Service
)

// serviceRoutes serves the methods of the Service, one by one.
func (h *handler) serviceRoutes(api huma.API) {
	d := door[svc]{h, api, h.backend.As}
	accountRoutes(d)
	resetRoutes(d)
	h.importRoute(api)
	serve(d, createToken, func(s svc, c ctx, in newToken) (createdToken, error) {
		info, token, err := s.CreateToken(c, in.domain())
		return createdToken{info, token.Reveal()}, err
	})
	serve(d, listTokens, func(s svc, c ctx, _ none) ([]logiqc.TokenInfo, error) { return s.Tokens(c) })
	serve(d, revokeTokens, svc.RevokeTokens)
	serve(d, listSessions, func(s svc, c ctx, in userRef) ([]logiqc.SessionInfo, error) { return s.Sessions(c, in.User) })
	serve(d, endSessions, svc.RevokeSessions)
	serve(d, listEvents, func(s svc, c ctx, in eventQuery) (out logiqc.EventPage, err error) {
		q, err := in.domain()
		if err != nil {
			return out, err
		}
		return s.Events(c, q)
	})
	serve(d, getEvent, func(s svc, c ctx, in eventRef) (logiqc.Event, error) { return s.EventAt(c, in.Seq) })
	serve(d, whoAmI, func(s svc, _ ctx, _ none) (actor, error) { return toActor(s.Actor()), nil })
}

// accountRoutes serves what is done with accounts.
func accountRoutes(d door[svc]) {
	serve(d, findUsers, func(s svc, c ctx, in userQuery) (out logiqc.UserPage, err error) {
		q, err := in.domain()
		if err != nil {
			return out, err
		}
		return s.FindUsers(c, q)
	})
	serve(d, getUser, func(s svc, c ctx, in userRef) (logiqc.Account, error) { return s.GetUser(c, in.User) })
	serve(d, addUser, func(s svc, c ctx, in newUser) (logiqc.Changed, error) { return s.AddUser(c, in.domain()) })
	serve(d, editUser, svc.EditUser)
	serve(d, setPassword, func(s svc, c ctx, in passwordChange) (logiqc.Changed, error) { return s.SetPassword(c, in.domain()) })
	serve(d, changeUsers, svc.ChangeUsers)
}

// resetRoutes serves what is done with MFA.
func resetRoutes(d door[svc]) {
	serve(d, resetMFA, func(s svc, c ctx, in reset) ([]resetResult, error) {
		out, err := s.ResetMFA(c, in.domain())
		return each(out, toResetResult), err
	})
	serve(d, requestReset, func(s svc, c ctx, in reset) ([]resetResult, error) {
		out, err := s.RequestReset(c, in.domain())
		return each(out, toResetResult), err
	})
	serve(d, approvals, func(s svc, c ctx, in approvalQuery) ([]logiqc.Approval, error) {
		return s.Approvals(c, logiqc.ApprovalQuery(in))
	})
	serve(d, getApproval, func(s svc, c ctx, in approvalRef) (logiqc.Approval, error) { return s.Approval(c, in.ID) })
	serve(d, decide, func(s svc, c ctx, in logiqc.Decision) (decided, error) {
		out, err := s.DecideApproval(c, in)
		return toDecided(out), err
	})
	serve(d, enforce, svc.Enforce)
	serve(d, figures, func(s svc, c ctx, _ none) (logiqc.Figures, error) { return s.Figures(c) })
	serve(d, runFigures, func(s svc, c ctx, in runRef) (logiqc.RunFigures, error) { return s.Run(c, in.Run) })
	serve(d, verifyCode, svc.VerifyCode)
	serve(d, secondFactor, func(s svc, c ctx, in factorCheck) (out logiqc.FactorChecked, err error) {
		r, err := in.domain()
		if err != nil {
			return out, err
		}
		return s.SecondFactor(c, r)
	})
	serve(d, issueCode, func(s svc, c ctx, in codeIssue) (codeIssued, error) {
		out, err := s.IssueEnrolmentCode(c, in.domain())
		return toCodeIssued(out), err
	})
	serve(d, getPolicy, func(s svc, c ctx, _ none) (policy, error) {
		p, err := s.Policy(c)
		return policy(p), err
	})
	serve(d, changePolicy, func(s svc, c ctx, in logiqc.PolicyEdit) (policyEdited, error) {
		out, err := s.ChangePolicy(c, in)
		return toPolicyEdited(out), err
	})
}
