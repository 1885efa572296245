//go:build linux

package load

import (
	"bytes"
	"testing"
)

// Frames are cut off what has come, in whatever pieces, and not before they are whole.
func TestCutFrame(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte("x"), 300)
	stream := append(frame([]byte("hello"), [4]byte{}, false), frame(long, [4]byte{}, false)...)
	stream = append(stream, 0x89, 0)
	var data []byte
	var got []*ServerFrame
	for _, b := range stream {
		data = append(data, b)
		f, rest, err := CutFrame(data)
		if err != nil {
			t.Fatal(err)
		}
		if f != nil {
			got = append(got, f)
			data = bytes.Clone(rest)
		}
	}
	if len(got) != 3 || string(got[0].Payload) != "hello" || !bytes.Equal(got[1].Payload, long) || got[2].Opcode != Ping || len(data) > 0 {
		t.Errorf("%d frames, and %d bytes are left", len(got), len(data))
	}
	for _, bad := range [][]byte{{0x01, 0}, {0x81, 127}, {0x81, 0x85}} {
		if _, _, err := CutFrame(bad); err == nil {
			t.Errorf("% x is taken", bad)
		}
	}
	if f := ClientFrame(Pong, []byte{1}); !bytes.Equal(f, []byte{0x8a, 0x81, 1, 2, 3, 4, 0}) {
		t.Errorf("% x", f)
	}
}
