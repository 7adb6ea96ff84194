package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// taken is what a call of a sign-in takes.
type taken[B any] struct {
	Attempt string `path:"attempt" maxLength:"128" doc:"attempt of the answer before"`
	Header  string `header:"Logiqc-Attempt" maxLength:"128" doc:"The same, with current in the path: then it stands in no address"`
	Body    B
}

// token is the token of the attempt.
func (t taken[B]) token() logiqc.Secret {
	if t.Attempt == currentAttempt {
		return logiqc.Secret(t.Header)
	}
	return logiqc.Secret(t.Attempt)
}

// signinCall is a call of a sign-in, as server and client both know it.
type signinCall[In, Out any] struct{ id, path, summary string }

// The calls of a sign-in, in the order of the methods of [logiqc.SignIn].
var (
	startSignin      = endpoint[signinRequest, attempt]{"signin", "POST", signinPath, "Start a sign-in with the password", signinLimit, false}
	giveCode         = signinCall[factor, attempt]{"signin-code", "/code", "Give an app code"}
	giveRecoveryCode = signinCall[factor, attempt]{"signin-recovery-code", "/recovery-code", "Give a recovery code"}
	giveDeskCode     = signinCall[factor, attempt]{"signin-enrolment-code", "/enrolment-code", "Give the enrolment code of the help desk"}
	startEnrolment   = signinCall[*step, pendingEnrolment]{"start-enrolment", "/enrolment", "Start an enrolment: a fresh secret, which replaces one that was started"}
	proveEnrolment   = signinCall[factor, enrolled]{"prove-enrolment", "/enrolment/code", "Give the first app code of the fresh secret"}
	newRecoveryCodes = signinCall[*step, enrolled]{"recovery-codes", "/recovery-codes", "Get a fresh set of recovery codes"}
	whoAmI           = endpoint[none, actor]{"whoami", "GET", sessionPath, "Tell whose session or token this is", 0, false}
)

// serveSignin answers a call of a sign-in.
func serveSignin[In, Out any](h *handler, api huma.API, c signinCall[In, Out], call func(context.Context, logiqc.SignIn, taken[In], logiqc.Source) (Out, error)) {
	_, optional := any(*new(In)).(*step)
	op := huma.Operation{
		OperationID: c.id, Method: http.MethodPost, Path: attemptPath + c.path, Summary: c.summary, MaxBodyBytes: signinLimit, BodyReadTimeout: readTimeout,
		SkipValidateBody: true, RequestBody: &huma.RequestBody{Required: !optional}, Security: signinSecurity,
	}
	huma.Register(api, described(api, op), func(ctx context.Context, in *taken[In]) (*reply[Out], error) {
		var out Out
		way, src, err := h.wayIn(ctx, clientOf(in.Body))
		if err == nil {
			out, err = call(ctx, way, *in, src)
		}
		if err != nil {
			return nil, h.failed(ctx, op.Path, err)
		}
		return &reply[Out]{out}, nil
	})
}

// clientOf is the client that the body of a call names, or nil.
func clientOf(body any) *client {
	switch b := body.(type) {
	case factor:
		return b.Client
	case *step:
		if b != nil {
			return b.Client
		}
	}
	return nil
}

// wayIn is the way in of whoever asks, and where they are: an application says
// where its user is.
func (h *handler) wayIn(ctx context.Context, c *client) (logiqc.SignIn, logiqc.Source, error) {
	who := callerOf(ctx)
	if who.actor.Kind == "" {
		if c != nil {
			return nil, who.source, logiqc.Errorf(logiqc.Unauthenticated, "only an application says whose sign-in it passes on, and that takes a token").
				WithHint("logiqc tokens create NAME --allow signin")
		}
		return h.backend.SignIn(), who.source, nil
	}
	src, err := c.source()
	return h.backend.PassOn(who.actor), src, err
}

// signinSecurity: nothing, or the token of an application.
var signinSecurity = []map[string][]string{{}, {"bearer": {}}}

// signinRoutes serves the way in, and the way out.
func (h *handler) signinRoutes(api huma.API) {
	type (
		ctx = context.Context
		way = logiqc.SignIn
		src = logiqc.Source
	)
	start := startSignin.operation(api)
	start.Security = signinSecurity
	huma.Register(api, start, func(c ctx, in *body[signinRequest]) (*reply[attempt], error) {
		var at logiqc.Attempt
		way, src, err := h.wayIn(c, in.Body.Client)
		if err == nil && callerOf(c).actor.Kind != "" {
			err = passOn(c, src)
		}
		if err == nil {
			at, err = way.Start(c, logiqc.SigninRequest{User: in.Body.User, Password: logiqc.Secret(in.Body.Password),
				Purpose: in.Body.Purpose, Source: src})
		}
		if err != nil {
			return nil, h.failed(c, signinPath, err)
		}
		return &reply[attempt]{toAttempt(at)}, nil
	})
	serveSignin(h, api, giveCode, func(c ctx, w way, in taken[factor], s src) (attempt, error) {
		at, err := w.Code(c, in.token(), in.Body.Code, s)
		return toAttempt(at), err
	})
	serveSignin(h, api, giveRecoveryCode, func(c ctx, w way, in taken[factor], s src) (attempt, error) {
		at, err := w.RecoveryCode(c, in.token(), logiqc.Secret(in.Body.Code), s)
		return toAttempt(at), err
	})
	serveSignin(h, api, giveDeskCode, func(c ctx, w way, in taken[factor], s src) (attempt, error) {
		at, err := w.EnrolmentCode(c, in.token(), logiqc.Secret(in.Body.Code), s)
		return toAttempt(at), err
	})
	serveSignin(h, api, startEnrolment, func(c ctx, w way, in taken[*step], s src) (pendingEnrolment, error) {
		p, err := w.StartEnrolment(c, in.token(), s)
		if err != nil {
			return pendingEnrolment{}, err
		}
		return h.pending(p)
	})
	serveSignin(h, api, proveEnrolment, func(c ctx, w way, in taken[factor], s src) (enrolled, error) {
		out, err := w.ProveEnrolment(c, in.token(), in.Body.Code, s)
		return toEnrolled(out), err
	})
	serveSignin(h, api, newRecoveryCodes, func(c ctx, w way, in taken[*step], s src) (enrolled, error) {
		out, err := w.NewRecoveryCodes(c, in.token(), s)
		return toEnrolled(out), err
	})
	h.signoutRoutes(api)
}

// signoutRoutes end a session, and a sign-in that is not finished.
func (h *handler) signoutRoutes(api huma.API) {
	huma.Register(api, described(api, huma.Operation{
		OperationID: "signout", Method: http.MethodDelete, Path: sessionPath, Summary: "Sign out",
		Security: []map[string][]string{{"bearer": {}}}, DefaultStatus: http.StatusNoContent,
	}), func(c context.Context, _ *none) (*none, error) {
		return nil, h.end(c, sessionPath, callerOf(c).bearer)
	})
	huma.Register(api, described(api, huma.Operation{
		OperationID: "cancel-signin", Method: http.MethodDelete, Path: attemptPath, Summary: "Give up a sign-in",
		Security: signinSecurity, DefaultStatus: http.StatusNoContent,
	}), func(c context.Context, in *struct {
		Attempt string `path:"attempt" maxLength:"128"`
		Header  string `header:"Logiqc-Attempt" maxLength:"128"`
	}) (*none, error) {
		return nil, h.end(c, attemptPath, taken[none]{Attempt: in.Attempt, Header: in.Header}.token())
	})
}

func (h *handler) end(ctx context.Context, path string, token logiqc.Secret) error {
	if err := h.backend.SignIn().End(ctx, token, callerOf(ctx).source); err != nil {
		return h.failed(ctx, path, err)
	}
	return nil
}

// pending is a secret as it is handed out, with its QR code.
func (h *handler) pending(p logiqc.PendingEnrolment) (w pendingEnrolment, err error) {
	w = pendingEnrolment{
		User: p.User, Issuer: p.Issuer, Label: p.Label, Secret: p.Secret.Reveal(), URI: p.URI.Reveal(), ExpiresAt: p.ExpiresAt,
	}
	if h.QR != nil {
		w.QRPNG, err = h.QR(w.URI)
	}
	return w, err
}
