package server

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// hanging is a backend that answers nobody until it is released. It counts the
// sockets that are open to it.
type hanging struct {
	*httptest.Server
	proceed       chan struct{}
	release       func()
	mu            sync.Mutex // guards the following
	sockets, most int
}

// mostSockets is how many sockets were open at a time.
func (h *hanging) mostSockets() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.most
}

func newHanging(t *testing.T) *hanging {
	h := &hanging{proceed: make(chan struct{})}
	h.release = sync.OnceFunc(func() { close(h.proceed) })
	h.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-h.proceed
		_, _ = io.WriteString(w, `{"statusCode": 200, "body": "done"}`)
	}))
	h.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			h.mu.Lock()
			h.sockets++
			h.most = max(h.most, h.sockets)
			h.mu.Unlock()
		case http.StateClosed, http.StateHijacked:
			h.mu.Lock()
			h.sockets--
			h.mu.Unlock()
		}
	}
	h.Start()
	t.Cleanup(h.Close)
	t.Cleanup(h.release)
	return h
}

// A backend gets as many calls at a time as it may have, and as many wait. Who
// is beyond that is told.
func TestServeBackendBounds(t *testing.T) {
	t.Parallel()
	for name, integration := range map[string]apigw.Integration{
		"HTTP":       {IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST"},
		"large HTTP": {IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST"},
		"a function": {IntegrationType: apigw.IntegrationAWSProxy, IntegrationUri: "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:f/invocations"},
		"a VPC link": {IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST", ConnectionType: "VPC_LINK", ConnectionId: "link"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHanging(t)
			if integration.IntegrationType == apigw.IntegrationHTTPProxy {
				integration.IntegrationUri = h.URL + "/x"
			}
			s := newSite(t)
			s.fill(&integration)
			s.configure(fmt.Sprintf("backends: {connections: 3, waiting: 2}\nfunctions: {f: %[1]s}\nvpcLinks: {link: %[1]s}\n", h.URL))
			g := s.start(Config{Open: true})
			message := "hello"
			if name == "large HTTP" {
				message = strings.Repeat("x", 20<<10)
			}
			const calls = 8
			answers := make(chan string, calls)
			for range calls {
				conn := g.dial()
				go func() { answers <- gatewaytest.Ask(t, conn, message) }()
			}
			for range calls - 3 - 2 {
				if answer := <-answers; !strings.Contains(answer, `"message": "Service Unavailable"`) && !strings.Contains(answer, `"message":"Service Unavailable"`) {
					t.Errorf("beyond the line: %s", answer)
				}
			}
			if most := h.mostSockets(); most > 3 {
				t.Errorf("%d sockets at a time", most)
			}
			h.release()
			for range 3 + 2 {
				if answer := <-answers; !strings.Contains(answer, "done") {
					t.Errorf("in the line: %s", answer)
				}
			}
		})
	}
}

// Whoever uses up the descriptors of a gateway gets no more of them: the admin
// port still answers, and those who are connected are served, be it with a new
// socket to their backend. Afterwards all is as before.
func TestServeFewDescriptors(t *testing.T) {
	t.Parallel()
	h := newHanging(t)
	h.release()
	s := newSite(t)
	s.fill(&apigw.Integration{IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST", IntegrationUri: h.URL})
	p := startProcess(t, s.dir+"/data", 0, "sh", "-c", `ulimit -n 200 && exec "$0"`)
	defer p.end()
	dial := func() (*websocket.Conn, error) {
		conn, _, err := websocket.Dial(t.Context(), strings.Replace(p.Public[0], "http", "ws", 1)+"/prod", &websocket.DialOptions{HTTPClient: gatewaytest.HTTPClient})
		return conn, err
	}
	conn, err := dial()
	if err != nil {
		t.Fatalf("%v; the log:\n%s", err, &p.log)
	}
	defer func() { _ = conn.CloseNow() }()
	var flood []net.Conn
	for range 300 {
		if more, err := net.Dial("tcp", strings.TrimPrefix(p.Public[0], "http://")); err == nil {
			flood = append(flood, more)
			defer more.Close()
		}
	}
	if got := gatewaytest.Ask(t, conn, "hello"); !strings.Contains(got, "done") {
		t.Errorf("who is connected gets %s", got)
	}
	for _, path := range []string{"/healthz", "/readyz", "/v2/apis"} {
		if status, text := call(t, gatewaytest.HTTPClient, nil, "", "GET", p.Admin+path, ""); status != 200 {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	for _, more := range flood {
		_ = more.Close()
	}
	gatewaytest.Eventually(t, func() error {
		late, err := dial()
		if err == nil {
			_ = late.CloseNow()
		}
		return err
	})
}

// A gateway that runs out of descriptors refuses handshakes in words, before it
// has to reset connections; the log tells of it, and of its end.
func TestServeRefusesHandshakes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill(echo(t))
	p := startProcess(t, s.dir+"/data", 0, "sh", "-c", `ulimit -n 200 && exec "$0"`)
	defer p.end()
	var open []*websocket.Conn
	dial := func() (*http.Response, error) {
		conn, response, err := websocket.Dial(t.Context(), strings.Replace(p.Public[0], "http", "ws", 1)+"/prod", &websocket.DialOptions{HTTPClient: gatewaytest.HTTPClient})
		if err == nil {
			open = append(open, conn)
		}
		return response, err
	}
	gatewaytest.Eventually(t, func() error {
		response, err := dial()
		if response != nil && response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != "" {
			return nil
		}
		if response == nil && len(open) > 0 { // reset: too fast for the one who looks
			last := len(open) - 1
			_ = open[last].CloseNow()
			open = open[:last]
		}
		return fmt.Errorf("%d are open, and the next is answered %v, %v", len(open), response, err)
	})
	if got := gatewaytest.Ask(t, open[0], "hello"); got != "hello" {
		t.Errorf("who is connected gets %q", got)
	}
	if !strings.Contains(p.log.String(), `overloaded: refusing handshakes" pressure=descriptors`) {
		t.Errorf("the log does not tell it:\n%s", &p.log)
	}
	for _, conn := range open[1:] {
		_ = conn.CloseNow()
	}
	gatewaytest.Eventually(t, func() error {
		if _, err := dial(); err != nil {
			return err
		}
		if !strings.Contains(p.log.String(), "ended: refusing handshakes") {
			return fmt.Errorf("the log does not tell its end:\n%s", &p.log)
		}
		return nil
	})
}
