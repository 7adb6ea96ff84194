//go:build unix

package pgtest

import (
	"bytes"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Pair is a primary and a standby that confirms every commit of it, both of
// them only for one test. They are the newest server's, whatever LOGIQC_TEST_POSTGRES
// says, and end with the test or, however it ends, its process.
type Pair struct {
	// DSN names both servers, and wants the one that can be written to.
	DSN              string
	Primary, Standby Node
}

// Node is one server of a Pair.
type Node struct {
	DSN string // this server alone
	dir string
}

// asStandby makes a standby of a running server in place of a new cluster.
const asStandby = `
bin=$1 dir=$2
"$bin/pg_basebackup" -D "$dir/data" -d "host=$3 user=logiqc application_name=standby" -R -X stream -c fast --no-sync >"$dir/log" 2>&1 ||
	{ cat "$dir/log"; exit 1; }
`

// asPrimary makes a cluster that a standby can follow.
const asPrimary = `
bin=$1 dir=$2
"$bin/initdb" -D "$dir/data" -U logiqc -A trust -E UTF8 --no-locale --no-sync >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
`

// serve runs what is there and ends as watch does.
const serve = `
"$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off -c full_page_writes=off \
	-c max_connections=150 -c shared_buffers=32MB -c wal_level=replica -c max_wal_senders=5 \
	-c log_destination=stderr </dev/null >"$dir/log" 2>&1 &
pid=$!
echo started
cat >/dev/null
kill -QUIT "$pid" 2>/dev/null
wait "$pid"
rm -rf "$dir"
`

// NewPair starts both and waits until the standby confirms commits. Without
// PostgreSQL on the machine it is as [Server].
func NewPair(t testing.TB) *Pair {
	t.Helper()
	bin, err := programs()
	if errors.Is(err, errNone) && os.Getenv(Variable) != require {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := &Pair{}
	p.Primary = startNode(t, bin, "postgres", asPrimary+serve)
	p.Standby = startNode(t, bin, "postgres", asStandby+serve, p.Primary.dir)
	p.DSN = (&url.URL{Scheme: "postgres", User: url.User("logiqc"), Path: "/postgres", RawQuery: url.Values{
		"host": {p.Primary.dir + "," + p.Standby.dir}, "target_session_attrs": {"read-write"}}.Encode()}).String()
	Exec(t, p.Primary.DSN, `ALTER SYSTEM SET synchronous_standby_names = 'standby'`)
	Exec(t, p.Primary.DSN, `SELECT pg_reload_conf()`)
	Await(t, p.Primary.DSN, `SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'`, "1")
	return p
}

// startNode runs a script in a folder of its own until somebody is let in to a
// database there.
func startNode(t testing.TB, bin, database, script string, args ...string) Node {
	t.Helper()
	as, err := owner()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(clusters(), "pgpair")
	if err != nil {
		t.Fatal(err)
	}
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	end, err := runWatched(script, dir, as, append([]string{bin, dir}, args...)...)
	if err != nil {
		_ = os.RemoveAll(dir)
		t.Fatal(err)
	}
	t.Cleanup(end)
	n := Node{DSN: socketDSN(dir, database), dir: dir}
	if err := waitFor(n.DSN); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		t.Fatalf("%v: %s", err, log)
	}
	return n
}

// Kill ends the server as a crash does: its first process is killed with -9.
func (n Node) Kill(t testing.TB) {
	t.Helper()
	pid, err := n.pid()
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Stop holds up one of the server's processes, of the type that
// pg_stat_activity says; resume lets it go on.
func (n Node) Stop(t testing.TB, backendType string) (resume func()) {
	t.Helper()
	pid, err := strconv.Atoi(Value(t, n.DSN, `SELECT pid FROM pg_stat_activity WHERE backend_type = '`+backendType+`'`))
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGSTOP)
	}
	if err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
}

// pid is the server's first process (PostgreSQL manual, "Database File Layout").
func (n Node) pid() (int, error) {
	raw, err := os.ReadFile(filepath.Join(n.dir, "data", "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := bytes.Cut(raw, []byte("\n"))
	return strconv.Atoi(string(first))
}

// Promote makes the standby take over.
func (n Node) Promote(t testing.TB) {
	t.Helper()
	Exec(t, n.DSN, `SELECT pg_promote(true, 60)`)
}

// Await waits until a query answers value.
func Await(t testing.TB, dsn, query, value string) {
	t.Helper()
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		got := Value(t, dsn, query)
		if got == value {
			return
		}
		if time.Since(start) > time.Minute {
			t.Fatalf("%s is %s, want %s", query, got, value)
		}
	}
}
