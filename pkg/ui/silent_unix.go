//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package ui

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// silence keeps what is typed on a terminal from being shown until restore is
// called. Ctrl-Z and Ctrl-\ do nothing meanwhile, as in every other question: they
// would leave a shell that shows nothing. A shell that takes a stopped program up
// again gives it a terminal that shows what is typed, so it is silenced anew.
func silence(fd int) (restore func(), err error) {
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	silent := *before
	silent.Lflag &^= unix.ECHO
	silent.Lflag |= unix.ICANON | unix.ISIG
	silent.Iflag |= unix.ICRNL
	silent.Cc[unix.VSUSP], silent.Cc[unix.VQUIT] = noKey, noKey
	if err := unix.IoctlSetTermios(fd, setTermios, &silent); err != nil {
		return nil, err
	}
	resumed, over := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(resumed, unix.SIGCONT)
	go func() {
		for {
			select {
			case <-resumed:
				_ = unix.IoctlSetTermios(fd, setTermios, &silent)
			case <-over:
				return
			}
		}
	}()
	return func() {
		signal.Stop(resumed)
		over <- struct{}{} // from here on nobody silences it again
		_ = unix.IoctlSetTermios(fd, setTermios, before)
	}, nil
}
