package dualport_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagedoor/stagedoor/internal/dualport"
)

// A server that stops waits for a push that is being answered, and closes the connection
// behind the answer; when its time is over, before it.
func TestStopWaitsForPushes(t *testing.T) {
	t.Parallel()
	const limit = time.Minute
	for name, test := range map[string]struct {
		takes    time.Duration // the answer
		answered bool
	}{"in time": {limit - time.Second, true}, "too late": {2 * limit, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				inner := &pipes{make(chan net.Conn), make(chan struct{})}
				server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					if dualport.HasWholeBody(r) {
						time.Sleep(test.takes)
					}
				})}
				stop := dualport.Attach(server, limit)
				go func() { _ = server.Serve(dualport.NewListener(inner, nil)) }()
				near, far := net.Pipe()
				inner.conns <- far
				const push = "POST /dev/@connections/x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
				_, _ = io.WriteString(near, push)
				if _, err := near.Read(make([]byte, 4096)); err != nil {
					t.Fatal(err)
				}
				synctest.Wait() // net/http is done with the request
				_, _ = io.WriteString(near, push)
				synctest.Wait()
				read := make(chan string, 1)
				go func() {
					answer, _ := io.ReadAll(near)
					read <- string(answer)
				}()

				begun := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				_ = stop(ctx)
				if took := time.Since(begun); took != min(test.takes, limit) {
					t.Errorf("stopped after %v", took)
				}
				if answer := <-read; strings.HasPrefix(answer, "HTTP/1.1 200 OK\r\n") != test.answered {
					t.Errorf("answered %q", answer)
				}
				time.Sleep(test.takes) // the handler ends
			})
		})
	}
}
