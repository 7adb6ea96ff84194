//go:build unix

package seal

import (
	"io/fs"
	"syscall"
)

// foreignOwner returns the owner of a file and whether that is somebody who
// could change it under us: neither we, by effective user id, nor root. Root
// itself may use anybody's, as in a recovery under sudo.
func foreignOwner(info fs.FileInfo, us int) (uid uint32, other bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return stat.Uid, us != 0 && stat.Uid != 0 && int(stat.Uid) != us
}
