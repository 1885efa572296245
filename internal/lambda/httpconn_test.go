package lambda

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// customRuntime is a custom runtime that speaks to the Runtime API of a process of
// which there is no child.
type customRuntime struct {
	t  *testing.T
	p  *process
	c  net.Conn
	in *bufio.Reader
}

func newCustomRuntime(t *testing.T) *customRuntime {
	r := &customRuntime{t: t, p: silentProcess()}
	var err error
	if r.p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	r.p.speakers.Go(r.p.serveConnections)
	t.Cleanup(func() {
		r.c.Close()
		close(r.p.exited)
		r.p.closeConnections()
		r.p.speakers.Wait()
	})
	r.dial()
	return r
}

func (r *customRuntime) dial() {
	var err error
	if r.c, err = net.Dial("tcp", r.p.listener.Addr().String()); err != nil {
		r.t.Fatal(err)
	}
	_ = r.c.SetDeadline(time.Now().Add(deadline))
	r.in = bufio.NewReader(r.c)
}

func (r *customRuntime) say(text string) {
	r.t.Helper()
	if _, err := io.WriteString(r.c, text); err != nil {
		r.t.Fatal(err)
	}
}

// hear returns the next response: its status and body, and the response.
func (r *customRuntime) hear() (string, *http.Response) {
	r.t.Helper()
	response, err := http.ReadResponse(r.in, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", response.StatusCode, strings.TrimSpace(string(body))), response
}

const (
	hostLine    = "Host: 127.0.0.1:9001\r\n"
	nextRequest = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n" + hostLine + "\r\n"
)

func post(path, header, body string) string {
	return fmt.Sprintf("POST /2018-06-01/runtime/%s HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n%s", path, hostLine, header, len(body), body)
}

// What the Runtime API answers to requests that are not in order, or are none of
// its own.
func TestRuntimeAPIRequests(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, request, want string }{
		{"another path", "GET /2018-06-01/runtime/invocation HTTP/1.1\r\n" + hostLine + "\r\n", "404 404 page not found"},
		{"another version", "GET /2020-01-01/runtime/invocation/next HTTP/1.1\r\n" + hostLine + "\r\n", "404 404 page not found"},
		{"another action", post("invocation/id/delete", "", "{}"), "404 404 page not found"},
		{"another method", post("invocation/next", "", ""), "405 This is asked for by GET."},
		{"a method of nobody's", strings.Replace(nextRequest, "invocation/next", "init/error", 1), "405 This is asked for by POST."},
		{"no invocation", post("invocation/id/response", "", "{}"), `400 {"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}`},
		{"a web page", strings.Replace(nextRequest, hostLine, hostLine+"Origin: https://evil.example\r\n", 1), "403 This port takes no requests from web pages of other origins."},
		{"a foreign host", strings.Replace(nextRequest, hostLine, "Host: evil.example\r\n", 1),
			"421 This port takes requests for addresses, localhost and configured names only; evil.example is none of them (--host adds one)."},
		{"no HTTP", "hello\r\n\r\n", "400 400 Bad Request"},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400 400 Bad Request"},
		{"too large a header", "GET / HTTP/1.1\r\n" + hostLine + "X: " + strings.Repeat("x", 2*maxHeader) + "\r\n\r\n", "400 400 Bad Request"},
		{"a channel where there should be none", "\x00\x00\x00\x00\x04\x00\x00\x00\x00next\r\n\r\n", "400 400 Bad Request"},
		{"HTTP/1.0", "POST /2018-06-01/runtime/invocation/id/error HTTP/1.0\r\n" + hostLine + "Content-Length: 2\r\n\r\n{}",
			`400 {"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newCustomRuntime(t)
			r.say(test.request)
			got, response := r.hear()
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if !response.Close { // the next request is answered
				r.say(post("invocation/id/error", "", "{}"))
				r.hear()
			} else if _, err := r.in.ReadByte(); err == nil {
				t.Error("there is more after the last answer")
			}
		})
	}
}

// An invocation and its answer, in the forms that HTTP has for them.
func TestRuntimeAPIInvocation(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, request, want string }{
		{"a response", post("invocation/ID/response", "", `"answer"`), `"answer"`},
		{"in chunks", "POST /2018-06-01/runtime/invocation/ID/response HTTP/1.1\r\n" + hostLine +
			"Transfer-Encoding: chunked\r\n\r\n4\r\n\"ans\r\n4\r\nwer\"\r\n0\r\n\r\n", `"answer"`},
		{"an error", post("invocation/ID/error", "Lambda-Runtime-Function-Error-Type: My.Error\r\n", ""),
			`{"errorType":"My.Error","errorMessage":"the runtime reported an error without a description"}`},
		{"the most in chunks", "POST /2018-06-01/runtime/invocation/ID/response HTTP/1.1\r\n" + hostLine + "Transfer-Encoding: chunked\r\n\r\n" +
			strings.Repeat("100000\r\n"+strings.Repeat("x", 1<<20)+"\r\n", 7) + "0\r\n\r\n", "Function.ResponseSizeTooLarge"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newCustomRuntime(t)
			for n := range 2 {
				id := fmt.Sprint("id", n)
				// The request for the next invocation comes with whatever is sent after it.
				request := strings.ReplaceAll(test.request, "ID", id)
				r.say(nextRequest + request)
				payload := `{"a":"` + strings.Repeat("x", n*2*maxDirect) + `"}`
				call := newTask(Invocation{FunctionARN: "arn", TraceID: "trace", ClientContext: `{"custom":{}}`, Payload: []byte(payload)}, id)
				if !r.p.pool.submit(call) {
					t.Fatal("the pool is retired")
				}
				got, response := r.hear()
				if got != "200 "+payload {
					t.Fatalf("got %.200s", got)
				}
				r.hear()
				if o := <-call.outcome; !strings.Contains(string(o.result.Payload), test.want) {
					t.Errorf("got %s, want %s", o.result.Payload, test.want)
				}
				for name, want := range map[string]string{
					"Lambda-Runtime-Aws-Request-Id": id, "Lambda-Runtime-Invoked-Function-Arn": "arn", "Lambda-Runtime-Trace-Id": "trace",
					"Lambda-Runtime-Deadline-Ms": fmt.Sprint(call.deadline.UnixMilli()), "Lambda-Runtime-Client-Context": `{"custom":{}}`, "Content-Type": "application/json",
				} {
					if got := response.Header.Get(name); got != want {
						t.Errorf("%s is %q, want %q", name, got, want)
					}
				}
			}
		})
	}
}

// curl asks before it sends much.
func TestRuntimeAPIContinue(t *testing.T) {
	t.Parallel()
	r := newCustomRuntime(t)
	whole := post("invocation/id/response", "Expect: 100-continue\r\n", "{}")
	r.say(strings.TrimSuffix(whole, "{}"))
	if line, err := r.in.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if line, err := r.in.ReadString('\n'); err != nil || line != "\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
	r.say("{}")
	if got, _ := r.hear(); !strings.HasPrefix(got, "400 ") {
		t.Errorf("got %s", got)
	}
}

// An invocation is not lost with the connection that waited for it: the runtime
// asks again, on another.
func TestRuntimeAPIReconnect(t *testing.T) {
	t.Parallel()
	r := newCustomRuntime(t)
	r.say(nextRequest)
	pool := r.p.pool
	idle := func() int {
		pool.mu.Lock()
		defer pool.mu.Unlock()
		return len(pool.idle)
	}
	eventually(t, "the request to wait", func() bool { return idle() == 1 })
	r.c.Close()
	eventually(t, "the request to be gone", func() bool { return idle() == 0 })
	call := newTask(Invocation{Payload: []byte("1")}, "id")
	if !pool.submit(call) {
		t.Fatal("the pool is retired")
	}
	r.dial()
	r.say(nextRequest)
	if got, _ := r.hear(); got != "200 1" {
		t.Errorf("got %s", got)
	}
}

func TestRuntimeAPIHasABoundOnConnections(t *testing.T) {
	t.Parallel()
	r := newCustomRuntime(t)
	for range maxAPIClients {
		c, err := net.Dial("tcp", r.p.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	r.dial() // one too many
	if _, err := r.in.ReadByte(); err == nil {
		t.Error("it is served")
	}
}
