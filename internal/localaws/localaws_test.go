package localaws

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/internal/certificate"
	"github.com/stagedoor/stagedoor/internal/dualport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	apiHost    = "abc123defg.execute-api.eu-west-1.amazonaws.com"
	tableHost  = "dynamodb.eu-west-1.amazonaws.com"
	customHost = "chat.example.com"
)

type fixture struct {
	*testing.T
	*Endpoint
	roots *x509.CertPool
}

// named answers with its name and what it sees of the request.
func named(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s tls=%t body=%s", name, r.Method, r.Host, r.RequestURI, r.TLS != nil, body)
		if r.URL.IsAbs() || r.Header.Get("Proxy-Connection") != "" {
			fmt.Fprint(w, " as a proxy")
		}
	})
}

func start(t *testing.T, change func(*Options)) *fixture {
	t.Helper()
	t.Parallel()
	authority, err := certificate.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	options := Options{
		Gateway:     named("gateway"),
		GatewayHost: func(host string) bool { return host == customHost },
		DynamoDB:    named("dynamodb"),
		TLSConfig:   authority.TLSConfig(),
		Proxy:       func(*http.Request) (*url.URL, error) { return nil, nil },
		Log:         slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&options)
	}
	e, err := Listen("127.0.0.1:0", options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	roots := x509.NewCertPool()
	authorities, err := os.ReadFile(authority.CertificatePath())
	if err != nil || !roots.AppendCertsFromPEM(authorities) {
		t.Fatalf("the authority's certificate: %v", err)
	}
	return &fixture{t, e, roots}
}

// direct makes a client whose every connection goes to the endpoint.
func (f *fixture) direct() *http.Client {
	return f.client(&http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, f.Addr().String())
	}})
}

// proxied makes a client that has the endpoint as its proxy.
func (f *fixture) proxied() *http.Client {
	return f.client(&http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: f.Addr().String()})})
}

func (f *fixture) client(transport *http.Transport) *http.Client {
	transport.TLSClientConfig = &tls.Config{RootCAs: f.roots}
	f.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (f *fixture) fetch(client *http.Client, address, target string) (int, string) {
	f.Helper()
	request, err := http.NewRequestWithContext(f.Context(), "POST", address, strings.NewReader("hi"))
	if err != nil {
		f.Fatal(err)
	}
	if target != "" {
		request.Header.Set("X-Amz-Target", target)
	}
	response, err := client.Do(request)
	if err != nil {
		f.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		f.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func wantEqual(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestServedHosts(t *testing.T) {
	f := start(t, nil)
	for way, client := range map[string]*http.Client{"direct": f.direct(), "proxied": f.proxied()} {
		for _, scheme := range []string{"http", "https"} {
			for _, test := range []struct{ host, by string }{
				{apiHost, "gateway"},
				{"x.execute-api.cn-north-1.amazonaws.com.cn", "gateway"},
				{customHost, "gateway"},
				{tableHost, "dynamodb"},
				{"dynamodb.cn-north-1.amazonaws.com.cn", "dynamodb"},
				{"123456789012.ddb.us-east-1.amazonaws.com", "dynamodb"},
			} {
				status, body := f.fetch(client, scheme+"://"+test.host+"/prod/@connections/a%3D?x=1", "")
				if want := fmt.Sprintf("%s POST %s /prod/@connections/a%%3D?x=1 tls=%t body=hi", test.by, test.host, scheme == "https"); status != 200 || body != want {
					t.Errorf("%s %s %s: %d %s, want %s", way, scheme, test.host, status, body, want)
				}
			}
		}
	}
}

func TestDirectRequestsOfOtherHosts(t *testing.T) {
	f := start(t, nil)
	address := "http://" + f.Addr().String() + "/"
	status, body := f.fetch(f.direct(), address, "DynamoDB_20120810.GetItem")
	wantEqual(t, status, 200)
	wantEqual(t, strings.HasPrefix(body, "dynamodb POST"), true)
	for _, target := range []string{"", "Kinesis_20131202.PutRecord", "DynamoDBStreams_20120810.ListStreams"} {
		status, body = f.fetch(f.direct(), address, target)
		wantEqual(t, status, 404)
		if !strings.Contains(body, "execute-api") || !strings.Contains(body, `{"message":`) {
			t.Errorf("got %s", body)
		}
	}
	status, _ = f.fetch(f.direct(), "https://sqs.eu-west-1.amazonaws.com/", "")
	wantEqual(t, status, 404)
}

func TestWithoutDynamoDB(t *testing.T) {
	f := start(t, func(o *Options) { o.DynamoDB = nil })
	status, body := f.fetch(f.direct(), "http://"+tableHost+"/", "DynamoDB_20120810.GetItem")
	wantEqual(t, status, 404)
	wantEqual(t, strings.Contains(body, "another endpoint"), true)
}

func TestOtherHostsAreForwarded(t *testing.T) {
	f := start(t, nil)
	other := httptest.NewServer(named("other"))
	defer other.Close()
	secure := httptest.NewTLSServer(named("secure"))
	defer secure.Close()
	f.roots.AddCert(secure.Certificate())
	client := f.proxied()
	// The client would go to a loopback address past its proxy; a function may not.
	client.Transport.(*http.Transport).Proxy = func(*http.Request) (*url.URL, error) { return &url.URL{Scheme: "http", Host: f.Addr().String()}, nil }

	_, body := f.fetch(client, other.URL+"/path?q", "")
	wantEqual(t, body, "other POST "+strings.TrimPrefix(other.URL, "http://")+" /path?q tls=false body=hi")
	_, body = f.fetch(client, secure.URL+"/path?q", "")
	wantEqual(t, body, "secure POST "+strings.TrimPrefix(secure.URL, "https://")+" /path?q tls=true body=hi")
}

func TestUnreachableHosts(t *testing.T) {
	f := start(t, nil)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	address := gone.Addr().String()
	for _, request := range []string{
		"CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\n\r\n",
		"GET http://" + address + "/ HTTP/1.1\r\nHost: " + address + "\r\n\r\n",
	} {
		response, _ := f.raw(request)
		wantEqual(t, response.StatusCode, 502)
	}
	response, _ := f.raw("CONNECT noport HTTP/1.1\r\nHost: noport\r\n\r\n")
	wantEqual(t, response.StatusCode, 400)
}

// raw sends a request as it is and returns the answer and the connection.
func (f *fixture) raw(request string) (*http.Response, net.Conn) {
	f.Helper()
	conn, err := net.Dial("tcp", f.Addr().String())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		f.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		f.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(reader, &http.Request{Method: method})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { response.Body.Close() })
	early, _ := reader.Peek(reader.Buffered())
	return response, dualport.NewConn(conn, early, nil)
}

// upstream is the developer's own proxy: it wants a password and says which
// tunnels it opened.
func upstream(t *testing.T, opened chan<- string) *url.URL {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte("me:secret")) {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		if r.Method != http.MethodConnect {
			opened <- r.RequestURI
			return
		}
		far, err := net.Dial("tcp", r.Host)
		if err != nil {
			t.Error(err)
			return
		}
		opened <- r.Host
		near, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
		new(tunnels).run(near, far)
	}))
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.UserPassword("me", "secret")
	return address
}

func TestForwardingGoesThroughTheDevelopersProxy(t *testing.T) {
	opened := make(chan string, 1)
	proxy := upstream(t, opened)
	f := start(t, func(o *Options) { o.Proxy = http.ProxyURL(proxy) })
	secure := httptest.NewTLSServer(named("secure"))
	defer secure.Close()
	f.roots.AddCert(secure.Certificate())
	client := f.proxied()
	client.Transport.(*http.Transport).Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: f.Addr().String()})

	_, body := f.fetch(client, secure.URL+"/", "")
	wantEqual(t, strings.HasPrefix(body, "secure POST"), true)
	wantEqual(t, <-opened, strings.TrimPrefix(secure.URL, "https://"))
	f.fetch(client, "http://plain.test/x", "")
	wantEqual(t, <-opened, "http://plain.test/x")
	client.CloseIdleConnections()
}

func TestProxiesThatRefuse(t *testing.T) {
	proxy := upstream(t, nil)
	proxy.User = nil
	f := start(t, func(o *Options) {
		o.Proxy = func(r *http.Request) (*url.URL, error) {
			switch r.URL.Hostname() {
			case "password.test":
				return proxy, nil
			case "socks.test":
				return &url.URL{Scheme: "socks5", Host: "127.0.0.1:1"}, nil
			}
			return nil, fmt.Errorf("the variable is damaged")
		}
	})
	for host, want := range map[string]string{"password.test": "407", "socks.test": "not supported", "else.test": "damaged"} {
		response, _ := f.raw("CONNECT " + host + ":443 HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != 502 || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %s", host, response.StatusCode, body)
		}
	}
}

// What a client sends right behind its CONNECT is not lost, and plain HTTP may
// follow as well as TLS.
func TestEarlyBytes(t *testing.T) {
	f := start(t, nil)
	response, conn := f.raw("CONNECT " + apiHost + ":80 HTTP/1.1\r\nHost: x\r\n\r\nGET /prod HTTP/1.1\r\nHost: " + apiHost + "\r\n\r\n")
	wantEqual(t, response.StatusCode, 200)
	inner, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(inner.Body)
	wantEqual(t, string(body), "gateway GET "+apiHost+" /prod tls=false body=")
}

// hijacker takes connections over as the gateway does for WebSockets.
func hijacker(w http.ResponseWriter, r *http.Request) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	io.CopyN(conn, buffered, 4)
}

func TestUpgradesReachTheGateway(t *testing.T) {
	f := start(t, func(o *Options) { o.Gateway = http.HandlerFunc(hijacker) })
	const upgrade = "GET %s HTTP/1.1\r\nHost: " + apiHost + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	_, direct := f.raw("GET /prod HTTP/1.1\r\nHost: " + apiHost + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	wantEcho(t, direct)
	_, absolute := f.raw(fmt.Sprintf(upgrade, "http://"+apiHost+"/prod"))
	wantEcho(t, absolute)

	_, tunnel := f.raw("CONNECT " + apiHost + ":443 HTTP/1.1\r\nHost: x\r\n\r\n")
	secure := tls.Client(tunnel, &tls.Config{RootCAs: f.roots, ServerName: apiHost})
	fmt.Fprintf(secure, upgrade, "/prod")
	reader := bufio.NewReader(secure)
	if response, err := http.ReadResponse(reader, nil); err != nil || response.StatusCode != 101 {
		t.Fatalf("%v, %v", response, err)
	}
	io.WriteString(secure, "ping")
	got := make([]byte, 4)
	if _, err := io.ReadFull(reader, got); err != nil || string(got) != "ping" {
		t.Errorf("%q, %v", got, err)
	}
	secure.Close()
}

func wantEcho(t *testing.T, conn net.Conn) {
	t.Helper()
	io.WriteString(conn, "ping")
	got, err := io.ReadAll(conn)
	if err != nil || string(got) != "ping" {
		t.Errorf("%q, %v", got, err)
	}
}

// The end of one direction of a tunnel is passed on, and the other goes on.
func TestTunnelsHalfClose(t *testing.T) {
	f := start(t, nil)
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := other.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		all, _ := io.ReadAll(conn)
		fmt.Fprintf(conn, "%d bytes", len(all))
	}()
	_, conn := f.raw("CONNECT " + other.Addr().String() + " HTTP/1.1\r\nHost: x\r\n\r\n")
	large := strings.Repeat("x", 1<<20)
	io.WriteString(conn, large)
	conn.(*dualport.Conn).CloseWrite()
	got, err := io.ReadAll(conn)
	if err != nil || string(got) != "1048576 bytes" {
		t.Errorf("%q, %v", got, err)
	}
	<-done
}

func TestCloseEndsTunnels(t *testing.T) {
	f := start(t, nil)
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	_, conn := f.raw("CONNECT " + other.Addr().String() + " HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := f.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the tunnel is still open")
	}
	if _, err := net.Dial("tcp", f.Addr().String()); err == nil {
		t.Error("the endpoint still listens")
	}
}

func TestListenRefuses(t *testing.T) {
	t.Parallel()
	options := Options{Gateway: named("gateway"), TLSConfig: new(tls.Config)}
	for _, addr := range []string{"", ":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0", "127.0.0.1"} {
		if e, err := Listen(addr, options); err == nil {
			t.Errorf("listens on %q", addr)
			e.Close(t.Context())
		}
	}
	if _, err := Listen("127.0.0.1:0", Options{}); err == nil {
		t.Error("listens without a gateway")
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := Listen(taken.Addr().String(), options); err == nil {
		t.Error("listens on a taken port")
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	for host, want := range map[string][2]bool{ // execute-api, DynamoDB
		apiHost: {true, false},
		"a.b.execute-api.eu-west-1.amazonaws.com":  {true, false},
		"execute-api.eu-west-1.amazonaws.com":      {},
		"abc.execute-api.eu-west-1.example.com":    {},
		"abc.execute-api.amazonaws.com":            {},
		tableHost:                                  {false, true},
		"dynamodb-fips.us-east-1.amazonaws.com":    {false, true},
		"dynamodb.us-east-1.api.aws":               {false, true},
		"streams.dynamodb.eu-west-1.amazonaws.com": {},
		"123456789012.ddb.eu-west-1.amazonaws.com": {false, true},
		"dynamodb.amazonaws.com":                   {},
		"amazonaws.com":                            {},
		"":                                         {},
	} {
		if got := [2]bool{isExecuteAPI(host), isDynamoDB(host)}; got != want {
			t.Errorf("%s: %v, want %v", host, got, want)
		}
	}
	wantEqual(t, hostName("ABC.Example.com.:443"), "abc.example.com")
	wantEqual(t, hostName("[::1]:80"), "::1")
}
