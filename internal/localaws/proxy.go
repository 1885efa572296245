package localaws

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/stagedoor/stagedoor/internal/dualport"
)

const dialTimeout = 30 * time.Second // for a connection to another host, with its proxy's answer

// newForwarder forwards absolute-form requests for other hosts unchanged.
func (e *Endpoint) newForwarder() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.Host = r.In.Host
			// ReverseProxy drops these as a gateway should; a proxy passes them
			// on.
			for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
				if values, ok := r.In.Header[name]; ok {
					r.Out.Header[name] = values
				}
			}
		},
		Transport:      e.transport,
		ModifyResponse: paced,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			e.unreachable(w, r, err)
		},
	}
}

// paced gives a function time to read each part of a forwarded answer, from
// when the part came: answers may be streams without an end.
func paced(answer *http.Response) error {
	if conn := dualport.FromRequest(answer.Request); conn != nil && answer.StatusCode != http.StatusSwitchingProtocols {
		answer.Body = &pacedBody{answer.Body, conn}
	}
	return nil
}

type pacedBody struct {
	io.ReadCloser
	to *dualport.Conn
}

func (b *pacedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.to.AwaitAnswer()
	return n, err
}

func (e *Endpoint) unreachable(w http.ResponseWriter, r *http.Request, err error) {
	e.options.Log.Warn("a local function's request could not be forwarded", "host", r.Host, "error", err)
	writeMessage(w, http.StatusBadGateway, fmt.Sprintf("Cannot reach %s: %v", r.Host, err))
}

// connect answers CONNECT: the hosts served here are served on the same
// connection, others get a tunnel.
func (e *Endpoint) connect(w http.ResponseWriter, r *http.Request) {
	if e.hostHandler(hostName(r.Host)) != nil {
		conn, early, err := accept(w)
		if err == nil {
			e.tunnelled.push(dualport.NewConn(conn, early, e.tlsConfig))
		}
		return
	}
	if _, _, err := net.SplitHostPort(r.Host); err != nil {
		writeMessage(w, http.StatusBadRequest, "CONNECT needs a host and a port")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), dialTimeout)
	defer cancel()
	far, err := e.dial(ctx, r.Host)
	if err != nil {
		e.unreachable(w, r, err)
		return
	}
	conn, early, err := accept(w)
	if err != nil {
		far.Close()
		return
	}
	e.tunnels.run(dualport.NewConn(conn, early, nil), far)
}

// accept answers a CONNECT with success, and takes over its connection. early
// is what the client has already sent through it.
func accept(w http.ResponseWriter) (conn net.Conn, early []byte, err error) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		writeMessage(w, http.StatusInternalServerError, "CONNECT is not possible on this connection")
		return nil, nil, err
	}
	early, err = io.ReadAll(io.LimitReader(buffered, int64(buffered.Reader.Buffered())))
	if err == nil {
		err = conn.SetDeadline(time.Time{})
	}
	if err == nil {
		_, err = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	}
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	if outer, ok := conn.(*dualport.Conn); ok {
		conn = outer.NetConn()
	}
	return conn, early, nil
}

// dial connects to host:port, through the proxy that leads there if any.
func (e *Endpoint) dial(ctx context.Context, hostport string) (net.Conn, error) {
	target := &http.Request{Method: http.MethodConnect, URL: &url.URL{Scheme: "https", Host: hostport}, Host: hostport}
	proxy, err := e.options.Proxy(target)
	if err != nil {
		return nil, fmt.Errorf("proxy of the environment: %w", err)
	}
	if proxy == nil {
		return new(net.Dialer).DialContext(ctx, "tcp", hostport)
	}
	conn, err := dialProxy(ctx, proxy)
	if err != nil {
		return nil, fmt.Errorf("proxy %s: %w", proxy.Redacted(), err)
	}
	tunnel, err := askProxy(ctx, conn, proxy, hostport)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("proxy %s: %w", proxy.Redacted(), err)
	}
	return tunnel, nil
}

func dialProxy(ctx context.Context, proxy *url.URL) (net.Conn, error) {
	address := func(port string) string {
		if proxy.Port() != "" {
			port = proxy.Port()
		}
		return net.JoinHostPort(proxy.Hostname(), port)
	}
	switch proxy.Scheme {
	case "http":
		return new(net.Dialer).DialContext(ctx, "tcp", address("80"))
	case "https":
		return new(tls.Dialer).DialContext(ctx, "tcp", address("443"))
	}
	return nil, fmt.Errorf("%q proxies are not supported for tunnels, only http and https", proxy.Scheme)
}

// askProxy asks the proxy at the other end of conn to open a tunnel, and
// returns the tunnel.
func askProxy(ctx context.Context, conn net.Conn, proxy *url.URL, hostport string) (net.Conn, error) {
	// The exchange ends with ctx: at its time limit, or when the client is
	// gone.
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()

	request := "CONNECT " + hostport + " HTTP/1.1\r\nHost: " + hostport + "\r\n"
	if user := proxy.User; user != nil {
		password, _ := user.Password()
		request += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)) + "\r\n"
	}
	if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
		return nil, err
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return nil, err
	}
	_ = response.Body.Close() // an answer to CONNECT has none; the tunnel begins behind its head
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	early, err := reader.Peek(reader.Buffered())
	return dualport.NewConn(conn, early, nil), err
}
