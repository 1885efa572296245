package websocket

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// decodeAll feeds pieces to a decoder and tells what came out, one line each.
func decodeAll(pieces [][]byte, limits *Limits) (out []string) {
	d := new(decoder)
	for _, p := range pieces {
		for len(p) > 0 {
			n, ev, bad := d.decode(p, limits)
			if bad != nil {
				return append(out, fmt.Sprint(bad.code, " ", bad.reason))
			}
			p = p[n:]
			switch {
			case ev.message != nil:
				out = append(out, fmt.Sprintf("%d %q", ev.op, ev.message.data))
				ev.message.free()
			case ev.op != 0:
				out = append(out, fmt.Sprintf("%d %q", ev.op, ev.control))
			}
		}
	}
	if d.idle() {
		out = append(out, "idle")
	}
	return out
}

// TestDecoderSplits cuts every exchange of the protocol at every place.
func TestDecoderSplits(t *testing.T) {
	t.Parallel()
	var all []exchange
	for _, cases := range [][]exchange{messageExchanges(), violationExchanges(), limitExchanges(), closeExchanges()} {
		all = append(all, cases...)
	}
	for _, x := range all {
		whole := decodeAll([][]byte{x.send}, &x.limits)
		step := 1 + len(x.send)/100
		for cut := 0; cut <= len(x.send); cut += step {
			if diff := cmp.Diff(whole, decodeAll([][]byte{x.send[:cut], x.send[cut:]}, &x.limits)); diff != "" {
				t.Fatalf("%s cut at %d: -whole +cut\n%s", x.name, cut, diff)
			}
		}
	}
}

func TestUnmask(t *testing.T) {
	t.Parallel()
	key := [4]byte{1, 2, 3, 4}
	for size := range 40 {
		for offset := range uint64(9) {
			p := make([]byte, size)
			for i := range p {
				p[i] = byte(i)
			}
			unmask(p, key, offset)
			for i := range p {
				if want := byte(i) ^ key[(offset+uint64(i))%4]; p[i] != want {
					t.Fatalf("size %d, offset %d: byte %d is %d, want %d", size, offset, i, p[i], want)
				}
			}
		}
	}
}

func TestBufferClasses(t *testing.T) {
	t.Parallel()
	for limit := smallestBuffer; limit <= smallestBuffer<<(2*bufferClasses); limit *= 2 {
		for size := limit - 2; size <= limit+2; size++ {
			b := newBuffer(size)
			if cap(b.data) < size || cap(b.data) > 4*size || len(b.data) != 0 {
				t.Errorf("buffer for %d bytes has %d of %d", size, len(b.data), cap(b.data))
			}
			b.free()
		}
	}
}

// TestQueueKeepsOrder writes frames of all sizes through a queue that drains
// in odd steps.
func TestQueueKeepsOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var q queue
	var want, got bytes.Buffer
	for range 2000 {
		payload := bytes.Repeat([]byte{byte(random.Int())}, random.IntN(9000)>>random.IntN(12))
		q.frame(opBinary, payload)
		want.Write(appendHeader(nil, opBinary, len(payload)))
		want.Write(payload)
		for random.IntN(3) > 0 && q.head != nil {
			p := q.next()
			p = p[:1+random.IntN(len(p))]
			got.Write(p)
			q.advance(len(p))
		}
		if random.IntN(10) == 0 && q.head != nil {
			q.fit()
		}
		held := uint32(0)
		for b := q.head; b != nil; b = b.next {
			held += uint32(cap(b.data))
		}
		if q.held != held {
			t.Fatalf("queue counts %d bytes, want %d", q.held, held)
		}
	}
	for q.head != nil {
		p := q.next()
		got.Write(p)
		q.advance(len(p))
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Error("what came out differs from what went in")
	}
}
