package ui

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

var update = flag.Bool("update", false, "write the golden screens anew")

// childEnv names the child that a test runs as a program of its own, because
// it is about signals or the process.
const childEnv = "UI_TEST_CHILD"

func TestMain(m *testing.M) {
	if f, ok := children[os.Getenv(childEnv)]; ok {
		os.Exit(f(New(Options{NoAltScreen: os.Getenv("UI_TEST_FLOW") != ""})))
	}
	os.Exit(m.Run())
}

// child is the command that runs one of children.
func child(t *testing.T, name string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(env, childEnv+"="+name)...)
	return cmd
}

// env is an environment of its own for an IO; TERM is a common terminal.
func env(kv ...string) func(string) string {
	vars := map[string]string{"TERM": "xterm-256color"}
	for _, s := range kv {
		k, v, _ := strings.Cut(s, "=")
		vars[k] = v
	}
	return func(k string) string { return vars[k] }
}

// onTTY returns an IO whose streams are all the terminal x.
func onTTY(x *uitest.Terminal, o Options) *IO {
	o.Stdin, o.Stdout, o.Stderr = x.TTY(), x.TTY(), x.TTY()
	if o.Getenv == nil {
		o.Getenv = env()
	}
	return New(o)
}

// piped is an IO whose streams are files, and what was written to them.
type piped struct {
	*IO
	t        *testing.T
	out, err *os.File
}

// inPipe returns an IO that reads input and writes to files.
func inPipe(t *testing.T, input string, o Options) *piped {
	t.Helper()
	dir := t.TempDir()
	file := func(name string) *os.File {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	in := file("in")
	if _, err := in.WriteString(input); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	p := &piped{t: t, out: file("out"), err: file("err")}
	o.Stdin, o.Stdout, o.Stderr = in, p.out, p.err
	if o.Getenv == nil {
		o.Getenv = env()
	}
	p.IO = New(o)
	return p
}

// stdout is what was written to standard output so far.
func (p *piped) stdout() string { return p.read(p.out) }

// stderr is what was written to standard error so far.
func (p *piped) stderr() string { return p.read(p.err) }

func (p *piped) read(f *os.File) string {
	p.t.Helper()
	b, err := os.ReadFile(f.Name())
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, []byte(got)) {
		t.Errorf("%s differs.\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// goldenScreen compares the screen of x with a file of testdata, as soon as it
// is the same or else when patience is at its end.
func goldenScreen(t *testing.T, name string, x *uitest.Terminal) {
	t.Helper()
	want, _ := os.ReadFile(filepath.Join("testdata", name+".golden"))
	end := time.Now().Add(uitest.Patience / 2)
	if *update {
		end = time.Now().Add(300 * time.Millisecond)
	}
	for (*update || x.Screen() != string(want)) && time.Now().Before(end) {
		time.Sleep(10 * time.Millisecond)
	}
	golden(t, name, x.Screen())
}

// result is what a question returned.
type result[T any] struct {
	v   T
	err error
}

// start asks in the background and returns where the result will be.
func start[T any](x *uitest.Terminal, ask func(context.Context) (T, error)) *result[T] {
	r := new(result[T])
	x.Go(func() { r.v, r.err = ask(context.Background()) })
	return r
}
