package totp

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// rfcKey is the key of both RFCs' vectors.
func rfcKey(t testing.TB) Key {
	t.Helper()
	return mustKey(t, []byte("12345678901234567890"))
}

func mustKey(t testing.TB, b []byte) Key {
	t.Helper()
	k, err := KeyFromBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// vectors reads lines of a number and a code.
func vectors(t *testing.T, name string, want int, each func(n int64, code string)) {
	t.Helper()
	data, err := os.ReadFile("../../testdata/vectors/" + name)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		n, err := strconv.ParseInt(fields[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		each(n, fields[1])
		count++
	}
	if count != want {
		t.Errorf("%s: %d vectors, want %d", name, count, want)
	}
}

func TestRFC4226(t *testing.T) {
	k := rfcKey(t)
	vectors(t, "rfc4226-hotp.txt", 10, func(counter int64, code string) {
		if got := Code(k, counter); got != code {
			t.Errorf("counter %d: %s, want %s", counter, got, code)
		}
	})
}

func TestRFC6238(t *testing.T) {
	k := rfcKey(t)
	vectors(t, "rfc6238-totp-sha1.txt", 6, func(unix int64, code string) {
		now := time.Unix(unix, 0)
		code = code[len(code)-Digits:]
		if got := Code(k, Step(now)); got != code {
			t.Errorf("%d s: %s, want %s", unix, got, code)
		}
		if m := Check(k, code, now); !m.OK || m.Step != Step(now) {
			t.Errorf("%d s: Check says %+v", unix, m)
		}
	})
}

// tool returns the path of a program that gives a second opinion. Without it
// the test is skipped, or fails if LOGIQC_TEST_TOOLS=require.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("LOGIQC_TEST_TOOLS") == "require":
		t.Fatalf("%s is not installed, and LOGIQC_TEST_TOOLS=require", name)
	}
	t.Skipf("SKIPPED: %s is not installed; nothing compared with it", name)
	return ""
}

func TestOathtoolAgrees(t *testing.T) {
	path := tool(t, "oathtool")
	random := rand.New(rand.NewPCG(6238, 4226))
	for range 20 {
		b := make([]byte, minKeyBytes+random.IntN(maxKeyBytes-minKeyBytes+1))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		k, now := mustKey(t, b), time.Unix(random.Int64N(1<<33), 0)
		if got, want := Code(k, Step(now)), run(t, path, "--totp", "-N", fmt.Sprintf("@%d", now.Unix()), hex.EncodeToString(b)); got != want {
			t.Errorf("TOTP at %d: %s, oathtool says %s", now.Unix(), got, want)
		}
		// The setup key as the user would type it into another program.
		if got, want := Code(k, Step(now)), run(t, path, "--totp", "-b", "-N", fmt.Sprintf("@%d", now.Unix()), k.Base32()); got != want {
			t.Errorf("TOTP from base32 at %d: %s, oathtool says %s", now.Unix(), got, want)
		}
	}
}

func run(t *testing.T, path string, args ...string) string {
	t.Helper()
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", path, args, err, out)
	}
	return strings.TrimSpace(string(out))
}
