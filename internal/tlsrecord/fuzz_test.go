package tlsrecord

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
)

// step is one of a peer that follows no rules: a record with any type, padding and content,
// perhaps changed on its way, perhaps not encrypted.
type step struct {
	kind    byte
	content []byte
	padding int
	flip    int // which bit is another, counted from 1; 0: none
	plain   bool
}

// steps makes what a peer does of any bytes.
func steps(input []byte) (steps []step) {
	for len(input) >= 4 && len(steps) < 64 {
		how, kind, size, extra := input[0], input[1], int(input[2]), int(input[3])
		input = input[4:]
		size = min(size, len(input))
		s := step{kind: typeChangeCipherSpec + kind%5, content: input[:size]}
		input = input[size:]
		switch how % 16 {
		case 0:
			s.kind = kind
		case 1:
			s.padding = extra
		case 2:
			s.flip = 1 + extra
		case 3:
			s.plain = true
		case 4:
			s.content = append(s.content, make([]byte, 64*extra)...)
		case 5, 6:
			s.kind, s.content = typeHandshake, []byte{keyUpdateType, 0, 0, 1, kind % 2}
		default:
			s.kind = typeData
		}
		steps = append(steps, s)
	}
	return steps
}

// inside is the type that a record has once padding is taken off.
func (s *step) inside() byte {
	inner := bytes.TrimRight(append(bytes.Clone(s.content), s.kind), "\x00")
	if len(inner) == 0 {
		return 0
	}
	return inner[len(inner)-1]
}

// record is what a client sends.
func (s *step) record(from *half, with suite) []byte {
	if s.plain {
		return append([]byte{s.kind, 3, 3, byte(len(s.content) >> 8), byte(len(s.content))}, s.content...)
	}
	inner := append(append(append([]byte(nil), s.content...), s.kind), make([]byte, s.padding)...)
	last := len(inner) - 1
	record := from.seal(with, nil, inner[last], inner[:last]) // seal appends the type: here it is part of what is inside
	if s.flip > 0 {
		record[s.flip/8%len(record)] ^= 1 << (s.flip % 8)
	}
	return record
}

// ofLayer plays the steps to a Layer. It returns the data that came, the error, how many
// steps that took, and what was sent.
func ofLayer(server *Layer, client *half, plan []step) (data []byte, sent [][]byte, err error) {
	for _, s := range plan {
		record := s.record(client, server.suite)
		sent = append(sent, append([]byte(nil), record...))
		size, err := Size(record)
		if err != nil {
			return data, sent, err
		}
		if size > len(record) {
			return data, sent, io.ErrUnexpectedEOF // more is announced than ever comes
		}
		received, err := server.Open(record[:size:size])
		data = append(data, received.Data...)
		switch {
		case err != nil:
			return data, sent, err
		case received.Closed:
			return data, sent, io.EOF
		case size < len(record): // a flipped length: what follows is no record
			return data, sent, errEnough
		}
		if server.in.sequence == 0 {
			client.update(server.suite)
		}
	}
	return data, sent, io.EOF
}

var errEnough = errors.New("nothing more is compared")

// A Layer takes from a peer what crypto/tls takes, and refuses with the same alert what
// that refuses. There are three differences, where RFC 8446 is stricter: the Layer takes no
// change_cipher_spec after the handshake, it refuses a handshake message that it does not
// know without having all of it, and it has an alert of its own for a KeyUpdate with an
// unknown request.
func FuzzLayerAndStandardLibrary(f *testing.F) {
	f.Add([]byte("\x07\x00\x03\x00abc\x07\x00\x01\x00d"))
	f.Add([]byte("\x05\x00\x00\x00\x07\x00\x03\x00abc\x05\x01\x00\x00\x07\x00\x03\x00abc"))
	f.Add([]byte("\x01\x03\x03\x20abc\x02\x03\x03\x30abc"))
	f.Add([]byte("\x03\x01\x02\x00\x01\x00"))
	f.Add([]byte("\x01\x01\x02\x00\x01\x00\x07\x00\x01\x00a"))
	f.Add([]byte("\x04\x03\x03\xffabc"))
	f.Add([]byte("\x01\x02\x02\x00\x18\x00\x01\x02\x03\x00\x00\x01\x01\x07\x00\x01\x00a"))
	p := newPort()
	f.Fuzz(func(t *testing.T, input []byte) {
		plan := steps(input)
		s, client := p.pipe(t)
		// The client's keys are those of the server's tap; it has sent one record.
		s.tap.mu.Lock()
		up := s.tap.in.half
		layer := &Layer{suite: s.tap.suite, in: up, out: s.tap.out.half}
		s.tap.mu.Unlock()
		want, sent, wantErr := ofLayer(layer, &up, plan)

		go func() {
			for _, record := range sent {
				if _, err := client.Write(record); err != nil {
					break
				}
			}
			client.Close()
		}()
		got, err := io.ReadAll(s.tls)
		if err == nil {
			err = io.EOF
		}
		if errors.Is(wantErr, errEnough) || tolerated(plan[max(len(sent)-1, 0):], err, wantErr) {
			if !strings.HasPrefix(string(got), string(want)) {
				t.Fatalf("data %q, crypto/tls has %q", want, got)
			}
			return
		}
		if string(got) != string(want) || outcome(err) != outcome(wantErr) {
			t.Fatalf("%q and %v; crypto/tls: %q and %v", want, wantErr, got, err)
		}
	})
}

// tolerated reports whether the last step is one of the differences.
func tolerated(last []step, theirs, ours error) bool {
	if len(last) == 0 || ours == io.EOF {
		return false
	}
	switch last[0].inside() {
	case typeChangeCipherSpec:
		return true
	case typeHandshake:
		return theirs != nil
	}
	return last[0].flip > 0 && last[0].flip/8 == 0 // the type is another: change_cipher_spec, perhaps
}

// outcome is how a connection ended, in the same words for both.
func outcome(err error) string {
	text := err.Error()
	switch {
	case strings.Contains(text, "received record with version"):
		return AlertProtocolVersion.String()
	case strings.Contains(text, "oversized record"):
		return AlertRecordOverflow.String()
	case strings.HasPrefix(text, "remote error"), strings.HasPrefix(text, "tls: the peer sent"):
		return "told by the peer"
	case strings.Contains(text, "too many ignored records"), strings.Contains(text, "too many non-advancing records"):
		return AlertUnexpectedMessage.String()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return io.EOF.Error()
	}
	_, after, found := strings.Cut(text, "tls: ")
	if !found {
		return text
	}
	return after
}

// pipe is connect without sockets.
func (p *port) pipe(t *testing.T) (*server, net.Conn) {
	t.Helper()
	socket, other := net.Pipe()
	t.Cleanup(func() { socket.Close(); other.Close() })
	client := tls.Client(other, clientConfig())
	go func() {
		_, _ = io.WriteString(client, "hello\n")
		_, _ = io.Copy(io.Discard, other) // tickets, alerts and updates
	}()
	return p.serve(t, socket), other
}
