package websocket

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/outputtest"
)

// secureServer adopts what is accepted on a port, after the handshake of TLS and the first byte, without a handshake of HTTP.
func secureServer(t *testing.T, e *Engine, h Handler) (port string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	t.Cleanup(func() { listener.Close(); accepting.Wait() })
	accepting.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			config := &tls.Config{Certificates: []tls.Certificate{testCertificate()}}
			testSecrets.Config(config)
			server := tls.Server(below(e.options.Driver, conn.(*net.TCPConn)), config)
			first := make([]byte, 1)
			if _, err := io.ReadFull(server, first); err != nil {
				t.Errorf("handshake: %v", err)
				conn.Close()
				continue
			}
			if c, err := e.Adopt(server, Socket{Handler: h, Buffered: first}); err != nil || c.fd < 0 {
				t.Errorf("adopt: %v", err)
			}
		}
	})
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port
}

// output is what a program has written so far.
type output struct{ outputtest.Buffer }

// await waits until something has been written.
func (o *output) await(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(o.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %q in %.2000q", text, o)
		}
	}
}

// OpenSSL's client talks, also after it has updated its keys and asked for ours to be updated.
func TestOpenSSLClient(t *testing.T) {
	t.Parallel()
	forLayers(t, testOpenSSLClient)
}

func testOpenSSLClient(t *testing.T, driver Driver) {
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("OpenSSL is not installed")
	}
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			r := &recorder{answer: echo}
			port := secureServer(t, newEngine(t, Options{Driver: driver}), r)
			client := exec.CommandContext(t.Context(), program, "s_client", "-connect", "127.0.0.1:"+port, version)
			var said output
			client.Stdout, client.Stderr = &said, &said
			input, err := client.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- client.Wait() }()
			write := func(p []byte) {
				if _, err := input.Write(p); err != nil {
					t.Fatalf("%v; it says %.2000q", err, &said)
				}
			}
			for n, update := range []string{"k\n", "K\n", "K\n", ""} {
				message := fmt.Sprint("message ", n)
				write(text(message))
				said.await(t, message)
				if version == "-tls1_3" && update != "" {
					write([]byte(update))
					eventually(t, "a key update", func() bool { return strings.Count(said.String(), "KEYUPDATE") == n+1 })
				}
			}
			write(closeFrame(1000, ""))
			r.awaitClosed(t, 1000, "")
			if err := <-ended; err != nil {
				t.Errorf("%v; it says %.2000q", err, &said)
			}
		})
	}
}

// nodeClient has messages of several sizes sent back, in one connection, which it closes.
const nodeClient = `
const tls = require('tls')
const [port, version] = process.argv.slice(1)
const sizes = [5, 70000, 1 << 20, 5]
const frame = (first, payload) => {
  const head = Buffer.alloc(14)
  head[0] = first
  head[1] = 0x80 | 127
  if (payload.length < 126) { head[1] = 0x80 | payload.length; return Buffer.concat([head.subarray(0, 2), Buffer.alloc(4), payload]) }
  if (payload.length < 65536) { head[1] = 0x80 | 126; head.writeUInt16BE(payload.length, 2); return Buffer.concat([head.subarray(0, 4), Buffer.alloc(4), payload]) }
  head.writeBigUInt64BE(BigInt(payload.length), 2)
  return Buffer.concat([head, payload])
}
const socket = tls.connect({port, host: '127.0.0.1', rejectUnauthorized: false, minVersion: version, maxVersion: version})
let got = 0
const want = sizes.reduce((sum, n) => sum + n + (n < 126 ? 2 : n < 65536 ? 4 : 10), 0) + 4
socket.on('secureConnect', () => {
  for (const n of sizes) socket.write(frame(0x82, Buffer.alloc(n, 'x')))
  socket.end(frame(0x88, Buffer.from([3, 232])))
})
socket.on('data', data => { got += data.length })
socket.on('end', () => { console.log(got === want ? 'all came' : got + ' bytes came, not ' + want) })
socket.on('error', error => { console.log(String(error)) })
`

// Node.js talks, and shuts its side of TLS while it has much to read.
func TestNodeClient(t *testing.T) {
	t.Parallel()
	forLayers(t, testNodeClient)
}

func testNodeClient(t *testing.T, driver Driver) {
	program, err := exec.LookPath("node")
	if err != nil {
		t.Skip("Node.js is not installed")
	}
	for _, version := range []string{"TLSv1.2", "TLSv1.3"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			r := &recorder{answer: echo}
			port := secureServer(t, newEngine(t, Options{Driver: driver, AnswerTimeout: patience}), r)
			said, err := exec.CommandContext(t.Context(), program, "-e", nodeClient, port, version).CombinedOutput()
			var failed *exec.ExitError
			if err != nil && !errors.As(err, &failed) {
				t.Fatal(err)
			}
			if string(said) != "all came\n" {
				t.Errorf("Node.js says %q, %v", said, err)
			}
			r.awaitClosed(t, 1000, "")
		})
	}
}
