package httpapi

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// paced refuses what needs no token where too much of it comes from one source.
// A sign-in that comes with a token is the handler's to refuse, once it knows
// whose it is: that of an application counts where its user is, see [passOn], so
// that one visitor of a portal does not use up what is for all of them. Nor do
// sign-ins use up what is for those who look after the server's health.
func (s *Server) paced(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		source := paceOf(r.RemoteAddr)
		health := slices.Contains([]string{"/healthz", "/readyz", "/openapi.json"}, r.URL.Path)
		if health {
			source = "health " + source
		}
		if (health || isSignin(r.URL.Path) && bearerOf(r) == "") && !mayPass(r.Context(), source) {
			problemOf(tooMany()).write(w)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// soon is the hint of what is refused for a moment only.
const soon = "try again in a second"

func tooMany() *logiqc.Error {
	return logiqc.Errorf(logiqc.Throttled, "too many requests came from there").WithHint(soon)
}

type paceKey struct{}

// withPace lets the handler ask whether a source may pass once more.
func (s *Server) withPace(net.Listener) context.Context {
	return context.WithValue(context.Background(), paceKey{}, func(source string) bool {
		ok := s.sources.allow(source, time.Now())
		if !ok {
			s.metrics.throttled.Inc()
		}
		return ok
	})
}

// mayPass tells whether one more request may pass from a source; without a
// [Server] any may.
func mayPass(ctx context.Context, source string) bool {
	allow, ok := ctx.Value(paceKey{}).(func(string) bool)
	return !ok || allow(source)
}

// passOn refuses a sign-in that an application passes on where too many come
// from where its user is; from the application's own address where it does not
// say.
func passOn(ctx context.Context, from logiqc.Source) error {
	app := callerOf(ctx)
	if !mayPass(ctx, app.actor.ID+" "+paceOf(net.JoinHostPort(cmp.Or(from.IP, app.source.IP), "0"))) {
		return tooMany()
	}
	return nil
}
