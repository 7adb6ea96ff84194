package cmd

import (
	"os"
	"os/user"
	"strconv"
	"strings"
)

// learnUser has os/user find out who runs the program, before anything asks.
// Built without cgo, it takes the name of a user whom /etc/passwd does not have
// from $USER, where anybody can write another one, and the audit log would have
// that. What it found, or that it found nothing, it keeps.
func learnUser() {
	name, set := os.LookupEnv("USER")
	_ = os.Unsetenv("USER")
	_, _ = user.Current()
	if set {
		_ = os.Setenv("USER", name)
	}
}

// osUser is who runs the program, by the operating system.
func osUser() string {
	if uid := os.Getuid(); uid >= 0 { // Windows has none
		return nameOf(strconv.Itoa(uid))
	}
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}

// loginUser is who logged in, as Linux keeps it through su and sudo, or "".
func loginUser() string {
	raw, err := os.ReadFile("/proc/self/loginuid")
	if err != nil {
		return ""
	}
	uid := strings.TrimSpace(string(raw))
	if uid == "" || uid == "4294967295" { // nobody logged in
		return ""
	}
	return nameOf(uid)
}

// nameOf is the name of a user of the operating system, or the number where
// there is no name.
func nameOf(uid string) string {
	if u, err := user.LookupId(uid); err == nil {
		return u.Username
	}
	return "uid " + uid
}
