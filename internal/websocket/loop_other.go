//go:build !linux

package websocket

import (
	"context"
	"errors"
	"net"
)

const haveLoops = false

// loop stands for the event loop where there is none.
type loop struct{ driver }

func newLoop(*table) (*loop, error) { return nil, errors.ErrUnsupported }

func (*loop) stop() {}

func (*loop) ask(context.Context) error { return nil }

func detach(*Conn, net.Conn) (fd int, layer *secure, err error) {
	return -1, nil, errors.ErrUnsupported
}
