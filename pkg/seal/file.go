package seal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// maxFile is far beyond any key file; a bigger one is something else.
const maxFile = 1 << 20

// CheckMode refuses a key file or folder that others can use: one with any
// permission bit outside want (0600 for files, 0700 for folders), or that
// belongs to somebody else while we are not root. Such an error is
// [ErrLooseMode] and contains the line that mends it. A symbolic link is
// refused and not followed, as is anything but a file or folder; nothing at
// all is [ErrMissing]. Windows has no such modes: there only the kind counts.
func CheckMode(path string, want fs.FileMode) error {
	info, err := os.Lstat(path)
	if err != nil {
		return missing(path, err)
	}
	return check(path, info, want)
}

func check(path string, info fs.FileInfo, want fs.FileMode) error {
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a symbolic link, which is not followed: give the place itself", path)
	case !mode.IsRegular() && !mode.IsDir():
		return fmt.Errorf("%s is neither a file nor a folder", path)
	case runtime.GOOS == "windows":
		return nil
	case mode.Perm()&^want != 0:
		return fmt.Errorf("%s is %w: its mode is %#o; run: chmod %o %s",
			path, ErrLooseMode, mode.Perm(), want.Perm(), shellQuote(path))
	}
	if uid, other := foreignOwner(info, os.Geteuid()); other {
		return fmt.Errorf("%s is %w: it belongs to user id %d; run: chown \"$(id -u)\" %s",
			path, ErrLooseMode, uid, shellQuote(path))
	}
	return nil
}

// ReadFile returns the contents of a key file that passes [CheckMode] with
// 0600, and of the very file that was checked, should the name be given to
// another meanwhile. It refuses more than 1 MiB.
func ReadFile(path string) ([]byte, error) {
	named, err := os.Lstat(path)
	if err != nil {
		return nil, missing(path, err)
	}
	if err := check(path, named, 0o600); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, missing(path, err)
	}
	defer func() { _ = file.Close() }() // read only: nothing can be lost
	opened, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	if !os.SameFile(named, opened) {
		return nil, fmt.Errorf("%s changed while it was opened", path)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s is too big for a key file", path)
	}
	return data, nil
}

// WriteFile writes a new key file with mode 0600 whatever the umask. It is
// there whole and on disk, or not at all: a temporary file beside it is
// written and synced, given the name, and the folder synced. A file, or a
// link, that has the name already stays as it is and gives [ErrExists].
func WriteFile(path string, data []byte) error {
	temp, err := writeTemp(path, data)
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	err = place(os.Link, temp, path)
	_ = os.Remove(temp) // after a rename it is gone already
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s %w", path, ErrExists)
	}
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// ReplaceFile is [WriteFile] for a file that may be there already: readers
// meet the old contents or the new, also after a crash. A symbolic link that
// has the name is replaced and not followed.
func ReplaceFile(path string, data []byte) error {
	temp, err := writeTemp(path, data)
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("write key file: %w", errors.Join(err, os.Remove(temp)))
	}
	return syncDir(filepath.Dir(path))
}

// writeTemp writes data to a new file beside path, syncs it and returns its
// name. On an error it leaves nothing behind.
func writeTemp(path string, data []byte) (name string, err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return "", err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Chmod(0o600)
	}
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return file.Name(), nil
}

// place gives temp's contents the name path, unless it is taken. A hard link
// does both in one step; where there are none (FAT, some shared folders) it
// looks and then renames.
func place(link func(oldname, newname string) error, temp, path string) error {
	err := link(temp, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return fs.ErrExist
	}
	return os.Rename(temp, path)
}

// makeDir makes a folder, and its parents, that are not there and syncs its
// name. One that is there need not have a parent we may read.
func makeDir(dir string) error {
	if _, err := os.Lstat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// syncDir makes the names in a folder last. Windows cannot, and need not.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync key folder: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("sync key folder: %w", err)
	}
	return nil
}

func missing(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is %w", path, ErrMissing)
	}
	return fmt.Errorf("read key file: %w", err)
}

// shellQuote returns path as one word of a shell's command line.
func shellQuote(path string) string {
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+,:@%-"
	if strings.HasPrefix(path, "-") {
		path = "./" + path
	}
	if path != "" && strings.Trim(path, safe) == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
