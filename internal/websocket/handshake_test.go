package websocket

import (
	"bufio"
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestAcceptKey(t *testing.T) {
	t.Parallel()
	// The example of RFC 6455, section 1.3.
	if got, want := AcceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCheckUpgrade(t *testing.T) {
	t.Parallel()
	const good = "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, UPGRADE\r\nUpgrade: WebSocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	malformed := errors.New("any other error")
	for _, test := range []struct {
		name, old, new string
		want           error
	}{
		{"good", "", "", nil},
		{"several headers", "Connection: keep-alive, UPGRADE", "Connection: keep-alive\r\nConnection: upgrade", nil},
		{"no connection header", "Connection: keep-alive, UPGRADE\r\n", "", ErrNotUpgrade},
		{"token is part of a word", "keep-alive, UPGRADE", "upgraded", ErrNotUpgrade},
		{"no upgrade header", "Upgrade: WebSocket\r\n", "", ErrNotUpgrade},
		{"another protocol", "WebSocket", "h2c", ErrNotUpgrade},
		{"post", "GET", "POST", malformed},
		{"old protocol", "HTTP/1.1", "HTTP/1.0", malformed},
		{"no host", "Host: h", "Host: ", malformed},
		{"no version", "Sec-WebSocket-Version: 13\r\n", "", ErrVersion},
		{"other version", ": 13", ": 8", ErrVersion},
		{"two versions", "Version: 13", "Version: 13, 8", ErrVersion},
		{"no key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", malformed},
		{"two keys", "Upgrade: WebSocket", "Upgrade: WebSocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", malformed},
		{"short key", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==", malformed},
		{"key not base64", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j!Q==", malformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.Replace(good, test.old, test.new, 1))))
			if err != nil {
				t.Fatal(err)
			}
			switch err = CheckUpgrade(r); {
			case test.want == malformed:
				if err == nil || errors.Is(err, ErrNotUpgrade) || errors.Is(err, ErrVersion) {
					t.Errorf("got %v, want a malformed handshake", err)
				}
			case !errors.Is(err, test.want):
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}
