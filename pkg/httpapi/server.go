package httpapi

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Backend is what a handler serves: where actors come from, what they can do,
// and the way in.
type Backend interface {
	// Authenticate finds out who holds a session or a token; Unauthenticated for
	// what is neither.
	Authenticate(ctx context.Context, bearer logiqc.Secret, src logiqc.Source) (logiqc.Actor, error)
	As(logiqc.Actor) logiqc.Service
	Audit(logiqc.Actor) logiqc.Audit
	SignIn() logiqc.SignIn
	// PassOn is the way in for sign-ins that an application passes on. A source
	// that is empty stands for the one it said before, or its own.
	PassOn(app logiqc.Actor) logiqc.SignIn
}

// Options are what a handler is told beside its Backend.
type Options struct {
	// QR draws a URI as a QR code, a PNG; without it answers have none.
	QR func(uri string) ([]byte, error)
	// Ready tells whether the store can be used; nil is that it can.
	Ready func(context.Context) error
	// Log gets what went wrong in here, nothing of it a secret; nil is nowhere.
	Log *slog.Logger
	// Version is the program's, for the description of the API.
	Version string
}

// handler serves the API.
type handler struct {
	backend Backend
	Options
	mux *http.ServeMux
}

// Handler serves a Backend over HTTP.
func Handler(b Backend, o Options) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := &handler{backend: b, Options: o, mux: http.NewServeMux()}
	api := humago.New(h.mux, describe(o.Version))
	h.serviceRoutes(api)
	h.auditRoutes(api)
	h.signinRoutes(api)
	describeRest(api.OpenAPI())
	h.mux.HandleFunc("GET /openapi.json", document(api.OpenAPI()))
	h.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeOK(w) })
	h.mux.HandleFunc("GET /readyz", h.ready)
	h.mux.HandleFunc("/", h.nothing)
	return h
}

// ServeHTTP implements [http.Handler].
func (h *handler) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	w := &recorder{ResponseWriter: out}
	defer func() {
		if v := recover(); v == http.ErrAbortHandler { //nolint:errorlint // panics are not wrapped
			panic(v)
		} else if v != nil {
			// The value may hold anything; where it was is enough.
			h.Log.Error("a request failed unexpectedly", "route", r.Pattern, "where", panicked())
			if w.status == 0 {
				problemOf(internal()).write(w)
			}
		}
	}()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	who, err := h.admit(r)
	if err != nil {
		_, pattern := h.mux.Handler(r)
		h.failed(r.Context(), routeOf(pattern), err).write(w)
		return
	}
	if r.URL.Path != path.Clean(r.URL.Path) { // the mux would send the client elsewhere
		nothingHere().write(w)
		return
	}
	who.waits = waiting(w, r)
	// Another request than the server's, who looks at the body of his own to see
	// what is left of it on the connection.
	inner := r.WithContext(context.WithValue(r.Context(), callerKey{}, who))
	inner.Body = arrival(w, r)
	h.mux.ServeHTTP(w, inner)
	r.Pattern = inner.Pattern
}

// arrival keeps the deadline by which a request has to be here from cutting it
// short once it is.
func arrival(w http.ResponseWriter, r *http.Request) io.ReadCloser {
	control := http.NewResponseController(w)
	if r.Body == nil || r.Body == http.NoBody {
		_ = control.SetReadDeadline(time.Time{}) // not every connection has one
		return http.NoBody
	}
	return &arriving{r.Body, control}
}

// arriving is a body on its way.
type arriving struct {
	io.ReadCloser
	control *http.ResponseController
}

func (b *arriving) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		_ = b.control.SetReadDeadline(time.Time{})
	case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
		err = errCut
	}
	return n, err
}

// errCut is a body of which the end never came: the client left, or wrote it
// wrongly.
var errCut = errors.New("the body was cut off on its way; nothing was done")

// admit finds out who asks, where that has to be known. Below /v1/ nothing is
// told to somebody who is nobody, not even what there is.
func (h *handler) admit(r *http.Request) (who caller, err error) {
	// All that is taken is JSON, whatever it is said to be.
	r.Header.Set("Content-Type", "application/json")
	source, unfit := whence(r)
	who.source, who.bearer = source, bearerOf(r)
	switch {
	case needsActor(r) && who.bearer == "":
		err = nobody()
	case needsActor(r) || who.bearer != "" && isSignin(r.URL.Path):
		who.actor, err = h.backend.Authenticate(r.Context(), who.bearer, who.source)
	}
	if err != nil && isSignin(r.URL.Path) && !mayPass(r.Context(), paceOf(r.RemoteAddr)) {
		err = tooMany()
	}
	return who, cmp.Or(err, unfit, checkQuery(r.URL.RawQuery))
}

func nobody() error {
	return logiqc.Errorf(logiqc.Unauthenticated, "you are not signed in").WithHint("logiqc signin")
}

// needsActor tells whether only somebody with a session or a token is answered.
// Signing out ends what is not signed in yet as well.
func needsActor(r *http.Request) bool {
	if r.Method == http.MethodDelete && r.URL.Path == sessionPath {
		return bearerOf(r) == ""
	}
	return strings.HasPrefix(r.URL.Path, "/v1/") && !isSignin(r.URL.Path)
}

func isSignin(path string) bool { return path == signinPath || strings.HasPrefix(path, signinPath+"/") }

// caller is who asks, and whence.
type caller struct {
	actor  logiqc.Actor // without a Kind where nobody had to be known
	bearer logiqc.Secret
	source logiqc.Source
	waits  http.ResponseWriter // to give signs of life on, or nil
}

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// bearerOf is the session or token of the request, or "".
func bearerOf(r *http.Request) logiqc.Secret {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") {
		return ""
	}
	return logiqc.Secret(strings.TrimSpace(token))
}

// whence is where the request came from: the address as it is seen here, the
// rest as the client claims.
func whence(r *http.Request) (src logiqc.Source, err error) {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		src.IP = host
	}
	for _, claim := range []struct {
		header string
		to     *string
	}{{hostHeader, &src.Host}, {osUserHeader, &src.OSUser}} {
		text, err := url.PathUnescape(r.Header.Get(claim.header))
		if err != nil {
			return src, logiqc.Errorf(logiqc.Usage, "%s is not percent-encoded", claim.header)
		}
		if err := logiqc.CheckText(claim.header, text, logiqc.MaxName); err != nil {
			return src, err
		}
		*claim.to = text
	}
	if user, ok := peerUser(r.Context()); ok {
		src.OSUser = user // the kernel knows better
	}
	return src, nil
}

// checkQuery refuses URL parameters of which some would be passed over: a
// condition that somebody counts on may be among them.
func checkQuery(raw string) error {
	if raw == "" {
		return nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return logiqc.Errorf(logiqc.Invalid, "what stands after the ? is not well encoded")
	}
	for name, all := range values {
		if len(all) > 1 {
			return logiqc.Errorf(logiqc.Invalid, "%s stands there twice", named(name))
		}
		if !utf8.ValidString(all[0]) || strings.Contains(all[0], "\x00") {
			return logiqc.Errorf(logiqc.Invalid, "%s has to be UTF-8 without a NUL", named(name))
		}
	}
	return nil
}

func internal() *logiqc.Error {
	return logiqc.Errorf(logiqc.Internal, "something went wrong on the server; its log says what")
}

// nothing answers where there is nothing, or nothing by that method.
func (h *handler) nothing(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodPost} {
		if _, pattern := h.mux.Handler(&http.Request{Method: method, URL: r.URL, Host: r.Host}); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		requestProblem(http.StatusMethodNotAllowed, r.Method+" means nothing at this address", nil).write(w)
		return
	}
	nothingHere().write(w)
}

func nothingHere() *problem {
	return problemOf(logiqc.Errorf(logiqc.NotFound, "there is nothing at this address").WithHint("see /openapi.json"))
}

func (h *handler) ready(w http.ResponseWriter, r *http.Request) {
	if h.Ready != nil {
		if err := h.Ready(r.Context()); err != nil {
			h.Log.Warn("not ready", "error", err.Error())
			problemOf(logiqc.Errorf(logiqc.Unavailable, "the store cannot be used")).write(w)
			return
		}
	}
	writeOK(w)
}

func writeOK(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte("{\"status\":\"ok\"}\n"))
}

// failed makes the problem of an error. What failed inside is for the log;
// whoever asked learns that something did, and of the store, its place and its
// troubles, who is signed in.
func (h *handler) failed(ctx context.Context, path string, err error) *problem {
	e := logiqc.AsError(err)
	if e.Code.HTTPStatus() >= http.StatusInternalServerError && ctx.Err() == nil {
		h.Log.Error("a request failed", "route", path, "error", e.Message)
	}
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil: // no failure of the server's
		e = logiqc.Errorf(logiqc.Cancelled, "it was not waited for; nothing was changed")
	case e.Code == logiqc.Internal:
		e = internal()
	case e.Code == logiqc.Unavailable && callerOf(ctx).actor.Kind == "":
		e = logiqc.Errorf(logiqc.Unavailable, "the server cannot use its store now; nothing was changed").WithHint("its log says why")
	}
	return problemOf(e)
}
