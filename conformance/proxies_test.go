package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// proxy is a program that docs/proxies.md has a configuration for.
type proxy struct {
	name  string
	block string // the language of its code block on the page
	// adapt makes the block fit a test: it listens on a port, and closes what is
	// silent for three seconds.
	adapt *strings.Replacer
	whole string // the configuration around the block
	args  func(file string) []string
	cuts  bool // it closes silent connections
}

func proxies(port, gateway, dir string) []proxy {
	return []proxy{
		{
			"nginx", "nginx", strings.NewReplacer("listen 80;", "listen 127.0.0.1:"+port+"; proxy_read_timeout 3s;", "127.0.0.1:8080", gateway),
			"daemon off; master_process off; pid " + dir + "/pid; error_log stderr; events {}\nhttp { access_log off; client_body_temp_path " + dir + "/a; proxy_temp_path " + dir +
				"/b; fastcgi_temp_path " + dir + "/c; uwsgi_temp_path " + dir + "/d; scgi_temp_path " + dir + "/e;\n%s}\n",
			func(file string) []string { return []string{"-c", file, "-e", "stderr"} }, true,
		},
		{
			"haproxy", "haproxy", strings.NewReplacer("bind :80", "bind 127.0.0.1:"+port, "60s", "3s", "127.0.0.1:8080", gateway), "%s",
			func(file string) []string { return []string{"-f", file} }, true,
		},
		{
			"caddy", "caddyfile", strings.NewReplacer("gateway.example", "http://127.0.0.1:"+port, "127.0.0.1:8080", gateway), "{\nadmin off\n}\n%s",
			func(file string) []string { return []string{"run", "--adapter", "caddyfile", "--config", file} }, false,
		},
	}
}

// TestProxies runs the configurations of docs/proxies.md, each with a time for
// silent connections that is shorter than the test. A connection lives through
// three of them by the gateway's pings, and by nothing else: without them it is
// cut. The gateway knows who the client behind the proxy is.
func TestProxies(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/proxies.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"nginx", "haproxy", "caddy"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(name)
			if err != nil {
				t.Skipf("there is no %s: install the package of that name", name)
			}
			for _, ping := range []string{"500ms", "none"} {
				t.Run("ping "+ping, func(t *testing.T) {
					t.Parallel()
					testProxy(t, name, path, string(page), ping)
				})
			}
		})
	}
}

func testProxy(t *testing.T, name, path, page, ping string) {
	g := serve(t, "proxies: {trusted: 127.0.0.1}\nlimits: {ping: "+ping+"}\n", nil, "--open")
	id := deployGreeter(t, g)
	port := freePort(t)
	var p proxy
	for _, candidate := range proxies(port, strings.TrimPrefix(g.Public, "http://"), t.TempDir()) {
		if candidate.name == name {
			p = candidate
		}
	}
	if ping == "none" && !p.cuts {
		t.Skip(name + " does not close silent connections")
	}
	runProxy(t, p, path, page)
	pings := make(chan struct{}, 100)
	c := dialProxy(t, "http://127.0.0.1:"+port+"/_aws/execute-api/"+id+"/prod", func() { pings <- struct{}{} })
	c.send(`{"action":"greet"}`)
	c.expect(`{"say":"hello"}`)
	if ping == "none" {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, said, err := c.Read(ctx); err == nil || ctx.Err() != nil {
			t.Errorf("without pings the connection lives: %q, %v", said, err)
		}
		return
	}
	said := make(chan string)
	go func() {
		defer close(said)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_, text, err := c.Read(ctx) // which answers the pings
		if err != nil {
			t.Errorf("the connection ended: %v", err)
		}
		said <- string(text)
	}()
	for range 18 { // nine seconds
		select {
		case <-pings:
		case text := <-said:
			t.Fatalf("the gateway said %q", text)
		}
	}
	c.send(`{"action":"whoami"}`)
	var refused struct{ ConnectionID string }
	if err := json.Unmarshal([]byte(<-said), &refused); err != nil || refused.ConnectionID == "" {
		t.Fatalf("no error frame: %v", err)
	}
	response, err := http.Get("http://127.0.0.1:" + port + "/_aws/execute-api/" + id + "/prod/@connections/" + strings.ReplaceAll(refused.ConnectionID, "=", "%3D"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || !strings.Contains(string(body), `"127.0.0.2"`) {
		t.Errorf("@connections says %s, %v; want the client's address, 127.0.0.2", body, err)
	}
}

// deployGreeter puts an API on a gateway and gives its id.
func deployGreeter(t *testing.T, g *served) string {
	t.Helper()
	command := exec.Command(binary, "deploy", "testdata/deploy/template.yaml", "--gateway", g.Admin, "--stack", "greeter", "--yes")
	command.Env = append(environment(), keys("ANY", "any secret")...)
	said, err := command.CombinedOutput()
	_, id, found := strings.Cut(string(said), "/_aws/execute-api/")
	if err != nil || !found {
		t.Fatalf("deploy: %v\n%s", err, said)
	}
	id, _, _ = strings.Cut(id, "/")
	return id
}

func runProxy(t *testing.T, p proxy, path, page string) {
	t.Helper()
	block := regexp.MustCompile("(?s)```" + p.block + "\n(.*?)```").FindStringSubmatch(page)
	if block == nil {
		t.Fatalf("docs/proxies.md has no configuration for %s", p.name)
	}
	file := filepath.Join(t.TempDir(), "configuration")
	if err := os.WriteFile(file, fmt.Appendf(nil, p.whole, p.adapt.Replace(block[1])), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, []string{"HOME=" + t.TempDir()}, path, p.args(file)...)
}

// dialProxy connects from 127.0.0.2 when the proxy listens.
func dialProxy(t *testing.T, url string, pinged func()) *client {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	options := &websocket.DialOptions{
		HTTPClient:     &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialer.DialContext}},
		OnPingReceived: func(context.Context, []byte) bool { pinged(); return true },
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		conn, _, err := websocket.Dial(ctx, strings.Replace(url, "http", "ws", 1), options)
		if err == nil {
			t.Cleanup(func() { _ = conn.CloseNow() })
			return &client{Conn: conn, t: t}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("dial: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// freePort is a port that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
