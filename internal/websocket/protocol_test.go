package websocket

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// exchange is a client's bytes and what must come of them.
type exchange struct {
	name     string
	limits   Limits
	send     []byte
	messages []string // as recorder.messages
	frames   []string // opcode as a byte, and payload
	closed   closing
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// fragment is a frame with the FIN bit unset.
func fragment(op byte, payload string) []byte { return clientFrame(op, payload) }

func control(op byte, payload string) []byte { return clientFrame(finBit|op, payload) }

// head is a frame's header with its length as given, however wrong, and a mask.
func head(first byte, length ...byte) []byte {
	length[0] |= maskBit
	return join([]byte{first}, length, []byte{1, 2, 3, 4})
}

var (
	normal    = closing{1000, ""}
	byeFrame  = closeFrame(1000, "")
	byeAnswer = "\x08" + string(closeBody(1000, ""))
)

// good is an exchange that the client ends in good order.
func good(name string, send []byte, messages ...string) exchange {
	return exchange{name: name, send: join(send, byeFrame), messages: messages, frames: []string{byeAnswer}, closed: normal}
}

// bad is an exchange that the server ends. What follows is ignored.
func bad(name string, send []byte, code int, reason string, messages ...string) exchange {
	return exchange{
		name: name, send: join(send, text("late"), closeFrame(3000, "late")), messages: messages,
		frames: []string{"\x08" + string(closeBody(code, reason))}, closed: closing{code, reason},
	}
}

func limited(l Limits, x exchange) exchange {
	x.limits = l
	return x
}

func messageExchanges() []exchange {
	long := strings.Repeat("0123456789", 7000)
	pinged := good("ping between fragments", join(fragment(opText, "a"), control(opPing, "p"), fragment(opContinuation, "b"),
		control(opPong, "unasked"), control(opPing, ""), control(opContinuation, "c")), "1abc")
	pinged.frames = []string{"\x0Ap", "\x0A", byeAnswer}
	bigPing := good("ping of 125 bytes", control(opPing, long[:125]))
	bigPing.frames = []string{"\x0A" + long[:125], byeAnswer}
	return []exchange{
		good("text", text("hello"), "1hello"),
		good("binary", control(opBinary, "\xFF\x00"), "2\xFF\x00"),
		good("empty text", text(""), "1"),
		good("empty binary", control(opBinary, ""), "2"),
		good("several", join(text("a"), text("b"), control(opBinary, "c")), "1a", "1b", "2c"),
		good("text of 125 bytes", text(long[:125]), "1"+long[:125]),
		good("text of 126 bytes", text(long[:126]), "1"+long[:126]),
		good("text of 65535 bytes", text(long[:65535]), "1"+long[:65535]),
		good("text of 65536 bytes", text(long[:65536]), "1"+long[:65536]),
		good("fragments", join(fragment(opText, "a"), fragment(opContinuation, "b"), control(opContinuation, "c")), "1abc"),
		good("empty fragments", join(fragment(opText, ""), fragment(opContinuation, ""), control(opContinuation, "")), "1"),
		good("binary fragments", join(fragment(opBinary, "a"), control(opContinuation, "\xFF")), "2a\xFF"),
		good("a character over fragments", join(fragment(opText, "\xF0\x9F"), fragment(opContinuation, "\x98"), control(opContinuation, "\x80")), "1😀"),
		good("pong", control(opPong, "unasked")),
		good("binary where it is allowed is not text", control(opBinary, "\xC0\xAF"), "2\xC0\xAF"),
		pinged, bigPing,
	}
}

func violationExchanges() []exchange {
	const protocol = CloseProtocolError
	cases := []exchange{
		bad("not masked", []byte{finBit | opText, 2, 'h', 'i'}, protocol, "Frame is not masked"),
		bad("empty and not masked", []byte{finBit | opText, 0}, protocol, "Frame is not masked"),
		bad("fragmented ping", fragment(opPing, "p"), protocol, "Fragmented control frame"),
		bad("fragmented pong", fragment(opPong, "p"), protocol, "Fragmented control frame"),
		bad("fragmented close", fragment(opClose, ""), protocol, "Fragmented control frame"),
		bad("ping of 126 bytes", control(opPing, strings.Repeat("p", 126)), protocol, "Control frame too long"),
		bad("ping with a long length", head(finBit|opPing, 127), protocol, "Control frame too long"),
		bad("close of 126 bytes", closeFrame(1000, strings.Repeat("r", 124)), protocol, "Control frame too long"),
		bad("continuation of nothing", control(opContinuation, "a"), protocol, "Continuation of no message"),
		bad("first fragment a continuation", fragment(opContinuation, "a"), protocol, "Continuation of no message"),
		bad("continuation after the end", join(fragment(opText, "a"), control(opContinuation, "b"), control(opContinuation, "c")),
			protocol, "Continuation of no message", "1ab"),
		bad("text inside fragments", join(fragment(opText, "a"), text("b")), protocol, "New message inside a fragmented one"),
		bad("fragment of another message", join(fragment(opText, "a"), fragment(opBinary, "b")), protocol, "New message inside a fragmented one"),
		bad("length not minimal in 2 bytes", join(head(finBit|opText, 126, 0, 125), make([]byte, 125)), protocol, "Frame length is not minimal"),
		bad("length not minimal in 8 bytes", head(finBit|opText, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF), protocol, "Frame length is not minimal"),
		bad("length with the top bit", head(finBit|opText, 127, 0x80, 0, 0, 0, 0, 1, 0, 0), protocol, "Frame length out of range"),
		bad("after a good message", join(text("a"), control(0xB, "")), protocol, "Unknown opcode", "1a"),
	}
	for _, rsv := range []byte{0x40, 0x20, 0x10, 0x70} {
		for _, op := range []byte{opText, opBinary, opPing, opClose} {
			cases = append(cases, bad("reserved bit", control(rsv|op, ""), protocol, "Reserved bit set"))
		}
	}
	for _, op := range []byte{3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF} {
		cases = append(cases, bad("unknown opcode", control(op, "x"), protocol, "Unknown opcode"))
	}
	return cases
}

func limitExchanges() []exchange {
	frame, message := Limits{FrameBytes: 10}, Limits{MessageBytes: 10}
	tooBig := func(name, reason string, l Limits, send []byte, messages ...string) exchange {
		return limited(l, bad(name, send, CloseMessageTooBig, reason, messages...))
	}
	ten, eleven := strings.Repeat("x", 10), strings.Repeat("x", 11)
	return []exchange{
		limited(frame, good("frame at the limit", text(ten), "1"+ten)),
		tooBig("frame over the limit", "Frame too big", frame, text(eleven)),
		tooBig("frame of 2^62 bytes", "Frame too big", frame, head(finBit|opText, 127, 0x40, 0, 0, 0, 0, 0, 0, 0)),
		limited(frame, good("fragments over the frame limit together", join(fragment(opText, ten), control(opContinuation, ten)), "1"+ten+ten)),
		tooBig("continuation over the frame limit", "Frame too big", frame, join(fragment(opText, "a"), control(opContinuation, eleven))),
		limited(message, good("message at the limit", join(fragment(opText, ten[:4]), control(opContinuation, ten[4:])), "1"+ten)),
		tooBig("message over the limit", "Message too big", message, join(fragment(opText, ten), control(opContinuation, "x"))),
		tooBig("message over the limit in one frame", "Message too big", message, text(eleven)),
		limited(message, good("limit counts for each message", join(text(ten), text(ten)), "1"+ten, "1"+ten)),
		limited(Limits{FrameBytes: 1, MessageBytes: 1}, exchange{
			name: "control frames have no limit", send: join(control(opPing, ten), closeFrame(1000, ten)),
			frames: []string{"\x0A" + ten, "\x08" + string(closeBody(1000, ten))}, closed: closing{1000, ten},
		}),
		limited(Limits{NoBinary: true}, bad("binary refused", control(opBinary, "x"), CloseUnsupportedData, "Binary is not supported")),
		limited(Limits{NoBinary: true}, bad("binary fragment refused", fragment(opBinary, "x"), CloseUnsupportedData, "Binary is not supported")),
		limited(Limits{NoBinary: true}, good("text where binary is refused", text("x"), "1x")),
	}
}

func closeExchanges() []exchange {
	const invalid = "Invalid close code"
	cases := []exchange{
		{name: "close without status", send: join(control(opClose, ""), text("late")), frames: []string{"\x08"}, closed: closing{CloseNoStatus, ""}},
		bad("close of one byte", control(opClose, "\x03"), CloseProtocolError, "Close frame of one byte"),
		bad("close reason not UTF-8", closeFrame(1000, "\xC3("), CloseInvalidPayload, "Close reason is not UTF-8"),
		bad("close reason cut in a character", closeFrame(1000, "\xE2\x82"), CloseInvalidPayload, "Close reason is not UTF-8"),
	}
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		reason := strings.Repeat("é", code%62)
		cases = append(cases, exchange{
			name: "close", send: join(closeFrame(code, reason), text("late")),
			frames: []string{"\x08" + string(closeBody(code, reason))}, closed: closing{code, reason},
		})
	}
	for _, code := range []int{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		cases = append(cases, bad("close with a code not to be sent", closeFrame(code, "r"), CloseProtocolError, invalid))
	}
	return cases
}

func textExchanges() []exchange {
	var cases []exchange
	for _, s := range []string{
		"\x80", "\xBF", "\xC0\xAF", "\xC1\x81", "\xC3(", "\xE0\x80\xAF", "\xE0\x9F\xBF", "\xE2(\xA1", "\xE2\x82(", "\xED\xA0\x80", "\xED\xBF\xBF",
		"\xF0\x80\x80\xAF", "\xF0\x8F\xBF\xBF", "\xF0(\x8C\xBC", "\xF0\x90(\xBC", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF",
		"\xC3", "\xE2\x82", "\xF0\x9F\x98", // end in a character
	} {
		s = "κόσμε" + s
		for cut := range len(s) + 1 {
			send := join(fragment(opText, s[:cut]), control(opContinuation, s[cut:]))
			cases = append(cases, bad("text not UTF-8", send, CloseInvalidPayload, "Text is not UTF-8"))
		}
	}
	// The frame has more to come, but nothing can make it good.
	early := clientFrame(finBit|opText, "\xF4\x90\x80\x80 and so on")[:8]
	cases = append(cases, exchange{
		name: "text fails before its frame is whole", send: early,
		frames: []string{"\x08" + string(closeBody(CloseInvalidPayload, "Text is not UTF-8"))},
		closed: closing{CloseInvalidPayload, "Text is not UTF-8"},
	})
	for _, s := range []string{"κόσμε", "\u0000\u007F\u0080\u07FF\u0800\uFFFF", "\U00010000\U0010FFFF", "\uD7FF\uE000\uFFFD"} {
		for cut := range len(s) + 1 {
			cases = append(cases, good("text", join(fragment(opText, s[:cut]), control(opContinuation, s[cut:])), "1"+s))
		}
	}
	return cases
}

// run plays the exchange in writes of at most piece bytes.
func (x exchange) run(t *testing.T, e *Engine, piece int) {
	t.Helper()
	x.limits.InFlight = 1 // keeps the order
	r := &recorder{}
	p, _ := adopt(t, e, r, &x.limits)
	for rest := x.send; len(rest) > 0; {
		n := min(piece, len(rest))
		if _, err := p.Write(rest[:n]); err != nil {
			break // the server hung up before it was sent everything
		}
		rest = rest[n:]
	}
	p.Conn.(interface{ CloseWrite() error }).CloseWrite()
	var frames []string
	for range x.frames {
		op, payload := p.frame()
		frames = append(frames, string(op)+string(payload))
	}
	p.expectEnd()
	r.await(t, "Closed", func() bool { return len(r.closed) > 0 })
	r.awaitMessages(t, len(x.messages))
	r.mu.Lock()
	defer r.mu.Unlock()
	got := exchange{messages: r.messages, frames: frames}
	want := exchange{messages: x.messages, frames: x.frames}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(exchange{}, closing{})); diff != "" {
		t.Errorf("%s (%q) in pieces of %d: -want +got\n%s", x.name, x.send[:min(len(x.send), 100)], piece, diff)
	}
	if r.opened != 1 || len(r.closed) != 1 || r.closed[0] != x.closed {
		t.Errorf("%s (%q): opened %d times, closed %v, want once, %v", x.name, x.send[:min(len(x.send), 100)], r.opened, r.closed, x.closed)
	}
}

// TestProtocol plays RFC 6455's rules, each as a whole and byte by byte.
func TestProtocol(t *testing.T) {
	t.Parallel()
	for name, cases := range map[string][]exchange{
		"messages": messageExchanges(), "violations": violationExchanges(), "limits": limitExchanges(),
		"close": closeExchanges(), "text": textExchanges(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forDrivers(t, func(t *testing.T, driver Driver) {
				e := newEngine(t, Options{Driver: driver})
				for _, x := range cases {
					x.run(t, e, len(x.send))
					if len(x.send) < 1000 {
						x.run(t, e, 1)
					}
				}
			})
		})
	}
}
