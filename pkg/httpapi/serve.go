package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Server serves a handler with bounds on headers, time and number, counts what
// it does, and stops without losing a request. Bodies are the handler's to bound.
type Server struct {
	// MayScrape decides who, not on this machine, may read the metrics.
	MayScrape func(*http.Request) error
	http      *http.Server
	metrics   *Metrics
	log       *slog.Logger
	conns     *connections
	sources   *sources
}

const metricsPath = "/metrics"

// NewServer makes a server. Requests are logged at level Info, what went wrong
// at level Error; neither holds a secret: of a path only the route is written,
// because sign-ins have one in it.
func NewServer(h http.Handler, m *Metrics, log *slog.Logger) *Server {
	s := &Server{metrics: m, log: log, conns: newConnections(maxConnections, maxOfOne), sources: newSources(),
		MayScrape: func(*http.Request) error {
			return logiqc.Errorf(logiqc.Unauthenticated, "metrics are told on this machine, or to the holder of a token")
		}}
	m.gauge("logiqc_connections", func() float64 { return float64(s.conns.open.Load()) })
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problemOf(logiqc.Errorf(logiqc.Forbidden, "a page of another site, in somebody's browser, may change nothing here")).write(w)
	}))
	guarded := s.observed(sameOrigin.Handler(s.paced(s.scraped(m.handler(), h))))
	s.http = &http.Server{
		Handler: guarded, BaseContext: s.withPace, ConnContext: withPeer, MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), // what strangers do at the door
	}
	return s
}

// Serve answers on the listener until [Server.Shutdown] or [Server.Close]; its
// error is nil then.
func (s *Server) Serve(l net.Listener) error {
	door, tlsConfig := l, (*tls.Config)(nil)
	if over, ok := l.(*secure); ok {
		door, tlsConfig = over.Listener, over.config
	}
	door = limitConnections(door, s.conns)
	if tlsConfig != nil {
		door = tls.NewListener(door, tlsConfig)
	}
	if err := s.http.Serve(door); !errors.Is(err, http.ErrServerClosed) {
		return logiqc.Errorf(logiqc.Unavailable, "the server cannot go on: %w", err)
	}
	return nil
}

// Shutdown takes no more connections and waits until every request that has
// begun is answered, or until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.Shutdown(ctx) }

// Close cuts every connection.
func (s *Server) Close() error { return s.http.Close() }

// scraped lets this machine read the metrics, and whoever else may.
func (s *Server) scraped(metrics, rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != metricsPath || r.Method != http.MethodGet {
			rest.ServeHTTP(w, r)
			return
		}
		r.Pattern = metricsPath
		if !local(r) {
			if err := s.MayScrape(r); err != nil {
				problemOf(logiqc.AsError(err)).write(w)
				return
			}
		}
		metrics.ServeHTTP(w, r)
	})
}

// local tells whether a request was made on this machine: from a Unix socket or a
// loopback address, and not by a proxy for somebody else.
func local(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "Via"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr) // "" on a Unix socket
	ip := net.ParseIP(host)
	return ip == nil || ip.IsLoopback()
}

// observed counts and logs requests.
func (s *Server) observed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, out := time.Now(), &recorder{ResponseWriter: w}
		s.metrics.inFlight.Inc()
		defer s.metrics.inFlight.Dec()
		defer func() {
			took := time.Since(began)
			s.metrics.answered(routeOf(r.Pattern), methodOf(r), out.code(), took)
			s.log.Info("request", "method", methodOf(r), "route", routeOf(r.Pattern), "status", out.code(), "bytes", out.bytes,
				"took_ms", float64(took.Microseconds())/1000, "from", fromOf(r))
		}()
		h.ServeHTTP(out, r)
	})
}

// routeOf is the route of the pattern that a request matched: never its path.
func routeOf(pattern string) string {
	_, route, ok := strings.Cut(pattern, " ")
	switch {
	case ok:
		return route
	case pattern != "" && pattern != "/":
		return pattern
	}
	return "none"
}

// fromOf is who asked, as far as the server sees.
func fromOf(r *http.Request) string {
	if name, ok := peerUser(r.Context()); ok {
		return "unix:" + name
	}
	return r.RemoteAddr
}

// methodOf is the method, of those that there are.
func methodOf(r *http.Request) string {
	if slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, r.Method) {
		return r.Method
	}
	return "other"
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets [http.ResponseController] through.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
