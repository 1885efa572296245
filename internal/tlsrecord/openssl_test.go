package tlsrecord

import (
	"bufio"
	"io"
	"net"
	"os/exec"
	"testing"
	"time"
)

// OpenSSL is another implementation than ours and Go's. With each cipher suite it exchanges
// data, changes its keys, wants us to change ours, and is told the end.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	for _, name := range []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			client := exec.CommandContext(t.Context(), openssl, "s_client", "-connect", listener.Addr().String(), "-tls1_3", "-ciphersuites", name, "-brief", "-no_ign_eof")
			input, output := pipes(t, client)
			said, err := client.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Start(); err != nil {
				t.Fatal(err)
			}
			defer client.Wait()
			socket, err := listener.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer socket.Close()
			if err := socket.SetDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			send := func(line string) {
				t.Helper()
				if _, err := io.WriteString(input, line+"\n"); err != nil {
					t.Fatal(err)
				}
			}
			send("hello")
			s := newPort().serve(t, socket)
			echo := s.take(t)
			updates := 0
			ended := make(chan error, 1)
			go func() {
				defer socket.Close()
				lines := bufio.NewReader(echo)
				for {
					before := echo.layer.in.secret
					line, err := lines.ReadString('\n')
					if echo.layer.in.secret != before {
						updates++
					}
					if err != nil {
						ended <- err
						return
					}
					if _, err := io.WriteString(echo, line); err != nil {
						ended <- err
						return
					}
				}
			}()
			answers, messages := bufio.NewScanner(output), bufio.NewScanner(said)
			expect := func(from *bufio.Scanner, line string) {
				t.Helper()
				for from.Scan() {
					if from.Text() == line {
						return
					}
				}
				t.Fatalf("no %q: %v", line, from.Err())
			}
			for _, command := range []string{"first", "k", "its keys changed", "K", "both changed"} {
				send(command)
				if len(command) == 1 { // a command of s_client: k changes its keys, K wants ours to be changed as well
					expect(messages, "KEYUPDATE")
				} else {
					expect(answers, command)
				}
			}
			send("Q")
			if err := <-ended; err != io.EOF {
				t.Errorf("it ended with %v", err)
			}
			if updates != 2 {
				t.Errorf("%d changes of keys", updates)
			}
		})
	}
}

// pipes returns the ends of a command's input and output.
func pipes(t *testing.T, c *exec.Cmd) (io.WriteCloser, io.Reader) {
	t.Helper()
	input, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	return input, output
}
