//go:build unix && !linux

package lambda

import "syscall"

const bytesWaiting = 0x4004667f // FIONREAD, of all systems that descend from BSD

func groupAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
