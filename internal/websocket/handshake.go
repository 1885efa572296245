package websocket

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// ErrNotUpgrade is what CheckUpgrade's errors wrap when the request does not
// ask for the WebSocket protocol at all, so that an ordinary answer (or 426)
// fits better than 400.
var ErrNotUpgrade = errors.New("not a WebSocket upgrade request")

// ErrVersion is what CheckUpgrade's error wraps when the client speaks another
// version of the protocol. The answer is then 426 with the header
// Sec-WebSocket-Version: 13 (RFC 6455, section 4.4).
var ErrVersion = errors.New("unsupported WebSocket version")

// acceptGUID is the constant of RFC 6455, section 1.3.
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// AcceptKey is the Sec-WebSocket-Accept value that answers a Sec-WebSocket-Key.
func AcceptKey(key string) string {
	sum := sha1.Sum([]byte(key + acceptGUID))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// CheckUpgrade checks r as an opening handshake of RFC 6455, section 4.2.1. The error wraps ErrNotUpgrade or
// ErrVersion where those fit; any other is a malformed handshake (400).
func CheckUpgrade(r *http.Request) error {
	if !hasToken(r.Header, "Connection", "upgrade") {
		return fmt.Errorf("%w: no Connection: Upgrade", ErrNotUpgrade)
	}
	if !hasToken(r.Header, "Upgrade", "websocket") {
		return fmt.Errorf("%w: no Upgrade: websocket", ErrNotUpgrade)
	}
	if r.Method != http.MethodGet {
		return fmt.Errorf("websocket handshake: method %s, want GET", r.Method)
	}
	if !r.ProtoAtLeast(1, 1) || r.ProtoMajor != 1 {
		return fmt.Errorf("websocket handshake: %s, want HTTP/1.1", r.Proto)
	}
	if r.Host == "" {
		return errors.New("websocket handshake: no Host")
	}
	versions := r.Header.Values("Sec-WebSocket-Version")
	if len(versions) != 1 || strings.TrimSpace(versions[0]) != "13" {
		return fmt.Errorf("%w: Sec-WebSocket-Version %q, want 13", ErrVersion, versions)
	}
	keys := r.Header.Values("Sec-WebSocket-Key")
	if len(keys) != 1 {
		return fmt.Errorf("websocket handshake: %d Sec-WebSocket-Key headers, want 1", len(keys))
	}
	nonce, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(keys[0]))
	if err != nil || len(nonce) != 16 {
		return errors.New("websocket handshake: Sec-WebSocket-Key is not 16 bytes of base64")
	}
	return nil
}

// hasToken reports whether a comma-separated header holds a token, in any case.
func hasToken(h http.Header, name, token string) bool {
	for _, value := range h.Values(name) {
		for item := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(item), token) {
				return true
			}
		}
	}
	return false
}
