package cmd

import (
	"context"
	"errors"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// signEvery is how often, at most, a server signs a checkpoint.
const signEvery = 10 * time.Second

// lastSign is how long a server that ends may take to sign what it has done.
const lastSign = 5 * time.Second

// run serves until ctx ends, and then until everybody who is in is answered.
func (srv *serving) run(ctx context.Context) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	ended := make(chan error, len(srv.listeners))
	for _, l := range srv.listeners {
		go func() { ended <- srv.server.Serve(l) }()
	}
	notifySystemd("READY=1")
	srv.sign(ctx) // whoever starts it on the wrong log hears so now
	sign := time.NewTicker(signEvery)
	defer sign.Stop()
	for {
		select {
		case <-sign.C:
			srv.sign(ctx)
		case <-hangup:
			srv.reload()
		case err := <-ended: // a listener broke
			return errors.Join(err, srv.server.Close())
		case <-ctx.Done():
			return srv.stop()
		}
	}
}

// sign signs a checkpoint where the log has grown. A server without keys, or
// on a log that is not the one signed before, says so, once, and goes on.
func (srv *serving) sign(ctx context.Context) {
	size, err := srv.desk.SignGrowth(ctx)
	srv.metrics.Checkpoint(size, err)
	why := ""
	if err != nil {
		why = err.Error()
	}
	if err != nil && why != srv.unsigned && ctx.Err() == nil {
		srv.log.Error("no checkpoint was signed", "error", why)
	}
	srv.unsigned = why
}

// reload reads the certificate's files anew.
func (srv *serving) reload() {
	if srv.cert == nil {
		return
	}
	if err := srv.cert.Reload(); err != nil {
		srv.log.Error("the certificate was not changed: the old one stays in use", "error", err)
		return
	}
	srv.log.Info("the certificate was read anew", "pin", srv.cert.Pin(), "expires", srv.cert.Expires())
}

// stop lets in nobody new and waits until everybody is answered, or until it is
// told again.
func (srv *serving) stop() error {
	notifySystemd("STOPPING=1")
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(again)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-again:
			cancel()
		case <-ctx.Done():
		}
	}()
	cut := srv.server.Shutdown(ctx)
	if cut != nil {
		_ = srv.server.Close()
		cut = logiqc.Errorf(logiqc.Internal, "the server was told twice to stop, and cut requests that were not answered yet")
	}
	soon, done := context.WithTimeout(context.Background(), lastSign)
	defer done()
	srv.sign(soon)
	return cut
}

// notifySystemd tells the service manager, where one listens, how the server is
// (sd_notify(3)). That nobody listens is no harm.
func notifySystemd(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	c, err := net.Dial("unixgram", path) // #nosec G704 -- a socket that the service manager names
	if err != nil {
		return
	}
	_, _ = c.Write([]byte(state))
	_ = c.Close()
}
