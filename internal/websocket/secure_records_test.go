package websocket

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"net"
	"strings"
	"testing"
	"time"
)

// recordWriter writes records of TLS 1.3 of any type and size, once the handshake that crypto/tls has made is over.
type recordWriter struct {
	t      testing.TB
	socket net.Conn
	secret []byte
	hash   func() hash.Hash
	size   int // of the key
	aead   cipher.AEAD
	iv     []byte
	number uint64
}

// Types of records, and of messages of the handshake (RFC 8446, sections 5.1 and 4).
const (
	recordAlert     = 21
	recordHandshake = 22
	recordData      = 23
	messageUpdate   = 24
)

// update is a KeyUpdate; where it asks for one the other side has to answer with its own.
func update(asks bool) []byte {
	if asks {
		return []byte{messageUpdate, 0, 0, 1, 1}
	}
	return []byte{messageUpdate, 0, 0, 1, 0}
}

// adoptRecords makes a connection on the event loop to whose peer records are written by hand.
func adoptRecords(t *testing.T, e *Engine, s Socket) (*peer, *recordWriter) {
	t.Helper()
	near, far := socketPair(t)
	var keys bytes.Buffer
	client, server := handshake(t, near, below(e.options.Driver, far), &tls.Config{InsecureSkipVerify: true, KeyLogWriter: &keys})
	near.SetDeadline(time.Now().Add(patience))
	far.SetWriteBuffer(4096) // what isn't read waits in the queue soon; with as small a buffer at its peer TCP stalls both ways
	w := &recordWriter{t: t, socket: near}
	switch client.ConnectionState().CipherSuite {
	case tls.TLS_AES_128_GCM_SHA256:
		w.hash, w.size = sha256.New, 16
	default:
		t.Skip("this machine has no AES instructions: crypto/tls prefers a cipher that the standard library doesn't export")
	}
	for line := range strings.Lines(keys.String()) {
		if fields := strings.Fields(line); fields[0] == "CLIENT_TRAFFIC_SECRET_0" {
			w.secret, _ = hex.DecodeString(fields[2])
		}
	}
	w.derive()
	if e.options.Driver == driverCompact {
		w.number = 1 // handshake has sent one
	}
	c, err := e.Adopt(server, s)
	if err != nil {
		t.Fatal(err)
	}
	return &peer{t, client, c}, w
}

// expand is HKDF-Expand-Label (RFC 8446, section 7.1).
func (w *recordWriter) expand(label string, size int) []byte {
	label = "tls13 " + label
	info := binary.BigEndian.AppendUint16(nil, uint16(size))
	info = append(append(info, byte(len(label))), label...)
	key, err := hkdf.Expand(w.hash, w.secret, string(append(info, 0)), size)
	if err != nil {
		w.t.Fatal(err)
	}
	return key
}

func (w *recordWriter) derive() {
	block, err := aes.NewCipher(w.expand("key", w.size))
	if err == nil {
		w.aead, err = cipher.NewGCM(block)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.iv, w.number = w.expand("iv", 12), 0
}

// next has further records be written under the next keys.
func (w *recordWriter) next() {
	w.secret = w.expand("traffic upd", len(w.secret))
	w.derive()
}

// record is one of a type, padded.
func (w *recordWriter) record(kind byte, content []byte, padding int) []byte {
	plain := append(append(bytes.Clone(content), kind), make([]byte, padding)...)
	head := binary.BigEndian.AppendUint16([]byte{recordData, 3, 3}, uint16(len(plain)+w.aead.Overhead()))
	nonce := bytes.Clone(w.iv)
	for i, b := range binary.BigEndian.AppendUint64(nil, w.number) {
		nonce[4+i] ^= b
	}
	w.number++
	return w.aead.Seal(head, nonce, plain, head)
}

// send writes records. That it fails is seen by what is read: a peer that has refused a record takes no more.
func (w *recordWriter) send(records ...[]byte) {
	w.t.Helper()
	if _, err := w.socket.Write(bytes.Join(records, nil)); err != nil {
		w.t.Logf("write: %v", err)
	}
}

// Records of every kind that may come after the handshake are taken, in any pieces; keys are updated when the client does
// so, and ours when it asks for that.
func TestSecureRecords(t *testing.T) {
	t.Parallel()
	forLayers(t, testSecureRecords)
}

func testSecureRecords(t *testing.T, driver Driver) {
	e := newEngine(t, Options{Driver: driver})
	p, w := adoptRecords(t, e, Socket{Handler: &recorder{answer: echo}})
	talk := func(n int) {
		t.Helper()
		message := fmt.Sprint("message ", n)
		frame := text(message)
		w.send(w.record(recordData, frame[:3], 0), w.record(recordData, nil, 10), w.record(recordData, frame[3:], 1000))
		p.expect(opText, []byte(message))
	}
	talk(0)
	w.send(w.record(recordHandshake, update(false), 0))
	w.next()
	talk(1)
	for n := range 40 { // more than crypto/tls takes of them in a row
		first, second, _ := bytes.Cut(update(true), []byte{0})
		w.send(w.record(recordHandshake, first, 0))
		w.send(w.record(recordHandshake, append([]byte{0}, second...), 0))
		w.next()
		talk(2 + n) // which is answered under new keys
	}
	byteByByte := dribble{w.socket}
	frame := text("slowly")
	if _, err := byteByByte.Write(w.record(recordData, frame, 300)); err != nil {
		t.Fatal(err)
	}
	p.expect(opText, []byte("slowly"))
	w.send(w.record(recordAlert, []byte{1, 0}, 0)) // close_notify
	p.expectEnd()
}

// Changes of single bits in records, and records that are out of order, repeated or missing, are refused with the alert that
// RFC 8446 wants.
func TestSecureRecordsThatAreRefused(t *testing.T) {
	t.Parallel()
	forLayers(t, testSecureRecordsThatAreRefused)
}

func testSecureRecordsThatAreRefused(t *testing.T, driver Driver) {
	flip := func(n int) func(w *recordWriter) {
		return func(w *recordWriter) {
			record := w.record(recordData, text("flipped!"), 0)
			record[n] ^= 1
			w.send(record)
		}
	}
	for name, test := range map[string]struct {
		send  func(w *recordWriter)
		alert string
	}{
		"a bit of the type":    {flip(0), "bad record MAC"},
		"a bit of the version": {flip(2), "protocol version"},
		"a bit of the length":  {flip(4), "bad record MAC"}, // it ends a byte too early
		"a bit of the content": {flip(7), "bad record MAC"},
		"a bit of the tag":     {flip(20), "bad record MAC"},
		"one that is missing":  {func(w *recordWriter) { w.number++; w.send(w.record(recordData, text("later"), 0)) }, "bad record MAC"},
		"one of no type":       {func(w *recordWriter) { w.send(w.record(0, nil, 20)) }, "unexpected message"},
		"one of a new type":    {func(w *recordWriter) { w.send(w.record(99, []byte("?"), 0)) }, "unexpected message"},
		"old keys": {func(w *recordWriter) {
			w.send(w.record(recordHandshake, update(false), 0), w.record(recordData, text("old"), 0))
		}, "bad record MAC"},
		"a key update too long": {func(w *recordWriter) { w.send(w.record(recordHandshake, []byte{messageUpdate, 0, 0, 2, 0, 0}, 0)) }, "error decoding message"},
		"a large plaintext":     {func(w *recordWriter) { w.send(w.record(recordData, make([]byte, maxRecord), 200)) }, "record overflow"},
		"a second hello":        {func(w *recordWriter) { w.send(w.record(recordHandshake, []byte{1, 0, 0, 0}, 0)) }, ""},
		"data in a message": {func(w *recordWriter) {
			w.send(w.record(recordHandshake, update(false)[:2], 0), w.record(recordData, text("within"), 0))
		}, "unexpected message"},
		"empty ones": {func(w *recordWriter) {
			for range 50 {
				w.send(w.record(recordData, nil, 0))
			}
		}, "unexpected message"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, Options{Driver: driver})
			r := &recorder{answer: echo}
			p, w := adoptRecords(t, e, Socket{Handler: r})
			w.send(w.record(recordData, text("before"), 0))
			p.expect(opText, []byte("before"))
			test.send(w)
			if n, err := p.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), test.alert) {
				t.Errorf("the client reads %d bytes and %v, want the alert %q", n, err, test.alert)
			}
			r.awaitClosed(t, CloseAbnormal, "")
			if got := r.awaitMessages(t, 1); len(got) != 1 {
				t.Errorf("messages %q, want none behind the first", got)
			}
		})
	}
}

// A client that asks for answers by key updates and reads none is not answered without a bound: its connection ends.
func TestSecureUpdatesUnread(t *testing.T) {
	t.Parallel()
	forLayers(t, testSecureUpdatesUnread)
}

func testSecureUpdatesUnread(t *testing.T, driver Driver) {
	e := newEngine(t, Options{Driver: driver, Loops: 1, WriteTimeout: patience / 4})
	neighbour, _ := adopt(t, e, &recorder{answer: echo}, nil)
	r := &recorder{}
	const limit = 100 << 10
	p, w := adoptRecords(t, e, Socket{Handler: r, Limits: &Limits{QueueBytes: limit}})
	for n := 0; ; n++ {
		frame := text("")
		records := [][]byte{w.record(recordHandshake, update(true), 0)}
		w.next()
		records = append(records, w.record(recordData, frame, 0))
		if _, err := w.socket.Write(bytes.Join(records, nil)); err != nil {
			break
		}
		p.server.mu.Lock()
		held := p.server.out.held
		p.server.mu.Unlock()
		if held > 2*limit {
			t.Fatalf("%d bytes of answers are kept", held)
		}
		if n%1000 == 0 {
			neighbour.send(text("hello"))
			neighbour.expect(opText, []byte("hello"))
		}
	}
	r.await(t, "Closed", func() bool { return len(r.closed) == 1 })
}
