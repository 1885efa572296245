package store

import "golang.org/x/sys/windows"

// spaceLeft returns how many bytes this process may still write to the disk of
// a folder.
func spaceLeft(dir string) (left uint64, err error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	err = windows.GetDiskFreeSpaceEx(path, &left, nil, nil)
	return left, err
}
