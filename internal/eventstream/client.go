package eventstream

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	// silence is how long a stream may be without even a comment before it counts as
	// broken, and how long a gateway has to begin it.
	silence = 3 * heartbeat
	// A gateway that does not answer is asked again after firstPause, then after twice
	// as long, up to longestPause.
	firstPause   = 100 * time.Millisecond
	longestPause = 3 * time.Second
	// maxLine is the size of the largest event that is read.
	maxLine = 4 << 20
)

// noticeEvent is the kind of what is told about the stream itself.
const noticeEvent = "notice"

var errNoEvent = errors.New("it is no event")

// Errors that a stream ends with.
var (
	errEnded  = errors.New("the gateway has ended the stream")
	errSilent = fmt.Errorf("nothing came for %v", silence)
)

// Gateway has events to watch.
type Gateway interface {
	// Events returns a stream of the events that a query asks for, when the gateway has
	// begun it. It ends with ctx. The error has a method StatusCode where the gateway
	// refuses.
	Events(ctx context.Context, query url.Values) (io.ReadCloser, error)
}

// Client watches the events of a gateway. It is used once.
type Client struct {
	Gateway Gateway
	Query   Query
	// Event is called with each event and each notice, a JSON object, which it must not
	// keep.
	Event func(line []byte)
	// Status is told, in words for people, how it goes. It may be nil.
	Status func(text string)

	connected bool          // it was, at least once
	seen      time.Time     // the last sign of life
	pause     time.Duration // before it was asked last; 0: it is there
}

// Run watches until ctx ends; then the error is nil. Where the gateway goes away it is
// asked again until it is back, and a notice stands where events are missing. The error is
// why it cannot be watched: it is not reached at the beginning, or it refuses.
func (c *Client) Run(ctx context.Context) error {
	for {
		err := c.follow(ctx)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // it was to end
		case !c.connected || isRefusal(err):
			return err
		case c.pause == 0: // the first time since it was there
			c.status(fmt.Sprintf("%v; trying again", err))
		}
		c.pause = min(max(firstPause, 2*c.pause), longestPause)
		if !sleep(ctx, c.pause) {
			return nil
		}
	}
}

// isRefusal reports whether a gateway will answer the same again.
func isRefusal(err error) bool {
	var answered interface{ StatusCode() int }
	if !errors.As(err, &answered) {
		return false
	}
	code := answered.StatusCode()
	return code < http.StatusInternalServerError && code != http.StatusTooManyRequests && code != http.StatusRequestTimeout
}

func (c *Client) status(text string) {
	if c.Status != nil {
		c.Status(text)
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// follow asks for a stream, and hands its events on until it ends. The error says why.
func (c *Client) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	alarm := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer alarm.Stop()
	body, err := c.Gateway.Events(ctx, c.Query.Values())
	if err != nil {
		return because(ctx, err)
	}
	defer body.Close()
	c.begin()
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for lines.Scan() {
		alarm.Reset(silence)
		c.seen = time.Now()
		if line, found := bytes.CutPrefix(lines.Bytes(), []byte("data:")); found {
			c.Event(bytes.TrimSpace(line))
		}
	}
	if err := lines.Err(); err != nil {
		return because(ctx, fmt.Errorf("the stream broke off: %w", err))
	}
	c.seen = time.Now() // until now nothing is missing
	return errEnded
}

// because is the reason for an error: what ended the context, if something did.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// begin notes that the gateway is there, and tells what is missing if it was before.
func (c *Client) begin() {
	now := time.Now()
	if c.connected {
		gap := now.Sub(c.seen)
		c.Event(fmt.Appendf(nil, `{"event":"notice","text":"events of %s are missing here: the gateway was away","gapMs":%d}`, span(gap), gap.Milliseconds()))
	}
	c.status("watching")
	c.connected, c.seen, c.pause = true, now, 0
}

// span is a duration with as many digits as are useful.
func span(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%d ms", max(1, d.Milliseconds()))
}
