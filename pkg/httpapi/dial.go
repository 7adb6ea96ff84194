package httpapi

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Target says how to reach a server.
type Target struct {
	URL    string // https://host[:port], or http:// on a loopback address
	Socket string // instead of URL: the path of a Unix socket
	CAFile string // PEM file of the authorities to trust, "" for the machine's
	// Pin is the only key to accept, as [PinOf] writes it, or "". Without a
	// CAFile it is trust enough: who signed the certificate, for which name and
	// until when, is not asked then.
	Pin string
	// Timeout is how long the server may leave a connection or a request
	// without any progress; 0 is for ever.
	Timeout time.Duration
}

// socketURL is where paths of a server behind a Unix socket begin. The host is
// a name that no network has.
const socketURL = "http://logiqc.invalid"

// String is the server as it may be shown.
func (t Target) String() string {
	if t.Socket != "" {
		return "unix:" + t.Socket
	}
	return t.URL
}

// Client returns a client for the server and the URL that paths are put after.
// It opens nothing but the CAFile. The client follows no redirect, because the
// token must go nowhere else. Its failures are a [*logiqc.Error] inside the
// [*url.Error]: Unavailable when nothing can have been done, UnknownOutcome
// when something may have been; or the reason why the request's context ended,
// when that ended it before anything was sent.
func (t Target) Client() (*http.Client, string, error) {
	dialer := &net.Dialer{Timeout: t.Timeout, KeepAlive: 30 * time.Second}
	transport := &http.Transport{
		DialContext:         dialer.DialContext,
		TLSHandshakeTimeout: t.Timeout,
		IdleConnTimeout:     idleTimeout / 2, // the client lets go first
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 64,
	}
	base := t.URL
	if t.Socket != "" {
		base = socketURL
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", t.Socket)
		}
	} else {
		transport.Proxy = http.ProxyFromEnvironment // never for loopback addresses
		transport.OnProxyConnectResponse = checkProxy
		var err error
		if transport.TLSClientConfig, err = t.trust(); err != nil {
			return nil, "", err
		}
	}
	return &http.Client{
		Transport:     &carrier{next: transport, to: t},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, base, nil
}

// trust says which servers are believed to be the one that is meant.
func (t Target) trust() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(4)}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, logiqc.Errorf(logiqc.Usage, "the certificate authorities cannot be read: %w", err).WithHint("--ca-file FILE")
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, logiqc.Errorf(logiqc.Usage, "%s holds no certificate in PEM", t.CAFile).WithHint("--ca-file FILE")
		}
	}
	if t.Pin != "" {
		if len(t.Pin) != len("sha256:")+2*sha256.Size {
			return nil, logiqc.Errorf(logiqc.Usage, "the pin %s is not a whole fingerprint", t.Pin).WithHint("--pin sha256: and 64 hex digits, as `logiqc serve` prints it")
		}
		c.VerifyConnection = checkPin(t.Pin)
		c.InsecureSkipVerify = t.CAFile == "" // #nosec G402 -- the pin is checked instead
	}
	return c, nil
}
