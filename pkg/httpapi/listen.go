package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"syscall"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Listen listens on a TCP address, host:port, with TLS. Without a certificate
// it is plain HTTP, for which the address has to be a loopback one: Usage
// otherwise. Unavailable when the address cannot be had.
func Listen(ctx context.Context, addr string, cert *Certificate) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, logiqc.Errorf(logiqc.Usage, "%q is no address to listen on", addr).WithHint("--listen HOST:PORT, or :PORT for every address of this machine")
	}
	if cert == nil {
		if host, err = loopback(ctx, host); err != nil {
			return nil, err
		}
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, cannotListen(addr, err)
	}
	if cert == nil {
		return l, nil
	}
	return &secure{Listener: l, config: cert.config()}, nil
}

// secure is a listener whose connections are to speak TLS. They are not wrapped
// before they are counted, so that [Server] sees the one below.
type secure struct {
	net.Listener
	config *tls.Config
}

// loopback resolves a host that only this machine can reach.
func loopback(ctx context.Context, host string) (string, error) {
	refused := logiqc.Errorf(logiqc.Usage, "plain HTTP is for this machine only, and %q can be reached from others", host).
		WithHint("--tls-self-signed, or --tls-cert FILE --tls-key FILE; or --listen 127.0.0.1:PORT")
	if host == "" {
		return "", refused
	}
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil || len(ips) == 0 {
		return "", cannotListen(host, err)
	}
	for _, ip := range ips {
		if !ip.IP.IsLoopback() {
			return "", refused
		}
	}
	// By number, so that no other answer of the resolver can come in between.
	return ips[0].String(), nil
}

// cannotListen says in one sentence why an address cannot be had.
func cannotListen(addr string, err error) error {
	var system *os.SyscallError
	if errors.As(err, &system) {
		err = system.Err
	}
	e := logiqc.Errorf(logiqc.Unavailable, "cannot listen on %s: %w", addr, err)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return e.WithHint("another program does, perhaps another logiqc serve")
	case errors.Is(err, syscall.EACCES):
		return e.WithHint("ports below 1024 are not for everybody: take a higher one, or give the service CAP_NET_BIND_SERVICE")
	}
	return e
}
