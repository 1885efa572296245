package autobahn

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Cases are all cases, in their order.
func Cases() []Case {
	return slices.Concat(framing(), pings(), reserved(), opcodes(), fragments(), text(), closings(), sizes())
}

// kinds are the two kinds of messages.
var kinds = []byte{opText, opBinary}

// echo is a case in which a message comes back.
func echo(id string, kind byte, payload []byte, sends ...send) Case {
	return Case{
		ID: id, Binary: kind == opBinary, Largest: len(payload),
		sends: sends, want: []frame{{kind, payload}},
	}
}

func whole(frames ...[]byte) send { return send{bytes: slices.Concat(frames...)} }

// each sends frames one by one.
func each(frames ...[]byte) (sends []send) {
	for _, f := range frames {
		sends = append(sends, send{bytes: f})
	}
	return sends
}

// octets sends frames an octet at a time.
func octets(frames ...[]byte) []send { return []send{{slices.Concat(frames...), 1}} }

// three are the ways in which many cases send the same: in one write, frame by
// frame, octet by octet.
func three(frames ...[]byte) [][]send {
	return [][]send{{whole(frames...)}, each(frames...), octets(frames...)}
}

// framing is section 1.
func framing() (cases []Case) {
	for k, kind := range kinds {
		for n, size := range []int{0, 125, 126, 127, 128, 65535, 65536, 65536} {
			payload := bytes.Repeat([]byte("*"), size)
			s := whole(bytesOf(fin|kind, payload))
			if n == 7 {
				s.piece = 997
			}
			cases = append(cases, echo(fmt.Sprintf("1.%d.%d", k+1, n+1), kind, payload, s))
		}
	}
	return cases
}

func ping(payload string) []byte { return bytesOf(fin|opPing, []byte(payload)) }

func pong(payload string) frame { return frame{opPong, []byte(payload)} }

// pings is section 2.
func pings() []Case {
	full := string(bytes.Repeat([]byte{0xfe}, 125))
	var ten []byte
	var answers []frame
	for n := range 10 {
		payload := fmt.Sprintf("payload-%d", n)
		ten, answers = append(ten, ping(payload)...), append(answers, pong(payload))
	}
	unasked := bytesOf(fin|opPong, []byte("unsolicited pong payload"))
	return []Case{
		{ID: "2.1", sends: each(ping("")), want: []frame{pong("")}},
		{ID: "2.2", sends: each(ping("Hello, world!")), want: []frame{pong("Hello, world!")}},
		{ID: "2.3", sends: each(ping("\x00\xff\xfe\xfd\xfc\xfb\x00\xff")), want: []frame{pong("\x00\xff\xfe\xfd\xfc\xfb\x00\xff")}},
		{ID: "2.4", sends: each(ping(full)), want: []frame{pong(full)}},
		{ID: "2.5", sends: each(ping(full + "\xfe")), closed: protocolError},
		{ID: "2.6", sends: octets(ping(full)), want: []frame{pong(full)}},
		{ID: "2.7", sends: each(bytesOf(fin|opPong, nil))},
		{ID: "2.8", sends: each(unasked)},
		{ID: "2.9", sends: each(unasked, ping("ping payload")), want: []frame{pong("ping payload")}},
		{ID: "2.10", sends: each(ten), want: answers},
		{ID: "2.11", sends: octets(ten), want: answers},
	}
}

const hello = "Hello, world!"

func helloFrame() []byte { return bytesOf(fin|opText, []byte(hello)) }

// violation is a case in which a frame ends the connection; what comes before it
// is echoed, and what comes behind it is not answered.
func violation(id string, sends []send, echoed ...string) Case {
	c := Case{ID: id, sends: sends, closed: protocolError}
	for _, text := range echoed {
		c.want = append(c.want, frame{opText, []byte(text)})
	}
	return c
}

// reserved is section 3: the reserved bits.
func reserved() []Case {
	bad := func(bits byte) []byte { return bytesOf(fin|bits<<4|opText, []byte(hello)) }
	second := three(helloFrame(), bad(2), ping(""))
	third := three(helloFrame(), bad(3), ping(""))
	fourth := three(helloFrame(), bad(4), ping(""))
	return []Case{
		violation("3.1", each(bad(1))),
		violation("3.2", second[0], hello),
		violation("3.3", third[1], hello),
		violation("3.4", fourth[2], hello),
		violation("3.5", each(bytesOf(fin|5<<4|opBinary, []byte("\x00\xff\xfe\xfd\xfc\xfb\x00\xff")))),
		violation("3.6", each(bytesOf(fin|6<<4|opPing, []byte(hello)))),
		violation("3.7", each(bytesOf(fin|7<<4|opClose, nil))),
	}
}

// opcodes is section 4: those that are not used.
func opcodes() (cases []Case) {
	for part, first := range []byte{3, 11} {
		id := func(n int) string { return fmt.Sprintf("4.%d.%d", part+1, n) }
		bad := func(n byte, payload string) []byte { return bytesOf(fin|(first+n-1), []byte(payload)) }
		cases = append(cases,
			violation(id(1), each(bad(1, ""))),
			violation(id(2), each(bad(2, "reserved opcode payload"))),
			violation(id(3), each(slices.Concat(helloFrame(), bad(3, ""), ping(""))), hello),
			violation(id(4), each(slices.Concat(helloFrame(), bad(4, "payload"), ping(""))), hello),
			violation(id(5), octets(helloFrame(), bad(5, "payload"), ping("")), hello),
		)
	}
	return cases
}

// fragments is section 5.
func fragments() (cases []Case) {
	first := func(text string) []byte { return bytesOf(opText, []byte(text)) }
	middle := func(text string) []byte { return bytesOf(opContinuation, []byte(text)) }
	last := func(text string) []byte { return bytesOf(fin|opContinuation, []byte(text)) }
	add := func(c Case) { cases = append(cases, c) }
	next := func() string { return fmt.Sprintf("5.%d", len(cases)+1) }
	add(violation(next(), each(bytesOf(opPing, []byte("fragment1")), last("fragment2"))))
	add(violation(next(), each(bytesOf(opPong, []byte("fragment1")), last("fragment2"))))
	both := []byte("fragment1fragment2")
	for _, sends := range three(first("fragment1"), last("fragment2")) {
		add(echo(next(), opText, both, sends...))
	}
	for _, sends := range three(first("fragment1"), ping("ping payload"), last("fragment2")) {
		c := echo(next(), opText, both, sends...)
		c.want = append([]frame{pong("ping payload")}, c.want...)
		add(c)
	}
	for _, start := range []func(string) []byte{last, middle} {
		for _, sends := range three(start("non-continuation payload"), helloFrame()) {
			add(violation(next(), sends))
		}
	}
	add(violation(next(), []send{whole(first("fragment1"), last("fragment2"), middle("fragment3"), bytesOf(fin|opText, []byte("fragment4")))}, string(both)))
	for _, start := range []func(string) []byte{middle, last} {
		var frames [][]byte
		for range 2 {
			frames = append(frames, start("fragment1"), first("fragment2"), last("fragment3"))
		}
		add(violation(next(), []send{whole(frames...)}))
	}
	add(violation(next(), []send{whole(first("fragment1"), bytesOf(fin|opText, []byte("fragment2")))}))
	parts := [][]byte{first("fragment1"), middle("fragment2"), ping("pongme 1!"), middle("fragment3"), middle("fragment4"), ping("pongme 2!"), last("fragment5")}
	for _, sends := range three(parts...)[1:] {
		c := echo(next(), opText, []byte("fragment1fragment2fragment3fragment4fragment5"), sends...)
		c.want = append([]frame{pong("pongme 1!"), pong("pongme 2!")}, c.want...)
		add(c)
	}
	return cases
}

// inFragments is a text message in fragments of a size.
func inFragments(kind byte, payload []byte, size int) (frames [][]byte) {
	op := kind
	for part := range slices.Chunk(payload, size) {
		frames = append(frames, bytesOf(op, part))
		op = opContinuation
	}
	frames[len(frames)-1][0] |= fin
	return frames
}

// closings is section 7.
func closings() []Case {
	code := func(id string, code int) Case { return Case{ID: id, sends: each(closing(code, "")), closed: code} }
	refused := func(id string, frame []byte) Case { return Case{ID: id, sends: each(frame), closed: protocolError} }
	large := bytes.Repeat([]byte("BAsd7&jh23"), 26<<10)
	cases := []Case{
		{ID: "7.1.1", sends: []send{whole(helloFrame(), closing(normal, ""))}, want: []frame{{opText, []byte(hello)}}, closed: normal},
		{ID: "7.1.2", sends: []send{whole(closing(normal, ""), closing(normal, ""))}, closed: normal},
		{ID: "7.1.3", sends: []send{whole(closing(normal, ""), ping(""))}, closed: normal},
		{ID: "7.1.4", sends: []send{whole(closing(normal, ""), helloFrame())}, closed: normal},
		{ID: "7.1.5", sends: []send{whole(bytesOf(opText, []byte("fragment1")), closing(normal, ""), bytesOf(fin|opContinuation, []byte("fragment2")))}, closed: normal},
		{
			ID: "7.1.6", Largest: len(large), closed: normal,
			sends: []send{whole(bytesOf(fin|opText, large), helloFrame(), closing(normal, ""), ping(""))},
			want:  []frame{{opText, large}, {opText, []byte(hello)}},
		},
		{ID: "7.3.1", sends: each(bytesOf(fin|opClose, nil)), closed: 1005},
		refused("7.3.2", bytesOf(fin|opClose, []byte("a"))),
		code("7.3.3", normal),
		{ID: "7.3.4", sends: each(closing(normal, hello)), closed: normal},
		{ID: "7.3.5", sends: each(closing(normal, string(bytes.Repeat([]byte("*"), 123)))), closed: normal},
		refused("7.3.6", closing(normal, string(bytes.Repeat([]byte("*"), 124)))),
		{ID: "7.5.1", sends: each(closing(normal, kosme+"\xed\xa0\x80edited")), closed: invalidPayload},
	}
	for n, c := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		cases = append(cases, code(fmt.Sprintf("7.7.%d", n+1), c))
	}
	for n, c := range []int{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999} {
		cases = append(cases, refused(fmt.Sprintf("7.9.%d", n+1), closing(c, "")))
	}
	return append(cases, refused("7.13.1", closing(5000, "")), refused("7.13.2", closing(65535, "")))
}

// sizes are sections 9 and 10: large messages, many pieces, many messages.
func sizes() (cases []Case) {
	const mega = 1 << 20
	add := func(id string, kind byte, size, rounds int, sends func(payload []byte) send) {
		cases = append(cases, Case{
			ID: id, Binary: kind == opBinary, Largest: size, rounds: rounds,
			build: func() Case {
				payload := bytes.Repeat([]byte("BAsd7&jh"), size/8)
				if kind == opBinary {
					payload = bytes.Repeat([]byte("\x00\xfe\x23\xfa\xf0\x0f\xff\x80"), size/8)
				}
				return echo(id, kind, payload, sends(payload))
			},
		})
	}
	for k, kind := range kinds {
		id := func(part, n int) string { return fmt.Sprintf("9.%d.%d", part+k, n+1) }
		asOne := func(payload []byte) send { return whole(bytesOf(fin|kind, payload)) }
		for n, size := range []int{64 << 10, 256 << 10, mega, 4 * mega, 8 * mega, 16 * mega} {
			add(id(1, n), kind, size, 1, asOne)
		}
		for n := range 9 {
			add(id(3, n), kind, 4*mega, 1, func(payload []byte) send { return whole(inFragments(kind, payload, 64<<(2*n))...) })
		}
		for n := range 6 {
			add(id(5, n), kind, mega, 1, func(payload []byte) send { return send{bytesOf(fin|kind, payload), 64 << n} })
		}
		for n, size := range []int{0, 16, 64, 256, 1024, 4096} {
			add(id(7, n), kind, size, 100, asOne) // 1000 in the suite, which measures their time
		}
	}
	slices.SortStableFunc(cases, func(a, b Case) int { return int(a.ID[2]) - int(b.ID[2]) })
	add("10.1.1", opText, 64<<10, 1, func(payload []byte) send { return whole(inFragments(opText, payload, 1300)...) })
	return cases
}

// text is section 6: UTF-8.
func text() (cases []Case) {
	good := func(id, payload string, frames ...[]byte) {
		cases = append(cases, echo(id, opText, []byte(payload), each(frames...)...))
	}
	bad := func(id string, sends ...send) {
		cases = append(cases, Case{ID: id, sends: sends, closed: invalidPayload})
	}
	one := func(payload string) []byte { return bytesOf(fin|opText, []byte(payload)) }
	empty := func(op byte) []byte { return bytesOf(op, nil) }
	good("6.1.1", "", one(""))
	good("6.1.2", "", empty(opText), empty(opContinuation), empty(fin|opContinuation))
	good("6.1.3", "middle frame payload", empty(opText), bytesOf(opContinuation, []byte("middle frame payload")), empty(fin|opContinuation))
	const long = "Hello-µ@ßöäüàá-UTF-8!!"
	good("6.2.1", long, one(long))
	at := len("Hello-µ@ßöä")
	good("6.2.2", long, bytesOf(opText, []byte(long[:at])), bytesOf(fin|opContinuation, []byte(long[at:])))
	good("6.2.3", long, inFragments(opText, []byte(long), 1)...)
	good("6.2.4", kosme, inFragments(opText, []byte(kosme), 1)...)
	const broken = kosme + "\xed\xa0\x80edited"
	bad("6.3.1", whole(one(broken)))
	bad("6.3.2", each(inFragments(opText, []byte(broken), 1)...)...)
	// The server closes as soon as it can know: what would make the message whole
	// is not sent.
	const tooHigh = "\xf4\x90\x80\x80"
	bad("6.4.1", each(bytesOf(opText, []byte(kosme)), bytesOf(opContinuation, []byte(tooHigh)))...)
	bad("6.4.2", each(bytesOf(opText, []byte(kosme+"\xf4")), bytesOf(opContinuation, []byte("\x90")))...)
	frame := one(kosme + tooHigh + "edited")
	head := 6 + len(kosme)
	bad("6.4.3", each(frame[:head], frame[head:head+4])...)
	bad("6.4.4", each(frame[:head+1], frame[head+1:head+2])...)
	for part, sequences := range utf8Sequences() {
		for n, sequence := range sequences {
			id := fmt.Sprintf("6.%d.%d", part+5, n+1)
			if utf8.ValidString(sequence) {
				good(id, sequence, one(sequence))
			} else {
				bad(id, whole(one(sequence)))
			}
		}
	}
	return cases
}
