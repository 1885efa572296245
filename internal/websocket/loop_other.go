//go:build !linux

package websocket

import (
	"errors"
	"net"
)

const haveLoops = false

// loop stands for the event loop where there is none.
type loop struct{ driver }

func newLoop(*table) (*loop, error) { return nil, errors.ErrUnsupported }

func (*loop) stop() {}

func detach(net.Conn) (fd int, err error) { return -1, errors.ErrUnsupported }
