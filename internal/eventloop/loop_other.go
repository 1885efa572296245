//go:build !linux

package eventloop

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Loop stands for the event loop where there is none: no function returns one.
type Loop struct{}

// New returns an error that wraps errors.ErrUnsupported.
func New() (*Loop, error) {
	return nil, fmt.Errorf("event loops are for Linux only: %w", errors.ErrUnsupported)
}

func (*Loop) Close()                                    {}
func (*Loop) Buffer() []byte                            { return nil }
func (*Loop) Watch(int, Watcher) (Watch, error)         { return Watch{}, errors.ErrUnsupported }
func (*Loop) Again(int, Watch) error                    { return errors.ErrUnsupported }
func (*Loop) Unwatch(int, Watch)                        {}
func (*Loop) Post(func()) bool                          { return false }
func (*Loop) Ask(context.Context) error                 { return nil }
func (*Loop) StartTimer(*Timer, time.Duration, Expirer) {}
func (*Loop) StopTimer(*Timer)                          {}
