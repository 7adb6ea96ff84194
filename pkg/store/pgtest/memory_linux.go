package pgtest

import "golang.org/x/sys/unix"

// clusters is a folder for clusters: one in memory, where making a database takes
// a fifth of the time, or "", the usual one for what is temporary, where there is
// little memory or something large is measured.
func clusters() string {
	const shared, enough = "/dev/shm", 4 << 30
	var fs unix.Statfs_t
	if err := unix.Statfs(shared, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < enough || unix.Access(shared, unix.W_OK) != nil {
		return ""
	}
	if measured() {
		return ""
	}
	return shared
}
