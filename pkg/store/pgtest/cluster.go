//go:build unix

package pgtest

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// programs is the folder of the newest server's programs.
func programs() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // the pattern is good
	newest, dir := 0, ""
	for _, f := range found {
		bin := filepath.Dir(f)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && version > newest {
			newest, dir = version, bin
		}
	}
	if dir == "" {
		return "", errNone
	}
	return dir, nil
}

// owner is whom the cluster belongs to: PostgreSQL does not run as root.
func owner() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil //nolint:nilnil // nil: as we are
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, err
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(err1, err2)
}

// watch makes a cluster, runs it, and ends and removes it when nobody holds the
// other end of its standard input any more. The default order of text is another
// than bytes', so that a test notices who relies on it. A commit that asks for it
// (synchronous_commit) waits for a standby that does not exist. Vacuuming of many
// small databases, one after the other, is only for what is measured.
const watch = `
bin=$1 dir=$2
"$bin/initdb" -D "$dir/data" -U logiqc -A trust -E UTF8 --no-sync $3 >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
"$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off -c full_page_writes=off \
	-c synchronous_commit=off -c synchronous_standby_names=nobody -c max_connections=150 -c shared_buffers=32MB \
	-c autovacuum=$4 -c deadlock_timeout=100ms -c log_destination=stderr </dev/null >"$dir/log" 2>&1 &
pid=$!
echo started
cat >/dev/null
kill -QUIT "$pid"
wait "$pid"
rm -rf "$dir"
`

// startCluster returns the address of a new cluster's first database.
func startCluster() (string, error) {
	bin, err := programs()
	if err != nil {
		return "", err
	}
	as, err := owner()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(clusters(), "pgtest") // short, for the path of a socket
	if err != nil {
		return "", err
	}
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			return "", err
		}
	}
	for _, locale := range []string{"--locale-provider=icu --icu-locale=en --locale=C.UTF-8", "--locale=C.UTF-8", "--no-locale"} {
		// Its end is this process's: see alive.
		if _, err = runWatched(watch, dir, as, bin, dir, locale, strconv.FormatBool(measured())); err == nil {
			break
		}
		_ = os.RemoveAll(filepath.Join(dir, "data"))
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return "", err
	}
	dsn := socketDSN(dir, "postgres")
	return dsn, waitFor(dsn)
}

// measured tells whether benchmarks run.
func measured() bool {
	f := flag.Lookup("test.bench")
	return f != nil && f.Value.String() != ""
}

// socketDSN is the address of a database of a server in dir.
func socketDSN(dir, database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User("logiqc"), Path: "/" + database, RawQuery: url.Values{"host": {dir}}.Encode()}).String()
}

// alive holds the other ends of the watches' standard inputs, open as long as
// this process lives.
var (
	aliveMu sync.Mutex
	alive   []io.WriteCloser
)

// runWatched starts one who watches over a cluster, and returns once that runs.
// end ends both before this process does, and waits for it.
func runWatched(script, dir string, as *syscall.Credential, args ...string) (end func(), err error) {
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, "sh"}, args...)...) //nolint:gosec // a server's own programs
	cmd.Dir = dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	// Out of reach of a terminal's ^C, which would end the watch first.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	aliveMu.Lock()
	alive = append(alive, in)
	aliveMu.Unlock()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	said := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "started" {
			return sync.OnceFunc(func() { _, _ = in.Close(), cmd.Wait() }), nil
		}
		said += lines.Text() + "\n"
	}
	return nil, fmt.Errorf("start a cluster: %w: %s", cmd.Wait(), said)
}

// waitFor waits until the server lets somebody in.
func waitFor(dsn string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, dsn)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}
