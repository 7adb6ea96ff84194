package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// recoveryCodes is a screen of n codes.
func recoveryCodes(n int) SecretScreen {
	s := SecretScreen{
		Title: "Ten recovery codes", Label: "Code",
		Note: "Each signs you in once without the app.",
	}
	for i := range n {
		s.Lines = append(s.Lines, fmt.Sprintf("k7f2-dm9q-x4tt-8w%02d", i))
	}
	return s
}

func TestSecretScreens(t *testing.T) {
	for _, c := range []struct {
		name       string
		cols, rows int
		n          int
		o          Options
	}{
		{"secrets_80x24", 80, 24, 10, Options{}}, {"secrets_40x12", 40, 12, 10, Options{}},
		{"secrets_flow", 80, 24, 10, Options{NoAltScreen: true}}, {"secrets_pages", 30, 8, 9, Options{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := uitest.New(t, c.cols, c.rows)
			u := onTTY(x, c.o)
			s := recoveryCodes(c.n)
			r := start(x, func(ctx context.Context) (any, error) { return nil, u.ShowSecrets(ctx, s) })
			x.Wait(s.Title, s.Lines[0])
			goldenScreen(t, c.name, x)
			for i := 0; !strings.Contains(x.Screen(), s.Lines[c.n-1]) && i < 9; i++ {
				x.Send(uitest.Enter)
				time.Sleep(50 * time.Millisecond)
			}
			x.Wait(s.Lines[c.n-1])
			x.Send(uitest.Enter)
			x.Exit()
			if r.err != nil {
				t.Error(r.err)
			}
			nothingLeft(t, x)
			if strings.Contains(x.Output(), "\x1b[?1049h") == c.o.NoAltScreen {
				t.Error("the alternate screen is used where it should not be, or not where it should") // S-71
			}
		})
	}
}

func TestSecretsEnd(t *testing.T) {
	for _, key := range []string{uitest.Esc, uitest.CtrlC, uitest.CtrlD} {
		x := uitest.New(t, 80, 24)
		u := onTTY(x, Options{})
		r := start(x, func(ctx context.Context) (any, error) { return nil, u.ShowSecrets(ctx, recoveryCodes(3)) })
		x.Wait("k7f2", "kept them")
		x.Send("a", " ", key)
		x.Exit()
		if !errors.Is(r.err, ErrCancelled) {
			t.Errorf("%q: %v", key, r.err)
		}
		nothingLeft(t, x)
	}
}

func TestSecretsInLines(t *testing.T) {
	x, u := lineTTY(t)
	r := start(x, func(ctx context.Context) (any, error) { return nil, u.ShowSecrets(ctx, recoveryCodes(2)) })
	s := x.Wait("The screen and its history are cleared.")
	golden(t, "line_secrets", s)
	x.Send(uitest.Enter)
	x.Exit()
	if r.err != nil {
		t.Error(r.err)
	}
	nothingLeft(t, x)
}
