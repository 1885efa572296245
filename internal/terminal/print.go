package terminal

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/coder/websocket"
)

// Printer shows a conversation. It writes messages to Messages, and everything
// about the connection to Status. Its methods are safe for concurrent use.
type Printer struct {
	Messages io.Writer
	Status   io.Writer
	// Terminal is for output to a terminal: received messages are marked,
	// binary ones named, and control characters made visible, so that a server
	// can't control the terminal. Without it a message is printed as it came,
	// with a newline.
	Terminal  bool
	Pretty    bool // indent messages that are JSON objects or arrays
	Color     bool
	PingPongs bool // show ping and pong frames

	mu sync.Mutex // one line at a time
}

// message prints a text message, or a binary one as base64.
func (p *Printer) message(typ websocket.MessageType, data []byte) {
	text, mark := string(data), "< "
	if typ == websocket.MessageBinary {
		text = base64.StdEncoding.EncodeToString(data)
		mark = fmt.Sprintf("< (binary, %d bytes) ", len(data))
	} else if p.Pretty {
		text = indentJSON(data)
	}
	if p.Terminal {
		text = visible(text)
	}
	if typ != websocket.MessageBinary && p.Color {
		text = colorJSON(text)
	}
	if p.Terminal {
		text = p.paint(dim, mark) + text
	}
	p.print(p.Messages, text)
}

// Refused prints the answer to a handshake that failed.
func (p *Printer) Refused(refused *RefusedError) {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n", p.paint(red, "HTTP "+visible(refused.Status)))
	names := make([]string, 0, len(refused.Header))
	for name := range refused.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range refused.Header[name] {
			fmt.Fprintf(&text, "%s: %s\n", name, visible(value))
		}
	}
	if len(refused.Body) > 0 {
		fmt.Fprintf(&text, "\n%s\n", visible(string(refused.Body)))
	}
	p.print(p.Status, strings.TrimSuffix(text.String(), "\n"))
}

func (p *Printer) connected(url, subprotocol string) {
	text := "Connected to " + url
	if subprotocol != "" {
		text += " (subprotocol: " + visible(subprotocol) + ")"
	}
	p.print(p.Status, p.paint(green, text))
}

func (p *Printer) disconnected(code int, reason string) {
	text := fmt.Sprintf("Disconnected (code: %d%s)", code, quoted(", reason: ", reason))
	p.print(p.Status, p.paint(green, text))
}

// ping shows a ping; the answer is always sent.
func (p *Printer) ping(_ context.Context, payload []byte) bool {
	p.control("ping", payload)
	return true
}

func (p *Printer) pong(_ context.Context, payload []byte) { p.control("pong", payload) }

func (p *Printer) control(kind string, payload []byte) {
	if p.PingPongs {
		p.print(p.Status, p.paint(dim, "< "+kind+quoted(" ", string(payload))))
	}
}

func (p *Printer) print(w io.Writer, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	io.WriteString(w, text+"\n")
}

// quoted returns before and the quoted text, or nothing for an empty text.
func quoted(before, text string) string {
	if text == "" {
		return ""
	}
	return before + strconv.Quote(text)
}

// visible replaces characters that would control the terminal, except newline
// and tab, by their escaped form.
func visible(text string) string {
	controls := func(r rune) bool { return IsControl(r) && r != '\n' && r != '\t' }
	if strings.IndexFunc(text, controls) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if controls(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
