//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// diskSize is how much fits on the disk of the NATS server, in bytes.
const diskSize = 64 << 20

// disk is a folder on a file system of its own, which can be filled. Where none
// can be mounted it is a folder as any.
type disk struct {
	folder string
	reason error // why it cannot be filled; nil: it can
}

func openDisk(folder string) *disk {
	d := &disk{folder: folder}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		panic(err) // the folder of the run was made a moment ago
	}
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%d", diskSize)); err != nil {
		d.reason = fmt.Errorf("no file system can be mounted (that takes root): %w", err)
	}
	return d
}

func (d *disk) filler() string { return filepath.Join(d.folder, "filler") }

// fill leaves no room.
func (d *disk) fill() error {
	file, err := os.Create(d.filler())
	if err != nil {
		return err
	}
	defer file.Close()
	block := make([]byte, 64<<10)
	for size := len(block); size > 0; {
		if _, err := file.Write(block[:size]); errors.Is(err, syscall.ENOSPC) {
			size /= 2 // the rest is filled as well
		} else if err != nil {
			return err
		}
	}
	return nil
}

// empty makes room again.
func (d *disk) empty() { _ = os.Remove(d.filler()) }

func (d *disk) close() {
	if d.reason == nil {
		_ = syscall.Unmount(d.folder, syscall.MNT_DETACH)
	}
}
