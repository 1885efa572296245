package tlsrecord

import (
	"bytes"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"
)

var suites = []suite{
	suite(tls.TLS_AES_128_GCM_SHA256), suite(tls.TLS_AES_256_GCM_SHA384), suite(tls.TLS_CHACHA20_POLY1305_SHA256),
}

// pair returns two layers of which each opens what the other seals.
func pair(s suite) (server, client *Layer) {
	var up, down half
	for i := range up.secret {
		up.secret[i], down.secret[i] = byte(i), byte(100+i)
	}
	return &Layer{suite: s, in: up, out: down}, &Layer{suite: s, in: down, out: up}
}

// eachSuite runs a test with all cipher suites.
func eachSuite(t *testing.T, test func(t *testing.T, s suite)) {
	t.Parallel()
	for _, s := range suites {
		t.Run(tls.CipherSuiteName(uint16(s)), func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

func unhex(text string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// The keys are those of the handshake in RFC 8448, section 3.
func TestKeys(t *testing.T) {
	t.Parallel()
	s := suite(tls.TLS_AES_128_GCM_SHA256)
	for _, v := range []struct{ secret, key, iv string }{
		{"9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5", "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9"},
		{"a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643", "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984"},
	} {
		secret := unhex(v.secret)
		if got := hex.EncodeToString(s.expand(secret, "key", 16)); got != v.key {
			t.Errorf("key %s, want %s", got, v.key)
		}
		if k := s.derive(secret); hex.EncodeToString(k.iv[:]) != v.iv {
			t.Errorf("iv %x, want %s", k.iv, v.iv)
		}
	}
}

// Data of any size arrives as it was sent, whatever the buffer that it is appended to, and
// whether keys are kept or derived anew.
func TestData(t *testing.T) {
	eachSuite(t, func(t *testing.T, s suite) {
		server, client := pair(s)
		random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // sizes of a test
		for i := range 200 {
			size := []int{0, 1, random.IntN(300), maxPlaintext, maxPlaintext + 1, random.IntN(3 * maxPlaintext)}[i%6]
			data := bytes.Repeat([]byte{byte(i)}, size)
			before := []byte("before")
			sent := client.AppendData(append(make([]byte, 0, random.IntN(2*size+100)+6), before...), data)
			if !bytes.HasPrefix(sent, before) || len(sent) != len(before)+size+Overhead(size) {
				t.Fatalf("%d bytes became %d, want %d and %q first", size, len(sent), size+Overhead(size), before)
			}
			var got []byte
			for rest := sent[len(before):]; len(rest) > 0; {
				n, err := Size(rest)
				if err != nil || n > len(rest) {
					t.Fatal(n, err)
				}
				received, err := server.Open(rest[:n:n])
				if err != nil {
					t.Fatal(err)
				}
				got, rest = append(got, received.Data...), rest[n:]
			}
			if !bytes.Equal(got, data) {
				t.Fatalf("%d bytes arrived otherwise", size)
			}
			if i%3 == 0 {
				server.Rest()
				client.Rest()
			}
		}
	})
}

// A record of which any bit is another is refused, with the alert that says why.
func TestEveryBit(t *testing.T) {
	eachSuite(t, func(t *testing.T, s suite) {
		_, client := pair(s)
		sealed := client.AppendData(nil, []byte("a message"))
		for bit := range 8 * len(sealed) {
			server, _ := pair(s)
			record := bytes.Clone(sealed)
			record[bit/8] ^= 1 << (bit % 8)
			want := AlertBadRecordMAC
			switch bit / 8 {
			case 1, 2:
				want = AlertProtocolVersion
			case 3, 4:
				n, err := Size(record)
				if err != nil {
					if !errors.Is(err, AlertRecordOverflow) || n != 0 {
						t.Errorf("bit %d: %d, %v", bit, n, err)
					}
					continue
				}
				record = append(record, make([]byte, n)...)[:n] // what the header says
			}
			if got, err := server.Open(record); !errors.Is(err, want) || got.Data != nil {
				t.Errorf("bit %d: %q, %v; want %v", bit, got.Data, err, want)
			}
		}
	})
}

// Records out of order, twice, or from the other direction are refused.
func TestOrder(t *testing.T) {
	eachSuite(t, func(t *testing.T, s suite) {
		_, client := pair(s)
		first, second := client.AppendData(nil, []byte("first")), client.AppendData(nil, []byte("second"))
		refuse := func(name string, server *Layer, record []byte) {
			t.Helper()
			if _, err := server.Open(bytes.Clone(record)); !errors.Is(err, AlertBadRecordMAC) {
				t.Errorf("%s: %v", name, err)
			}
		}
		server, _ := pair(s)
		refuse("the second record first", server, second)
		server, _ = pair(s)
		if _, err := server.Open(bytes.Clone(first)); err != nil {
			t.Fatal(err)
		}
		refuse("a record twice", server, first)
		server, _ = pair(s)
		refuse("our own", server, server.AppendData(nil, []byte("own")))
	})
}

// script is what a peer sends: the types of its records and what they hold.
type script []struct {
	kind    byte
	content string
}

// outcome returns what a server makes of a script.
func (records script) outcome(t *testing.T, s suite) string {
	t.Helper()
	server, client := pair(s)
	var got strings.Builder
	for _, r := range records {
		received, err := server.Open(client.out.seal(s, nil, r.kind, []byte(r.content)))
		got.Write(received.Data)
		switch {
		case err != nil:
			fmt.Fprintf(&got, "!%v", err)
			return got.String()
		case received.Closed:
			return got.String() + "|"
		case received.UpdateRequested:
			got.WriteString("?")
		}
		if server.in.sequence == 0 { // it has changed to the next keys
			client.out.update(s)
		}
	}
	return got.String()
}

func TestRecords(t *testing.T) {
	const update, request = "\x18\x00\x00\x01\x00", "\x18\x00\x00\x01\x01"
	repeat := func(n int, kind byte, content string) (records script) {
		for range n {
			records = append(records, script{{kind, content}}...)
		}
		return records
	}
	tests := []struct {
		name    string
		records script
		want    string
	}{
		{"data", script{{23, "a"}, {23, "b"}}, "ab"},
		{"empty data", script{{23, ""}, {23, "b"}}, "b"},
		{"padding", script{{23, "a"}, {0, "b\x17\x00\x00"}, {23, "c"}}, "abc"},
		{"nothing but padding", script{{0, "\x00\x00"}}, "!tls: unexpected message"},
		{"closed", script{{23, "a"}, {21, "\x01\x00"}, {23, "b"}}, "a|"},
		{"closed, said to be fatal", script{{21, "\x02\x00"}}, "|"},
		{"an alert", script{{23, "a"}, {21, "\x02\x28"}}, "a!tls: the peer sent: alert 40"},
		{"a cancellation", script{{21, "\x01\x5a"}, {23, "a"}}, "a"},
		{"half an alert", script{{21, "\x01"}}, "!tls: unexpected message"},
		{"two alerts in one", script{{21, "\x01\x5a\x01\x00"}}, "!tls: unexpected message"},
		{"an update", script{{22, update}, {23, "a"}, {22, update}, {23, "b"}}, "ab"},
		{"an update that wants one", script{{22, request}, {23, "a"}}, "?a"},
		{"an update in pieces", script{{22, "\x18\x00"}, {22, "\x00"}, {22, "\x01\x01"}, {23, "a"}}, "?a"},
		{"an update in pieces, and data between", script{{22, "\x18\x00"}, {23, "a"}}, "!tls: unexpected message"},
		{"two updates in one", script{{22, update + update}}, "!tls: unexpected message"},
		{"an update and more", script{{22, update + "\x18"}}, "!tls: unexpected message"},
		{"an update of another size", script{{22, "\x18\x00\x00\x02\x00\x00"}}, "!tls: error decoding message"},
		{"an update that wants what is not known", script{{22, "\x18\x00\x00\x01\x02"}}, "!tls: illegal parameter"},
		{"a hello", script{{22, "\x01\x00\x00\x01\x00"}}, "!tls: unexpected message"},
		{"a ticket", script{{22, "\x04\x00\x00\x01\x00"}}, "!tls: unexpected message"},
		{"an empty handshake message", script{{22, ""}}, "!tls: unexpected message"},
		{"change cipher spec, encrypted", script{{20, "\x01"}}, "!tls: unexpected message"},
		{"another type", script{{99, "a"}}, "!tls: unexpected message"},
		{"16 empty ones", append(repeat(16, 23, ""), script{{23, "a"}}...), "a"},
		{"17 empty ones", append(repeat(17, 23, ""), script{{23, "a"}}...), "!tls: unexpected message"},
		{"17 updates", repeat(17, 22, update), "!tls: unexpected message"},
		{"the largest", script{{23, strings.Repeat("a", maxPlaintext)}}, strings.Repeat("a", maxPlaintext)},
		{"the largest, with padding", script{{0, strings.Repeat("a", maxPlaintext-1) + "\x17"}}, strings.Repeat("a", maxPlaintext-1)},
		{"too large", script{{23, strings.Repeat("a", maxPlaintext+1)}}, "!tls: record overflow"},
		{"too large by padding", script{{0, "a\x17" + strings.Repeat("\x00", maxPlaintext)}}, "!tls: record overflow"},
	}
	eachSuite(t, func(t *testing.T, s suite) {
		for _, test := range tests {
			if got := test.records.outcome(t, s); got != test.want {
				t.Errorf("%s: %.100q, want %.100q", test.name, got, test.want)
			}
		}
	})
}

// Records that are not protected, or said to be larger than they may be.
func TestPlainRecords(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		record string
		want   error
	}{
		{"\x14\x03\x03\x00\x01\x01", AlertUnexpectedMessage}, // change cipher spec, after the handshake
		{"\x15\x03\x03\x00\x02\x01\x00", AlertBadRecordMAC},
		{"\x16\x03\x03\x00\x05\x18\x00\x00\x01\x00", AlertBadRecordMAC},
		{"\x17\x03\x03\x00\x00", AlertBadRecordMAC},
		{"\x17\x03\x03\x00\x01a", AlertBadRecordMAC},
	} {
		server, _ := pair(suites[0])
		if _, err := server.Open([]byte(test.record)); !errors.Is(err, test.want) {
			t.Errorf("%q: %v, want %v", test.record, err, test.want)
		}
	}
	for begin, want := range map[string]string{
		"":                     "0 <nil>",
		"\x17\x03\x03\x00":     "0 <nil>",
		"\x17\x03\x03\x00\x05": "10 <nil>",
		"\x17\x03\x03\x41\x00": "16645 <nil>",
		"\x17\x03\x03\x41\x01": "0 tls: record overflow",
		"\x17\x03\x01\x00\x05": "0 tls: protocol version",
		"GET /":                "0 tls: protocol version",
	} {
		n, err := Size([]byte(begin))
		if got := fmt.Sprint(n, " ", err); got != want {
			t.Errorf("%q: %s, want %s", begin, got, want)
		}
	}
}

// Long before a key has protected as many records as it may, there is another.
func TestRekey(t *testing.T) {
	t.Parallel()
	server, client := pair(suites[0])
	client.out.sequence, server.in.sequence = rekeyAfter-1, rekeyAfter-1
	first := client.AppendData(nil, []byte("a"))
	second := client.AppendData(nil, []byte("b"))
	n, _ := Size(second)
	for i, record := range [][]byte{first, second[:n], second[n:]} {
		received, err := server.Open(record)
		if err != nil || string(received.Data) != []string{"a", "", "b"}[i] || received.UpdateRequested {
			t.Fatalf("record %d: %q, %v", i, received.Data, err)
		}
	}
	if client.out.sequence != 1 || server.in.sequence != 1 {
		t.Errorf("%d and %d records under the new keys", client.out.sequence, server.in.sequence)
	}
}

// An idle layer is small, and says nothing of its secrets.
func TestSizeAndText(t *testing.T) {
	t.Parallel()
	if size := unsafe.Sizeof(Layer{}); size > 160 {
		t.Errorf("%d bytes", size)
	}
	server, _ := pair(suites[0])
	for _, format := range []string{"%v", "%+v", "%#v", "%x", "%s", "%d"} {
		for _, value := range []any{server, *server, &Secrets{}} {
			if text := fmt.Sprintf(format, value); !strings.HasPrefix(text, "tlsrecord.") {
				t.Errorf("%s: %s", format, text)
			}
		}
	}
	server.Forget()
	if *server != (Layer{}) {
		t.Error("the secrets are still there")
	}
}

func BenchmarkLayer(b *testing.B) {
	for _, rests := range []bool{false, true} {
		b.Run(fmt.Sprintf("rests=%v", rests), func(b *testing.B) {
			b.ReportAllocs()
			server, client := pair(suites[0])
			data, buffer := make([]byte, 128), []byte(nil)
			for b.Loop() {
				buffer = client.AppendData(buffer[:0], data)
				if _, err := server.Open(buffer); err != nil {
					b.Fatal(err)
				}
				if rests {
					server.Rest()
				}
			}
		})
	}
}
