//go:build !linux

package websocket

import (
	"errors"
	"net"

	"github.com/stagedoor/stagedoor/internal/eventloop"
)

const haveLoops = false

// loop stands for the event loop where there is none.
type loop struct {
	*eventloop.Loop
	driver
	buffer  []byte
	resting resting
}

func detach(*Conn, net.Conn) (fd int, layer *secure, err error) {
	return -1, nil, errors.ErrUnsupported
}
