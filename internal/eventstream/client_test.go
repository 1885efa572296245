package eventstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// refusal is what a gateway answers in place of a stream.
type refusal int

func (r refusal) Error() string   { return fmt.Sprintf("refused with %d", int(r)) }
func (r refusal) StatusCode() int { return int(r) }

// script is a gateway that answers each request as it is told: with an error, or with a
// stream.
type script struct {
	steps []func(ctx context.Context) (io.ReadCloser, error)
	asked []url.Values
}

func (s *script) Events(ctx context.Context, query url.Values) (io.ReadCloser, error) {
	s.asked = append(s.asked, query)
	if len(s.steps) == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	step := s.steps[0]
	s.steps = s.steps[1:]
	return step(ctx)
}

func fails(err error) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) { return nil, err }
}

// streams a text, goes on for a while, and then ends with an error; nil: as it should.
func streams(text string, after time.Duration, err error) func(context.Context) (io.ReadCloser, error) {
	return func(ctx context.Context) (io.ReadCloser, error) {
		reader, writer := io.Pipe()
		go func() {
			_, _ = io.WriteString(writer, text)
			select {
			case <-time.After(after):
				_ = writer.CloseWithError(err)
			case <-ctx.Done():
				_ = writer.CloseWithError(ctx.Err())
			}
		}()
		return reader, nil
	}
}

// run runs a client on a script for a time, and returns what it printed and said.
func run(t *testing.T, s *script, d time.Duration) (events, status []string, err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	note := func(list *[]string) func(string) {
		return func(text string) {
			mu.Lock()
			defer mu.Unlock()
			*list = append(*list, text)
		}
	}
	addEvent := note(&events)
	c := &Client{Gateway: s, Query: Query{APIs: []string{"one"}}, Event: func(line []byte) { addEvent(string(line)) }, Status: note(&status)}
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	time.Sleep(d)
	cancel()
	err = <-ended
	for _, query := range s.asked {
		if query.Encode() != "api=one" {
			t.Errorf("it asks for %s", query.Encode())
		}
	}
	return events, status, err
}

// A gateway that goes away, in whichever way, is asked until it is back; the gap stands
// where it is.
func TestClientGoesOn(t *testing.T) {
	t.Parallel()
	cut := errors.New("cut off")
	refused := errors.New("connection refused")
	for name, c := range map[string]struct {
		steps  []func(context.Context) (io.ReadCloser, error)
		events string
		status string
	}{
		"it stops and is back": {
			[]func(context.Context) (io.ReadCloser, error){
				streams(": hello\n\ndata: {\"n\":1}\n\n", time.Minute/4, nil), fails(refused), fails(refusal(503)), fails(refusal(429)), streams("data: {\"n\":2}\n\n", time.Hour, nil),
			},
			`{"n":1} {"event":"notice","text":"events of 1.5 s are missing here: the gateway was away","gapMs":1500} {"n":2}`,
			"watching|the gateway has ended the stream; trying again|watching",
		},
		"the connection breaks": {
			[]func(context.Context) (io.ReadCloser, error){streams("data: {\"n\":1}\n\n", 10*time.Second, cut), streams("data: {\"n\":2}\n\n", time.Hour, nil)},
			`{"n":1} {"event":"notice","text":"events of 10.1 s are missing here: the gateway was away","gapMs":10100} {"n":2}`,
			"watching|the stream broke off: cut off; trying again|watching",
		},
		"it hangs": {
			[]func(context.Context) (io.ReadCloser, error){streams("data: {\"n\":1}\n\n", time.Hour, nil), streams("", time.Hour, nil)},
			`{"n":1} {"event":"notice","text":"events of 45.1 s are missing here: the gateway was away","gapMs":45100}`,
			"watching|nothing came for 45s; trying again|watching",
		},
		"twice": {
			[]func(context.Context) (io.ReadCloser, error){streams("", 0, nil), streams("", 0, nil), streams("", time.Hour, nil)},
			`{"event":"notice","text":"events of 100 ms are missing here: the gateway was away","gapMs":100} {"event":"notice","text":"events of 100 ms are missing here: the gateway was away","gapMs":100}`,
			"watching|the gateway has ended the stream; trying again|watching|the gateway has ended the stream; trying again|watching",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := 40 * time.Second // the last stream has no comments
				if name == "it hangs" {
					d = time.Minute
				}
				events, status, err := run(t, &script{steps: c.steps}, d)
				if got := strings.Join(events, " "); got != c.events || err != nil {
					t.Errorf("events %s, %v", got, err)
				}
				if got := strings.Join(status, "|"); got != c.status {
					t.Errorf("it says %s", got)
				}
			})
		})
	}
}

// What will not change is told at once: a gateway that is not there at the beginning, and
// one that refuses, now or later.
func TestClientGivesUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		steps []func(context.Context) (io.ReadCloser, error)
		want  string
	}{
		"nobody is there":        {[]func(context.Context) (io.ReadCloser, error){fails(errors.New("nobody"))}, "nobody"},
		"it refuses":             {[]func(context.Context) (io.ReadCloser, error){fails(refusal(403))}, "refused with 403"},
		"there are too many":     {[]func(context.Context) (io.ReadCloser, error){fails(refusal(429))}, "refused with 429"},
		"it refuses from now on": {[]func(context.Context) (io.ReadCloser, error){streams("", 0, nil), fails(errors.New("nobody")), fails(refusal(403))}, "refused with 403"},
		"it does not begin": {[]func(context.Context) (io.ReadCloser, error){func(ctx context.Context) (io.ReadCloser, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}, "nothing came for 45s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				if _, _, err := run(t, &script{steps: c.steps}, time.Minute); err == nil || err.Error() != c.want {
					t.Errorf("%v, want %s", err, c.want)
				}
			})
		})
	}
}

// A line without end is not kept.
func TestClientBoundsLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []func(context.Context) (io.ReadCloser, error){streams("data: "+strings.Repeat("x", maxLine+1), time.Hour, nil)}}
		events, status, _ := run(t, s, time.Second)
		if len(events) != 0 || len(status) != 2 || !strings.Contains(status[1], "token too long") {
			t.Errorf("%d events, and it says %v", len(events), status)
		}
	})
}
