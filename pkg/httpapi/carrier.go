package httpapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// carrier carries requests to the server, gives up on one that does not answer,
// and tells a failure before which nothing can have been done from the others.
type carrier struct {
	next http.RoundTripper
	to   Target
}

// errNoAnswer ends a request that makes no progress.
var errNoAnswer = errors.New("no answer")

// RoundTrip implements [http.RoundTripper].
func (c *carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	x := &exchange{carrier: c, method: r.Method, host: r.URL.Hostname(), asked: r.Context(), ctx: ctx, cancel: cancel}
	x.watch()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              func(httptrace.GotConnInfo) { x.progress() },
		WroteHeaders:         func() { x.sent.Store(true); x.progress() },
		GotFirstResponseByte: x.progress,
		Got1xxResponse:       func(int, textproto.MIMEHeader) error { x.progress(); return nil },
	})
	out := r.WithContext(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		out.Body = &watched{ReadCloser: r.Body, after: func(err error) error { x.progress(); return err }}
	}
	resp, err := c.next.RoundTrip(out)
	if err != nil {
		x.end()
		return nil, x.failure(err)
	}
	resp.Body = &watched{ReadCloser: resp.Body, closed: x.end, after: func(err error) error {
		x.progress()
		if err == nil || errors.Is(err, io.EOF) {
			return err
		}
		return x.failure(err)
	}}
	return resp, nil
}

// CloseIdleConnections lets [http.Client.CloseIdleConnections] through.
func (c *carrier) CloseIdleConnections() {
	if t, ok := c.next.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// exchange is one request on its way.
type exchange struct {
	*carrier
	method string
	host   string
	asked  context.Context // the caller's
	ctx    context.Context // which ends with it, or when the server is given up
	cancel context.CancelCauseFunc
	timer  *time.Timer // nil without a timeout
	sent   atomic.Bool // something of the request may have reached the server
}

func (x *exchange) watch() {
	if x.to.Timeout > 0 {
		x.timer = time.AfterFunc(x.to.Timeout, func() { x.cancel(errNoAnswer) })
	}
}

func (x *exchange) progress() {
	if x.timer != nil && x.timer.Stop() {
		x.timer.Reset(x.to.Timeout)
	}
}

func (x *exchange) end() {
	if x.timer != nil {
		x.timer.Stop()
	}
	x.cancel(nil)
}

// failure says what a failed exchange means to whoever asked.
func (x *exchange) failure(err error) error {
	changes := x.method != http.MethodGet && x.method != http.MethodHead
	switch {
	case x.sent.Load() && changes:
		return logiqc.Errorf(logiqc.UnknownOutcome, "the connection to %s was lost after the request was sent: %w; it may have been carried out",
			x.to, x.reason(err))
	case x.asked.Err() != nil && !errors.Is(context.Cause(x.ctx), errNoAnswer):
		return x.asked.Err()
	}
	e := logiqc.Errorf(logiqc.Unavailable, "%s cannot be reached: %w; nothing was changed", x.to, x.reason(err))
	if hint := x.hint(err); hint != "" {
		e = e.WithHint("%s", hint)
	}
	return e
}

// reason is the failure without what every message of package net begins with.
func (x *exchange) reason(err error) error {
	var op *net.OpError
	var system *os.SyscallError
	var dns *net.DNSError
	var verification *tls.CertificateVerificationError
	switch {
	case errors.Is(context.Cause(x.ctx), errNoAnswer) || errors.Is(err, os.ErrDeadlineExceeded):
		return &sentence{"it gave no answer within " + x.to.Timeout.String(), errNoAnswer}
	case x.asked.Err() != nil:
		return &sentence{"it was not waited for", err}
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return &sentence{"the proxy on the way cannot be reached: " + x.reason(op.Err).Error(), err}
	case errors.As(err, &dns):
		return &sentence{"its name " + dns.Name + " is not known: " + dns.Err, err}
	case errors.As(err, &verification):
		return &sentence{"its certificate is not trusted: " + verification.Err.Error(), err}
	case errors.As(err, &system):
		return &sentence{system.Err.Error(), err}
	case errors.As(err, &op) && op.Err != nil:
		return &sentence{op.Err.Error(), err}
	}
	return err
}

// proxyRefuses is a proxy that lets nobody through to the server.
type proxyRefuses struct{ status string }

func (e *proxyRefuses) Error() string { return "the proxy on the way answered " + e.status }

// checkProxy is [http.Transport.OnProxyConnectResponse].
func checkProxy(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode != http.StatusOK {
		return &proxyRefuses{answer.Status}
	}
	return nil
}

// sentence is an error in other words.
type sentence struct {
	text  string
	cause error
}

func (s *sentence) Error() string { return s.text }
func (s *sentence) Unwrap() error { return s.cause }

// hint is the next step, where there is one.
func (x *exchange) hint(err error) string {
	var pin *wrongPin
	var op *net.OpError
	var proxy *proxyRefuses
	var verification *tls.CertificateVerificationError
	var expired x509.CertificateInvalidError
	switch {
	case errors.As(err, &pin):
		return "ask whoever runs the server whether its key was changed, and for the new --pin; if it was not, somebody is in between"
	case errors.As(err, &expired):
		return "whoever runs the server has to renew its certificate"
	case errors.As(err, &verification):
		return "--pin sha256:… as `logiqc serve` printed it, or --ca-file FILE with the authority that signed its certificate"
	case x.to.Socket != "" && (errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED)):
		return "is it running? logiqc serve --unix " + x.to.Socket
	case errors.As(err, &op) && op.Op == "proxyconnect", errors.As(err, &proxy):
		return "HTTPS_PROXY names it; NO_PROXY=" + x.host + " goes straight to the server"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "is `logiqc serve` running there, and on that port? Without --listen it takes 8443"
	}
	return ""
}

// watched is a body whose progress is seen.
type watched struct {
	io.ReadCloser
	after  func(error) error
	closed func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	return n, w.after(err)
}

func (w *watched) Close() error {
	err := w.ReadCloser.Close()
	if w.closed != nil {
		w.closed()
	}
	return err
}
