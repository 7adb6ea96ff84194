//go:build unix

package pgtest

import (
	"net/url"
	"os"
	"os/exec"
	"testing"
)

// pooling runs PgBouncer before a database, with two connections to lend.
const pooling = `
bin=$1 dir=$2
cat >"$dir/pgbouncer.ini" <<INI
[databases]
$3 = host=$4 user=$5
[pgbouncer]
auth_type = any
pool_mode = transaction
default_pool_size = 2
unix_socket_dir = $dir
listen_port = 5432
INI
"$bin" "$dir/pgbouncer.ini" </dev/null >"$dir/log" 2>&1 &
pid=$!
echo started
cat >/dev/null
kill -TERM "$pid" 2>/dev/null
wait "$pid"
rm -rf "$dir"
`

// Pooler puts a PgBouncer in transaction mode before the database at an address
// and returns the address of that. Without the program the test is skipped, or
// fails if LOGIQC_TEST_TOOLS=require.
func Pooler(t testing.TB, dsn string) string {
	t.Helper()
	bin, err := exec.LookPath("pgbouncer")
	if err != nil {
		bin, err = exec.LookPath("/usr/sbin/pgbouncer")
	}
	if err != nil && os.Getenv("LOGIQC_TEST_TOOLS") != require {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := databaseOf(t, dsn)
	return startNode(t, bin, name, pooling, name, u.Query().Get("host"), u.User.Username()).DSN
}
