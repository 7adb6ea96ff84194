package cmd

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/httpapi"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/totp"
)

// serveFlags say where to listen and how.
type serveFlags struct {
	listen, unix      string
	certFile, keyFile string
	selfSigned        bool
	accessLog         accessLog
}

// accessLog is how requests are logged.
type accessLog string

const (
	accessOff  accessLog = "off"
	accessText accessLog = "text"
	accessJSON accessLog = "json"
)

// Where a server listens that is not told: with a certificate, and without.
const (
	publicAddress = ":8443"
	localAddress  = "127.0.0.1:8443"
)

func newServe(a *App) *cobra.Command {
	o := serveFlags{accessLog: accessOff}
	c := &cobra.Command{
		Use:         "serve [--listen ADDR] [--tls-cert F --tls-key F | --tls-self-signed] [--unix PATH]",
		Annotations: oneAnswer,
		Short:       "Serve the store to laptops and applications",
		Long: "Open the store and serve it over HTTPS, so that help-desk laptops (--store https://…)\n" +
			"and applications work on it without holding it. The rules run here; a client cannot\n" +
			"get round one. The server acts for whoever signs in, never for itself.\n\n" +
			"With --tls-self-signed it makes a key once, keeps it beside the saved sessions, and\n" +
			"prints the line that points a laptop here and pins that key. With a certificate of\n" +
			"your own, SIGHUP reads its files again; a pair that does not fit is refused and the\n" +
			"old one stays. Without either it speaks plain HTTP, on loopback only. On a Unix socket\n" +
			"the log records the user that the kernel names.\n\n" +
			"It says where it listens and is silent from then on, but for what goes wrong. It signs\n" +
			"a checkpoint of the log at most every ten seconds. SIGTERM or Ctrl-C lets in nobody new\n" +
			"and answers everybody who is in; a second one ends it at once.\n\n" +
			"/metrics is for Prometheus: on this machine as it is, from elsewhere with a token that\n" +
			"has the right users.read. docs/operations.md has more.",
		Example: "  logiqc serve --listen :8443 --tls-self-signed\n" +
			"  logiqc serve --tls-cert mfa1.pem --tls-key mfa1.key --access-log json\n" +
			"  logiqc serve --unix /run/logiqc/logiqc.sock",
		RunE: func(c *cobra.Command, _ []string) error {
			return a.serve(c.Context(), o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.listen, "listen", "", "listen on this `HOST:PORT`; by default "+publicAddress+", and "+localAddress+" without TLS")
	f.StringVar(&o.certFile, "tls-cert", "", "PEM `FILE` of the certificate and those that lead to its authority")
	f.StringVar(&o.keyFile, "tls-key", "", "PEM `FILE` of its key")
	f.BoolVar(&o.selfSigned, "tls-self-signed", false, "make a certificate here, for clients that pin its key")
	f.StringVar(&o.unix, "unix", "", "listen on a Unix socket at `PATH`, in a folder of its owner alone")
	enumFlag(c, &o.accessLog, "access-log", "log requests on standard error", accessOff, accessText, accessJSON)
	c.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	c.MarkFlagsMutuallyExclusive("tls-cert", "tls-self-signed")
	return c
}

// serve serves until it is told to stop.
func (a *App) serve(ctx context.Context, o serveFlags) error {
	s, err := a.Settings()
	if err != nil {
		return err
	}
	if s.Store.Kind == config.HTTPS || s.Store.Kind == config.Unix {
		return logiqc.Errorf(logiqc.Usage, "a server opens its store directly, and %s is another server", s.Store.Display()).
			WithHint("--store sqlite:PATH or postgres://…")
	}
	a.group = true
	desk, err := a.Desk()
	if err != nil {
		return err
	}
	if err := desk.Ready(ctx); err != nil {
		return err
	}
	kept, err := desk.Audit(logiqc.Actor{Kind: logiqc.System, Source: a.Source()}).Evidence(ctx)
	if err != nil {
		return err
	}
	if len(kept.Keys) == 0 {
		a.IO().Warnf("there are no keys of this store here: nobody can sign in with an app code, and no checkpoint is signed")
	}
	srv := newServing(desk, o.logger(a))
	cert, err := o.certificate(a, s.Store)
	if err != nil {
		return err
	}
	if cert != nil && cert.Expires().Before(a.Now()) {
		a.IO().Warnf("the certificate ended on %s: only who pins its key takes it", cert.Expires().UTC().Format("2 January 2006 at 15:04 UTC"))
	}
	if err := srv.listen(ctx, o, cert); err != nil {
		return errors.Join(err, srv.closeListeners())
	}
	out := srv.answer(s.Store, kept.Origin, o)
	out.Warnings = a.IO().Warnings()
	if err := a.answer(out, out.text); err != nil {
		return errors.Join(err, srv.closeListeners())
	}
	return srv.run(ctx)
}

// logger logs on standard error: what goes wrong, and requests where asked for.
func (o serveFlags) logger(a *App) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelWarn}
	if o.accessLog != accessOff {
		options.Level = slog.LevelDebug
	}
	if o.accessLog == accessJSON || o.accessLog == accessOff && a.IO().Machine() {
		return slog.New(slog.NewJSONHandler(a.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(a.Stderr, options))
}

// serving is a server with all that belongs to it.
type serving struct {
	desk      *service.Desk
	log       *slog.Logger
	metrics   *httpapi.Metrics
	server    *httpapi.Server
	cert      *httpapi.Certificate // nil for plain HTTP
	listeners []net.Listener
	unsigned  string // why the last checkpoint was not signed, or ""
}

func newServing(desk *service.Desk, log *slog.Logger) *serving {
	srv := &serving{desk: desk, log: log, metrics: httpapi.NewMetrics(thisVersion().Version)}
	srv.server = httpapi.NewServer(httpapi.Handler(desk, httpapi.Options{
		QR: qrPicture, Log: log, Version: thisVersion().Version,
		Ready: desk.Ready,
	}), srv.metrics, log)
	srv.server.MayScrape = func(r *http.Request) error {
		_, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		who, err := desk.Authenticate(r.Context(), logiqc.Secret(bearer), logiqc.Source{})
		if err != nil {
			return err
		}
		return who.Need(logiqc.UsersRead)
	}
	return srv
}

// qrPicture draws a QR code for an application to show.
func qrPicture(uri string) ([]byte, error) {
	qr, err := totp.QR(uri)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = qr.PNG(&b, 8)
	return b.Bytes(), err
}

// listen opens everything that is to be listened on.
func (srv *serving) listen(ctx context.Context, o serveFlags, cert *httpapi.Certificate) error {
	srv.cert = cert
	addr := o.listen
	switch {
	case addr == "" && cert != nil:
		addr = publicAddress
	case addr == "" && o.unix == "":
		addr = localAddress
	}
	if addr != "" {
		l, err := httpapi.Listen(ctx, addr, cert)
		if err != nil {
			return err
		}
		srv.listeners = append(srv.listeners, l)
	}
	if o.unix != "" {
		l, err := httpapi.ListenUnix(ctx, o.unix)
		if err != nil {
			return err
		}
		srv.listeners = append(srv.listeners, l)
	}
	return nil
}

func (srv *serving) closeListeners() (err error) {
	for _, l := range srv.listeners {
		err = errors.Join(err, l.Close())
	}
	return err
}
