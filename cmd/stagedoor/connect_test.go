package main

import (
	"context"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// gateway is a WebSocket server whose behaviour the path of a URL chooses:
//
//	/echo        answers every message in kind, and closes after "quit"
//	/handshake   sends the handshake's host and headers of interest, and closes
//	/fail        closes with 1011
//	/refuse      answers the handshake with 403
func gateway(t *testing.T) http.Handler {
	serve := func(talk func(*websocket.Conn, *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"v2"}})
			if err != nil {
				t.Errorf("accept: %v", err)
				return
			}
			defer conn.CloseNow()
			talk(conn, r)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/echo", serve(func(conn *websocket.Conn, r *http.Request) {
		for {
			typ, data, err := conn.Read(r.Context())
			if err != nil {
				return
			}
			if string(data) == "quit" {
				conn.Close(websocket.StatusNormalClosure, "")
				return
			}
			conn.Write(r.Context(), typ, data)
		}
	}))
	mux.Handle("/handshake", serve(func(conn *websocket.Conn, r *http.Request) {
		seen := []string{r.Host}
		for _, name := range []string{"User-Agent", "X-Token", "Sec-Websocket-Protocol"} {
			seen = append(seen, strings.Join(r.Header[name], "|"))
		}
		conn.Write(r.Context(), websocket.MessageText, []byte(strings.Join(seen, "\n")))
		conn.Close(websocket.StatusNormalClosure, "")
	}))
	mux.Handle("/fail", serve(func(conn *websocket.Conn, _ *http.Request) {
		conn.Close(websocket.StatusInternalError, "broken")
	}))
	mux.HandleFunc("/refuse", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"message":"Forbidden"}`, http.StatusForbidden)
	})
	return mux
}

func TestConnect(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(gateway(t))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	tests := []struct {
		name   string
		path   string
		stdin  string
		flags  []string
		code   int
		stdout string
		stderr string // a part of it
	}{
		{"lines of standard input", "/echo", "a\nb\nquit\n", nil, exitOK, "a\nb\n", "Disconnected (code: 1000)\n"},
		{"messages on the command line", "/echo", "not read\n", []string{"-x", "a,b", "--execute", `{"c":1}`, "-x", "quit"},
			exitOK, "a,b\n{\"c\":1}\n", "Disconnected (code: 1000)\n"},
		{"a short wait", "/echo", "", []string{"-w", "0.01"}, exitOK, "", "Disconnected (code: 1000)\n"},
		{"an endless wait", "/handshake", "", []string{"-w", "-1"}, exitOK, host + "\nstagedoor/development\n\n\n", ""},
		{"indented JSON", "/echo", "{\"c\":1}\nquit\n", []string{"--json"}, exitOK, "{\n  \"c\": 1\n}\n", ""},
		{"headers and subprotocols", "/handshake", "",
			[]string{"-w", "-1", "-H", "X-Token: a, b", "-H", "x-token:c", "--header", "Host: my.domain", "-H", "User-Agent: me", "-s", "v1", "-s", "v2"},
			exitOK, "my.domain\nme\na, b|c\nv1,v2\n", "(subprotocol: v2)"},
		{"closed with an error", "/fail", "", []string{"-w", "-1"}, exitAbnormal, "", `Disconnected (code: 1011, reason: "broken")` + "\n"},
		{"refused", "/refuse", "", nil, exitFailure, "", "HTTP 403 Forbidden\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"connect", host + tt.path}, tt.flags...)
			got := execute(t.Context(), strings.NewReader(tt.stdin), args...)
			if got.code != tt.code {
				t.Errorf("exit code %d, want %d; standard error:\n%s", got.code, tt.code, got.stderr)
			}
			if diff := cmp.Diff(tt.stdout, got.stdout); diff != "" {
				t.Errorf("standard output (-want +got):\n%s", diff)
			}
			if !strings.Contains(got.stderr, tt.stderr) {
				t.Errorf("standard error %q, want %q in it", got.stderr, tt.stderr)
			}
		})
	}
}

func TestConnectVerifiesCertificates(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(gateway(t))
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		flags []string
		code  int
	}{
		"unknown authority": {nil, exitFailure},
		"--no-check":        {[]string{"--no-check"}, exitOK},
		"--ca":              {[]string{"--ca", ca}, exitOK},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"connect", server.URL + "/echo", "-x", "quit", "-w", "-1"}, tt.flags...)
			got := execute(t.Context(), nil, args...)
			if got.code != tt.code {
				t.Errorf("exit code %d, want %d; standard error:\n%s", got.code, tt.code, got.stderr)
			}
			if tt.code != exitOK && !strings.Contains(got.stderr, "certificate") {
				t.Errorf("standard error does not name the certificate: %s", got.stderr)
			}
		})
	}
}

func TestConnectEndsWithTheContext(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(gateway(t))
	t.Cleanup(server.Close)
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	if got := execute(ctx, strings.NewReader(""), "connect", server.URL+"/echo"); got.code != exitFailure {
		t.Errorf("exit code %d of an interrupted handshake, want %d", got.code, exitFailure)
	}
}
