//go:build !linux

package httpclient

import (
	"context"

	"github.com/stagedoor/stagedoor/internal/eventloop"
)

// host is what a loop keeps for a backend. There are no loops here.
type host struct{}

// loops are the client's parts on event loops, of which there are none here.
type loops struct{}

func (*loops) close() {}

// startPlain reports false: nothing is sent by loops here.
func (*Client) startPlain(context.Context, *eventloop.Loop, *Request, Caller) bool { return false }
