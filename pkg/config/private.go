package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
)

// private refuses a file or folder that others than its owner may read or
// write, with the chmod line that mends it.
func private(path string, mode fs.FileMode) error {
	loose := mode.Perm() & 0o077
	if loose == 0 || runtime.GOOS == "windows" {
		return nil
	}
	tight := mode.Perm() &^ 0o077
	return refuse("%s can be used by others (mode %04o)", path, mode.Perm()).hint("chmod %o %s", tight, shellWord(path))
}

var plainWord = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]+$`)
})

// shellWord is text as a POSIX shell takes it for one word, so that a hint can
// be pasted.
func shellWord(text string) string {
	if plainWord().MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// privateFolder makes the folder, 0700, or refuses one that is looser.
func privateFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("make the folder %s: %w", path, bare(err))
	}
	info, err := os.Stat(path)
	if err != nil {
		return unreadable(path, err)
	}
	return private(path, info.Mode())
}

// bare is a failure of the file system without the operation and the path, for
// a sentence that names them itself.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}

// notLink refuses a path that is a symbolic link; a missing one is fine.
func notLink(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unreadable(path, err)
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return refuse("%s is a link, and links are not followed here", path)
	}
	return nil
}

// writePrivate puts data at path, mode 0600, whole or not at all: a rename
// replaces what is there, a link too instead of following it. The folder must
// exist.
func writePrivate(path string, data []byte) error {
	return placePrivate(path, data, os.Rename)
}

// createPrivate is writePrivate where nothing is there yet: of several who do it
// at once one succeeds, and the others get [fs.ErrExist]. On a disk without hard
// links the last one would replace the others.
func createPrivate(path string, data []byte) error {
	return placePrivate(path, data, func(temp, path string) error {
		switch err := os.Link(temp, path); {
		case err == nil:
			return os.Remove(temp)
		case errors.Is(err, fs.ErrExist):
			return err
		}
		return os.Rename(temp, path)
	})
}

// placePrivate writes data to a temporary file made with O_EXCL, syncs it, and
// has place move it to path.
func placePrivate(path string, data []byte, place func(temp, path string) error) (err error) {
	dir := filepath.Dir(path)
	// CreateTemp opens with O_EXCL and mode 0600, whatever the umask adds.
	temp, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, bare(err))
	}
	defer func() {
		if err != nil {
			_ = temp.Close()
			_ = os.Remove(temp.Name())
			err = fmt.Errorf("write %s: %w", path, bare(err))
		}
	}()
	if _, err = temp.Write(data); err != nil {
		return err
	}
	if err = temp.Sync(); err != nil {
		return err
	}
	if err = temp.Close(); err != nil {
		return err
	}
	if err = place(temp.Name(), path); err != nil {
		return err
	}
	return syncFolder(dir)
}

// syncFolder makes a rename last; Windows cannot open a folder for that.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}

// ReadTokenFile reads the token that a file holds on its one line. A file that
// others may read is refused with the chmod line, and so is anything that is
// not a file: there is no "-" for standard input, which a command may need.
// A link is followed, because secrets are mounted that way.
func ReadTokenFile(path string) (Secret, error) {
	if path == "-" {
		return "", refuse("a token is not read from standard input").hint("give the name of a file, mode 600")
	}
	data, mode, err := readRegular(path)
	if err != nil {
		return "", in("token file", err)
	}
	if err := private(path, mode); err != nil {
		return "", in("token file", err)
	}
	fields := strings.Fields(string(data))
	if len(fields) != 1 {
		return "", refuse("token file: %s should hold one token and nothing else", path)
	}
	return Secret(fields[0]), nil
}
