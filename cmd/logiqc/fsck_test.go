package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/ledger"
)

// fsckModule is a checker of C2SP tlog-tiles that nobody here wrote.
const fsckModule = "github.com/transparency-dev/tessera/cmd/fsck@v1.0.4"

var fsckTool = sync.OnceValues(func() (string, error) { return buildTool(fsckModule) })

// buildTool builds a program that nobody here wrote, given as PATH@VERSION,
// into the user's cache.
func buildTool(module string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	name, _, _ := strings.Cut(path.Base(module), "@")
	dir := filepath.Join(cache, "logiqc-test-tools", strings.NewReplacer("/", "_", "@", "_").Replace(module))
	built := filepath.Join(dir, name)
	if _, err := os.Stat(built); err == nil {
		return built, nil
	}
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Minute)
	defer stop()
	c := exec.CommandContext(ctx, "go", "install", module)
	c.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	c.Dir = os.TempDir() // apart from our own module
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go install %s: %w\n%s", module, err, out)
	}
	return built, nil
}

// fsck runs it on an exported folder. By itself it exits 0 whatever it finds,
// and hangs at the first bad tile with one worker: so its words are read.
func fsck(t *testing.T, dir, vkey string) (accepted bool, said string) {
	t.Helper()
	tool := needTool(t, fsckTool, "what an independent checker says")
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(vkey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	out, err := exec.CommandContext(ctx, tool, "-N", "64", "-ui=false", "-v=1", "-logtostderr",
		"-storage_url=file://"+dir+"/", "-public_key="+key).CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	said = string(out)
	accepted = err == nil && ctx.Err() == nil && strings.Contains(said, "Successfully fsck'd log") && strings.Contains(said, "EntryBdl:") &&
		!strings.Contains(said, "fsck failed") && !strings.Contains(said, "Invalid")
	return accepted, said
}

// An export is accepted at the sizes where tiles begin, fill and overflow.
func TestFsckAcceptsExports(t *testing.T) {
	t.Parallel()
	signer, vkey := otherKey(t, "logiqc/sizes/00000000")
	var leaves [][]byte
	for i := range 65536 {
		leaves = append(leaves, fmt.Appendf(nil, `{"v":1,"action":"mfa.reset","target":"user%d"}`, i))
	}
	for _, size := range []int{0, 1, 2, 255, 256, 257, 65536} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			if testing.Short() && size > 1000 {
				t.Skip("SKIPPED in short mode")
			}
			f, dir := forge(t, leaves[:size]), t.TempDir()
			checkpoint, err := ledger.SignCheckpoint(f.head, signer)
			if err == nil {
				_, err = ledger.Export(t.Context(), dir, f, checkpoint, signer.Name(), verifierOf(t, vkey))
			}
			if err != nil {
				t.Fatal(err)
			}
			if accepted, said := fsck(t, dir, vkey); !accepted && size > 0 || size == 0 && strings.Contains(said, "fsck failed") {
				t.Errorf("refused:\n%s", said)
			}
		})
	}
}

// So is what the program exports, and what it adds to that later.
func TestFsckAcceptsTheProgram(t *testing.T) {
	t.Parallel()
	e := newEvidence(t, newTemplate(t))
	for range 2 {
		if accepted, said := fsck(t, e.dir, e.key); !accepted {
			t.Errorf("refused:\n%s", said)
		}
		e.must("users", "edit", "jlee", "--phone", "+61 2 5550 9999")
		e.must("audit", "export", e.dir)
	}
}
