// Package localaws is the endpoint that local functions reach instead of AWS.
//
// Functions reach it in two ways: as the endpoint of a service, by
// AWS_ENDPOINT_URL and the like, or as their HTTP proxy. One port on a loopback
// address serves both, plain and over TLS:
//
//   - requests for execute-api hosts and custom domain names go to the gateway;
//   - requests for DynamoDB go to the local DynamoDB;
//   - as a proxy, CONNECT and absolute-form requests for these hosts are served
//     here, and those for other hosts are forwarded, through the developer's
//     own proxy where the environment names one;
//   - anything else is a 404 that says what is served.
//
// The dev command starts it and points the functions at it.
package localaws

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/internal/dualport"
)

const (
	headerTimeout = 30 * time.Second // for the head of a request, and the TLS handshake
	idleTimeout   = 2 * time.Minute  // between requests
	answerTime    = time.Minute      // for a function to take an answer
)

// Options of an Endpoint.
type Options struct {
	// Gateway serves execute-api hosts and those that GatewayHost accepts,
	// including WebSocket upgrades. Required. It gets a proxied request as if
	// it had come directly.
	Gateway http.Handler
	// GatewayHost reports whether a host name, in lower case and without port,
	// is a custom domain name of the gateway. It is called for each request. It
	// may be nil.
	GatewayHost func(host string) bool
	// DynamoDB serves DynamoDB's protocol; nil when the functions use another
	// endpoint.
	DynamoDB http.Handler
	// TLSConfig has a certificate for every name that is served here. It is
	// required.
	TLSConfig *tls.Config
	// Proxy returns the proxy for requests to other hosts, nil for none. A nil
	// Proxy uses the environment variables HTTPS_PROXY, HTTP_PROXY and
	// NO_PROXY.
	Proxy func(*http.Request) (*url.URL, error)
	// Log gets failures of forwarding; nil stands for slog.Default().
	Log *slog.Logger
}

// Endpoint is an endpoint that listens. It serves until Close.
type Endpoint struct {
	options   Options
	tlsConfig *tls.Config
	listener  net.Listener
	stop      func(context.Context) error // of dualport.Attach
	forward   *httputil.ReverseProxy
	transport *http.Transport
	tunnelled *connQueue // connections that began with a CONNECT and are served here
	tunnels   tunnels    // connections that are forwarded
	serving   sync.WaitGroup

	forwards    sync.WaitGroup // requests that are being forwarded
	endForwards context.CancelFunc
}

// Listen opens an endpoint on addr, host:port with a loopback host; port 0
// picks a free one.
func Listen(addr string, options Options) (*Endpoint, error) {
	if options.Gateway == nil || options.TLSConfig == nil {
		return nil, errors.New("endpoint for local functions: no gateway or no certificates")
	}
	if err := checkLoopback(addr); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("endpoint for local functions: %w", err)
	}
	if options.Log == nil {
		options.Log = slog.Default()
	}
	if options.Proxy == nil {
		options.Proxy = http.ProxyFromEnvironment
	}
	e := &Endpoint{options: options, tlsConfig: options.TLSConfig, listener: listener, tunnelled: newConnQueue(listener.Addr())}
	e.transport = &http.Transport{Proxy: options.Proxy, DisableCompression: true}
	e.forward = e.newForwarder()
	base, cancel := context.WithCancel(context.Background())
	e.endForwards = cancel
	server := &http.Server{
		BaseContext:       func(net.Listener) context.Context { return base },
		Handler:           http.HandlerFunc(e.serve),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(options.Log.Handler(), slog.LevelDebug),
	}
	e.stop = dualport.Attach(server, answerTime)
	for _, l := range []net.Listener{dualport.NewListener(listener, options.TLSConfig), e.tunnelled} {
		e.serving.Go(func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				options.Log.Error("endpoint for local functions ended", "error", err)
			}
		})
	}
	return e, nil
}

func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("endpoint for local functions: %w", err)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("endpoint for local functions: %s is not a loopback address; it forwards to any host and checks no signature", addr)
}

// Addr is the address that the endpoint listens on.
func (e *Endpoint) Addr() net.Addr { return e.listener.Addr() }

// Close stops listening, waits for requests that are being served until ctx
// ends, and then ends them and every forwarded connection. It does not close
// connections that the gateway has taken over.
func (e *Endpoint) Close(ctx context.Context) error {
	err := e.stop(ctx)
	_ = e.tunnelled.Close()
	e.tunnels.close()
	e.endForwards()
	e.forwards.Wait()
	e.transport.CloseIdleConnections()
	e.serving.Wait()
	return err
}
