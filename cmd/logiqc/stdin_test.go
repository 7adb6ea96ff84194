//go:build unix

package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// What waits for standard input on a terminal is left as everything else is: by
// Ctrl-C and by a signal, and a password by the end of input too. It used to wait
// on, with the echo off, until it was killed.
func TestStdinOnTerminal(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for line, asks := range map[string]string{
		"users add rnew --email rnew@stmary.example --password-stdin": "Password",
		"users passwd jlee --password-stdin":                          "New password for jlee",
		"users passwd --password-stdin":                               "Current password",
		"users passwd jlee --password-stdin --accessible":             "New password for jlee (typing is not shown):",
		"users import -":            "0 accounts",
		"users deactivate --from -": "",
		"mfa reset --from - --yes":  "",
		"mfa reset --plan -":        "",
	} {
		for _, how := range []string{"Ctrl-C", "SIGTERM", "Ctrl-D"} {
			if how == "Ctrl-D" && !strings.Contains(line, "--password-stdin") {
				continue // the end of a list
			}
			t.Run(line+" "+how, func(t *testing.T) {
				h := tpl.home(t)
				before := h.events("")
				x, status := leftAt(h, asks, how, strings.Fields(line)...)
				if status != 7 || !x.Restored() || !strings.Contains(x.Screen(), "cancelled; nothing was changed") {
					t.Errorf("exit %d, restored %t:\n%s", status, x.Restored(), x.Screen())
				}
				if h.events("") != before {
					t.Error("something is in the log")
				}
			})
		}
	}
}

// leftAt leaves a command where it asks, or where it reads in silence: that cannot
// be seen, so it is given longer where it was met before.
func leftAt(h *home, asks, how string, line ...string) (x *uitest.Terminal, status int) {
	for wait := 200 * time.Millisecond; ; wait *= 4 {
		x = h.terminal(80, 24, line...)
		if asks == "" {
			x.Send("jl")
			time.Sleep(wait)
		}
		x.Wait(asks)
		switch how {
		case "Ctrl-C":
			x.Send(uitest.CtrlC)
		case "Ctrl-D":
			x.Send(uitest.CtrlD)
		default:
			x.Signal(syscall.SIGTERM)
		}
		if status = x.Exit(); status >= 0 || wait > 5*time.Second {
			return x, status
		}
	}
}

// On a terminal on which nothing may be asked there is nothing to read a secret
// from.
func TestStdinOnMuteTerminal(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	for _, line := range []string{"users add rnew --email rnew@stmary.example --password-stdin", "users passwd jlee --password-stdin"} {
		x := h.terminal(80, 24, append(strings.Fields(line), "--no-input")...)
		if status := x.Exit(); status != 2 || !strings.Contains(unfolded(x), "--password-stdin has nothing to read: standard input is a terminal") {
			t.Errorf("%s: exit %d:\n%s", line, status, x.Screen())
		}
	}
}
