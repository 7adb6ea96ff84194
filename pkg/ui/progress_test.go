package ui

import (
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

func TestProgressLine(t *testing.T) {
	p := &Progress{unit: "accounts", total: 281, done: 199, note: "0 failed"}
	since := 199 * time.Second / 41
	for _, c := range []struct {
		width int
		want  string
	}{
		{79, "[##############------]  199/281  41/s  2 s left   0 failed"},
		{50, "[#######---]  199/281  41/s  2 s left   0 failed"},
		{43, "[#######---]  199/281  2 s left   0 failed"},
		{39, "199/281  2 s left   0 failed"},
		{10, "199/281  …"},
	} {
		if got := p.line(since, c.width); got != c.want {
			t.Errorf("%d: %q, want %q", c.width, got, c.want)
		}
	}
	p = &Progress{unit: "rows", done: 12}
	if got, want := p.line(2*time.Second, 79), "12 rows  6/s"; got != want {
		t.Errorf("without a total: %q, want %q", got, want)
	}
	p = &Progress{unit: "rows", total: 36000, done: 1}
	if got := p.line(time.Second, 79); !strings.Contains(got, "10 h left") {
		t.Errorf("long: %q", got)
	}
}

// TestProgressOnTerminal: the bar comes after half a second, stays below what
// is printed meanwhile, and goes.
func TestProgressOnTerminal(t *testing.T) {
	x := uitest.New(t, 80, 24)
	u := onTTY(x, Options{})
	p := u.Progress(4, "accounts")
	p.Note("1 failed")
	p.Add(1)
	time.Sleep(barDelay / 2)
	if s := x.Screen(); strings.Contains(s, "1/4") {
		t.Errorf("too early:\n%s", s)
	}
	x.Wait("[#####---------------]  1/4", "1 failed")
	u.Notef("a note")
	u.Answerf("an answer")
	p.Set(3)
	if s := x.Wait("3/4"); !strings.HasPrefix(s, "a note\nan answer\n[###############-----]  3/4") {
		t.Errorf("screen:\n%s", s)
	}
	p.Done()
	p.Done()
	u.Answerf("the end")
	if s := x.Wait("the end"); s != "a note\nan answer\nthe end\n" {
		t.Errorf("afterwards:\n%s", s)
	}
	if frames := strings.Count(x.Output(), "/4"); frames > 20 {
		t.Errorf("%d frames", frames)
	}
}

func TestProgressElsewhere(t *testing.T) {
	quick := func(u *IO) {
		p := u.Progress(40, "accounts")
		p.Note("0 failed")
		for range 40 {
			p.Add(1)
		}
		time.Sleep(barDelay + 2*barEvery)
		p.Done()
	}
	x, u := lineTTY(t)
	quick(u)
	s := x.Wait("40 of 40")
	if n := strings.Count(s, "\n"); n != 10 || !strings.HasPrefix(s, "4 of 40 accounts done, 0 failed.\n8 of 40") {
		t.Errorf("%d lines:\n%s", n, s)
	}
	if strings.Contains(x.Output(), "\x1b") {
		t.Errorf("an escape sequence: %q", x.Output())
	}
	p := inPipe(t, "", Options{})
	quick(p.IO)
	if p.stderr() != "" {
		t.Errorf("in a pipe: %q", p.stderr())
	}
	x = uitest.New(t, 80, 24)
	quick(onTTY(x, Options{Format: FormatJSONL}))
	if x.Output() != "" {
		t.Errorf("with jsonl: %q", x.Output())
	}
}
