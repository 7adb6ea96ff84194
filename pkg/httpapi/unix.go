package httpapi

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// ListenUnix listens on a Unix socket in a folder that is its owner's alone,
// mode 0700, which is made where it is missing. What an ended server left
// behind is replaced; anything else at the path is refused with Exists.
func ListenUnix(ctx context.Context, path string) (net.Listener, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, cannotListen("unix:"+path, err)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, logiqc.Errorf(logiqc.Unavailable, "the folder of the socket cannot be made: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, logiqc.Errorf(logiqc.Unavailable, "the folder of the socket cannot be used: %w", err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return nil, logiqc.Errorf(logiqc.Usage, "others can get at a socket in %s (mode %04o)", dir, mode).
			WithHint("put it into a folder of its own, or: chmod 700 %s", dir)
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if errors.Is(err, syscall.EINVAL) {
		return nil, logiqc.Errorf(logiqc.Usage, "%s is longer than the path of a socket may be", path).WithHint("take one of at most 100 characters")
	}
	if err != nil {
		return nil, cannotListen("unix:"+path, err)
	}
	return l, nil
}

// removeStale removes a socket that nobody listens on any more.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return cannotListen("unix:"+path, err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return logiqc.Errorf(logiqc.Exists, "%s is something else than a socket; it was left alone", path).WithHint("--unix PATH")
	}
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		_ = c.Close()
		return logiqc.Errorf(logiqc.Exists, "a server listens on %s already", path)
	}
	if err := os.Remove(path); err != nil {
		return cannotListen("unix:"+path, err)
	}
	return nil
}

// peerKey is where a request's context has the user at the other end.
type peerKey struct{}

// withPeer notes who is at the other end of a Unix socket: the kernel says so.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	for {
		below, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		c = below.NetConn()
	}
	socket, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	uid, ok := peerUID(socket)
	if !ok {
		return ctx
	}
	name := "uid " + strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10)); err == nil {
		name = u.Username
	}
	return context.WithValue(ctx, peerKey{}, name)
}

// peerUser is the operating system's user at the other end of the request's
// connection, and false where the kernel does not tell.
func peerUser(ctx context.Context) (string, bool) {
	name, ok := ctx.Value(peerKey{}).(string)
	return name, ok
}
