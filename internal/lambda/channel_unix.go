//go:build unix

package lambda

import (
	"fmt"
	"net"
	"os"
	"syscall"
)

// inheritedChannel is the descriptor of a process's channel: the first after the
// standard ones.
const inheritedChannel = "3"

// channelPair makes a connection to a process that is to be started, and what
// the process inherits of it.
func channelPair() (net.Conn, *os.File, error) {
	syscall.ForkLock.RLock()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(pair[0])
		syscall.CloseOnExec(pair[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, fmt.Errorf("make a pair of sockets: %w", err)
	}
	own, theirs := os.NewFile(uintptr(pair[0]), "channel"), os.NewFile(uintptr(pair[1]), "channel")
	defer func() { _ = own.Close() }()
	conn, err := net.FileConn(own)
	if err != nil {
		_ = theirs.Close()
		return nil, nil, fmt.Errorf("make a connection of a socket: %w", err)
	}
	return conn, theirs, nil
}
