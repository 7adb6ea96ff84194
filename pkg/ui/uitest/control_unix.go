//go:build unix

package uitest

import (
	"os"
	"os/exec"
	"syscall"
)

// control gives cmd a session of its own, whose terminal is the one it has as
// a standard stream.
func control(cmd *exec.Cmd, tty *os.File) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	for fd, f := range []any{cmd.Stdin, cmd.Stdout, cmd.Stderr} {
		if f == any(tty) {
			cmd.SysProcAttr.Setctty, cmd.SysProcAttr.Ctty = true, fd
			return
		}
	}
}

// pollable returns f as a file whose Close interrupts a Read, as a hang-up
// must; opening a pty leaves it in blocking mode.
func pollable(f *os.File) (*os.File, error) {
	defer f.Close()
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}
