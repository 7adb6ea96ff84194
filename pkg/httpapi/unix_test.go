//go:build unix

package httpapi

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// On a Unix socket the kernel says who is at the other end.
func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "logiqc.sock")
	l, err := ListenUnix(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{}
	r.Server = NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := peerUser(r.Context())
		if !ok {
			name = "nobody knows"
		}
		_, _ = io.WriteString(w, name)
	}), NewMetrics("test"), slog.New(slog.DiscardHandler))
	r.serve(t, l)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := fetch(t, Target{Socket: path}, "GET", "/", ""); got != me.Username || err != nil {
		t.Errorf("%q, %v; want %q", got, err, me.Username)
	}
	if _, err := ListenUnix(t.Context(), path); !errors.Is(err, logiqc.Exists) {
		t.Errorf("a second server on it: %v", err)
	}
}

// The socket's folder is its owner's alone; what a killed server left behind is
// replaced, and nothing else.
func TestUnixSocketPlace(t *testing.T) {
	loose := filepath.Join(t.TempDir(), "loose")
	if err := os.Mkdir(loose, 0o750); err != nil {
		t.Fatal(err)
	}
	_, err := ListenUnix(t.Context(), filepath.Join(loose, "s"))
	if e := logiqc.AsError(err); !errors.Is(err, logiqc.Usage) || e.Hint == "" {
		t.Errorf("in a folder that others can use: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "own")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("keep"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ListenUnix(t.Context(), file); !errors.Is(err, logiqc.Exists) {
		t.Errorf("over a file: %v", err)
	}
	left := filepath.Join(dir, "left")
	for range 2 {
		l, err := ListenUnix(t.Context(), left)
		if err != nil {
			t.Fatalf("where a killed server was: %v", err)
		}
		l.(interface{ SetUnlinkOnClose(bool) }).SetUnlinkOnClose(false)
		_ = l.Close()
	}
}
