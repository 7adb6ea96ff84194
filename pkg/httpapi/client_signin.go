package httpapi

import (
	"context"
	"net/http"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// signIn is the way in, from afar. No call is made twice: a code is spent by its
// use, and whoever has to ask somebody can ask again.
type signIn struct{ client *Client }

// proceed makes a call of the sign-in that token holds.
func proceed[In, Out any](ctx context.Context, s *signIn, c signinCall[In, Out], token logiqc.Secret, in In, src logiqc.Source) (out Out, err error) {
	err = s.client.send(ctx, outgoing{method: http.MethodPost, path: signinPath + "/" + currentAttempt + c.path, body: in,
		attempt: token, source: src}, &out)
	return out, err
}

// Start implements [logiqc.SignIn].
func (s *signIn) Start(ctx context.Context, r logiqc.SigninRequest) (logiqc.Attempt, error) {
	var out attempt
	err := s.client.send(ctx, outgoing{method: http.MethodPost, path: signinPath, source: r.Source,
		body: signinRequest{User: r.User, Password: r.Password.Reveal(), Purpose: r.Purpose}}, &out)
	return out.domain(), err
}

// Code implements [logiqc.SignIn].
func (s *signIn) Code(ctx context.Context, token logiqc.Secret, code string, src logiqc.Source) (logiqc.Attempt, error) {
	out, err := proceed(ctx, s, giveCode, token, factor{Code: code}, src)
	return out.domain(), err
}

// RecoveryCode implements [logiqc.SignIn].
func (s *signIn) RecoveryCode(ctx context.Context, token, code logiqc.Secret, src logiqc.Source) (logiqc.Attempt, error) {
	out, err := proceed(ctx, s, giveRecoveryCode, token, factor{Code: code.Reveal()}, src)
	return out.domain(), err
}

// EnrolmentCode implements [logiqc.SignIn].
func (s *signIn) EnrolmentCode(ctx context.Context, token, code logiqc.Secret, src logiqc.Source) (logiqc.Attempt, error) {
	out, err := proceed(ctx, s, giveDeskCode, token, factor{Code: code.Reveal()}, src)
	return out.domain(), err
}

// StartEnrolment implements [logiqc.SignIn].
func (s *signIn) StartEnrolment(ctx context.Context, token logiqc.Secret, src logiqc.Source) (logiqc.PendingEnrolment, error) {
	out, err := proceed(ctx, s, startEnrolment, token, &step{}, src)
	return out.domain(), err
}

// ProveEnrolment implements [logiqc.SignIn].
func (s *signIn) ProveEnrolment(ctx context.Context, token logiqc.Secret, code string, src logiqc.Source) (logiqc.Enrolled, error) {
	out, err := proceed(ctx, s, proveEnrolment, token, factor{Code: code}, src)
	return out.domain(), err
}

// NewRecoveryCodes implements [logiqc.SignIn].
func (s *signIn) NewRecoveryCodes(ctx context.Context, token logiqc.Secret, src logiqc.Source) (logiqc.Enrolled, error) {
	out, err := proceed(ctx, s, newRecoveryCodes, token, &step{}, src)
	return out.domain(), err
}

// End implements [logiqc.SignIn].
func (s *signIn) End(ctx context.Context, token logiqc.Secret, src logiqc.Source) error {
	return s.client.send(ctx, outgoing{method: http.MethodDelete, path: sessionPath, bearer: token, source: src, again: true}, nil)
}
