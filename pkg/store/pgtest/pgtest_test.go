//go:build unix

package pgtest

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestDatabases(t *testing.T) {
	one := Database(t)
	Exec(t, one, "CREATE TABLE hello (name TEXT); INSERT INTO hello VALUES ('world')")
	two := Copy(t, one)
	Exec(t, two, "UPDATE hello SET name = 'there'")
	for dsn, want := range map[string]string{one: "world", two: "there"} {
		if got := Value(t, dsn, "SELECT name FROM hello"); got != want {
			t.Errorf("hello %s, want %s", got, want)
		}
	}
	if got := Value(t, With(t, one, "application_name", "me"), "SHOW application_name"); got != "me" {
		t.Errorf("application_name %s", got)
	}
}

// TestPanics is run by TestClusterEnds in a process of its own.
func TestPanics(t *testing.T) {
	if os.Getenv("PGTEST_PANIC") == "" {
		t.Skip("is for TestClusterEnds")
	}
	os.Stdout.WriteString("pid " + Value(t, Server(t), "SELECT pg_read_file('postmaster.pid')") + "\n")
	panic("as tests do")
}

// The cluster goes with its process, and its folder too, when that panics.
func TestClusterEnds(t *testing.T) {
	if dsn := os.Getenv(Variable); dsn != "" && dsn != require {
		t.Skip("the server is somebody else's")
	}
	Server(t)
	cmd := exec.Command(os.Args[0], "-test.run=TestPanics$")
	cmd.Env = append(os.Environ(), "PGTEST_PANIC=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid, data string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if p, ok := strings.CutPrefix(lines.Text(), "pid "); ok && lines.Scan() {
			pid, data = p, lines.Text()
		}
	}
	if err := cmd.Wait(); err == nil || pid == "" {
		t.Fatalf("no panic, or no cluster: %v", err)
	}
	dir := strings.TrimSuffix(data, "/data")
	for range 100 {
		_, err := os.Stat(dir)
		if os.IsNotExist(err) && exec.Command("kill", "-0", pid).Run() != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("the server %s or its folder %s is still there", pid, dir)
}

// A standby that takes over has what was committed before.
func TestPair(t *testing.T) {
	p := NewPair(t)
	Exec(t, p.DSN, "CREATE TABLE hello (name TEXT); INSERT INTO hello VALUES ('world')")
	p.Primary.Kill(t)
	p.Standby.Promote(t)
	if got := Value(t, p.DSN, "SELECT name FROM hello"); got != "world" {
		t.Errorf("hello %s", got)
	}
}
