package logsink

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// daemon is a syslog daemon that keeps the messages that it gets.
type daemon struct {
	t  *testing.T
	at Daemon

	mu       sync.Mutex // guards what follows
	messages []string
	conns    []io.Closer
	reading  sync.WaitGroup
}

// listen starts a daemon, which is stopped with the test.
func listen(t *testing.T, network, address string) *daemon {
	t.Helper()
	d := &daemon{t: t}
	t.Cleanup(d.stop)
	switch network {
	case "udp", "unixgram":
		conn, err := net.ListenPacket(network, address)
		if err != nil {
			t.Fatal(err)
		}
		d.at = Daemon{strings.TrimSuffix(network, "gram"), conn.LocalAddr().String()}
		d.conns = append(d.conns, conn)
		d.reading.Go(func() { d.readPackets(conn) })
	default:
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		d.at = Daemon{network, l.Addr().String()}
		d.conns = append(d.conns, l)
		d.reading.Go(func() { d.accept(l) })
	}
	return d
}

func (d *daemon) stop() {
	d.mu.Lock()
	for _, conn := range d.conns {
		_ = conn.Close()
	}
	d.conns = nil
	d.mu.Unlock()
	d.reading.Wait()
}

func (d *daemon) readPackets(conn net.PacketConn) {
	packet := make([]byte, 1<<17)
	for {
		n, _, err := conn.ReadFrom(packet)
		if err != nil {
			return
		}
		d.keep(string(packet[:n]))
	}
}

func (d *daemon) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		d.mu.Lock()
		d.conns = append(d.conns, conn)
		d.mu.Unlock()
		d.reading.Go(func() { d.readStream(conn) })
	}
}

// readStream reads messages with their lengths (RFC 6587).
func (d *daemon) readStream(conn io.Reader) {
	in := bufio.NewReader(conn)
	for {
		length, err := in.ReadString(' ')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(length, " "))
		if err != nil {
			d.t.Errorf("the length %q", length)
			return
		}
		message := make([]byte, n)
		if _, err := io.ReadFull(in, message); err != nil {
			return
		}
		d.keep(string(message))
	}
}

func (d *daemon) keep(message string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.messages = append(d.messages, message)
}

// has waits for a number of messages, and returns them.
func (d *daemon) has(n int) (all []string) {
	d.t.Helper()
	eventually(d.t, func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		if all = d.messages; len(all) < n {
			return fmt.Errorf("%d messages, not %d: %.200q", len(all), n, all)
		}
		return nil
	})
	return all
}

// address is one for a daemon of a network.
func address(t *testing.T, network string) string {
	if strings.HasPrefix(network, "unix") {
		return filepath.Join(t.TempDir(), "log")
	}
	return "127.0.0.1:0"
}

// networks are those that a daemon may be at.
var networks = []string{"udp", "tcp", "unixgram", "unix"}

// header is that of RFC 5424, for facility local3 and severity info.
var header = regexp.MustCompile(`^<158>1 2026-11-30T12:00:00\.123456Z (\S+) chat (\d+) (access|execution) - (.*)$`)

// A message is in the form of RFC 5424, whatever it is sent by.
func TestSyslog(t *testing.T) {
	t.Parallel()
	for _, network := range networks {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			d := listen(t, network, address(t, network))
			place := Place{Syslog: Syslog{d.at, Facilities()["local3"], "chat"}}
			l := open(t, Options{Access: everything(place), Execution: place})
			host, err := os.Hostname()
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range []struct{ kind, line string }{{"access", `{"first": 1}`}, {"execution", "(r1) second"}} {
				sink := l.Access(chatARN)
				if want.kind == "execution" {
					sink = l.Execution("a1", "prod")
				}
				write(sink, want.line)
				got := header.FindStringSubmatch(d.has(i + 1)[i])
				if got == nil || got[1] != host || got[2] != strconv.Itoa(os.Getpid()) || got[3] != want.kind || got[4] != want.line {
					t.Errorf("message %q: %q", d.has(i + 1)[i], got)
				}
			}
			const many = 1000
			for i := range many {
				write(l.Access(chatARN), fmt.Sprint("line ", i))
			}
			l.Close()
			if network == "udp" {
				return // which may lose some
			}
			for i, message := range d.has(2 + many)[2:] {
				if !strings.HasSuffix(message, fmt.Sprintf(" line %d", i)) {
					t.Fatalf("message %d is %q", i, message)
				}
			}
		})
	}
}

// A daemon that goes away is told once; the lines wait for it.
func TestSyslogGoesAway(t *testing.T) {
	t.Parallel()
	for _, network := range networks {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			d := listen(t, network, address(t, network))
			place := Place{Syslog: Syslog{d.at, 16, "stagedoor"}}
			l := open(t, Options{Access: everything(place)})
			sink := l.Access(chatARN)
			write(sink, "first")
			d.has(1)
			d.stop()
			if d.at.Network == "unix" {
				_ = os.Remove(d.at.Address)
			}
			for l.told("log lines cannot be written") == 0 { // datagrams may be lost before that
				write(sink, "while it is gone")
				eventually(t, func() error {
					if used := l.sinks[place.name()].budget.used.Load(); used > 0 && l.told("cannot be written") == 0 {
						return fmt.Errorf("%d bytes wait", used)
					}
					return nil
				})
			}
			write(sink, "last")
			again := listen(t, network, d.at.Address)
			eventually(t, func() error {
				all := again.has(1)
				if !strings.HasSuffix(all[len(all)-1], "last") {
					return fmt.Errorf("%q", all)
				}
				return nil
			})
			eventually(t, func() error {
				if l.told("written again") != 1 || l.told("cannot be written") != 1 || l.dropped(place.name()) != 0 {
					return fmt.Errorf("the log has\n%s", l.own)
				}
				return nil
			})
		})
	}
}

// A stream whose other side closes it loses no line that is written after that.
func TestSyslogStreamIsClosed(t *testing.T) {
	t.Parallel()
	d := listen(t, "tcp", "127.0.0.1:0")
	l := open(t, Options{Access: everything(Place{Syslog: Syslog{d.at, 16, "stagedoor"}})})
	sink := l.Access(chatARN)
	write(sink, "first")
	d.has(1)
	d.mu.Lock()
	for _, conn := range d.conns[1:] {
		_ = conn.Close()
	}
	d.mu.Unlock()
	s := sink.(*queue).out.(*syslog)
	<-s.gone // it was seen
	write(sink, "second")
	if got := d.has(2)[1]; !strings.HasSuffix(got, "second") {
		t.Errorf("%q", got)
	}
}

// A line that is too long for a datagram is cut.
func TestSyslogLongLine(t *testing.T) {
	t.Parallel()
	d := listen(t, "udp", "127.0.0.1:0")
	l := open(t, Options{Access: everything(Place{Syslog: Syslog{d.at, 16, "stagedoor"}})})
	write(l.Access(chatARN), strings.Repeat("x", 1<<20))
	if got := d.has(1)[0]; len(got) != largestPacket {
		t.Errorf("%d bytes", len(got))
	}
}

func TestParseDaemon(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"unix:///dev/log": "unix:///dev/log", "udp://logs.example": "udp://logs.example:514", "tcp://logs.example:601": "tcp://logs.example:601",
		"udp://[::1]": "udp://[::1]:514", "udp://[::1]:5140": "udp://[::1]:5140",
		"/dev/log": "", "http://x": "", "udp://": "", "udp://x:0": "", "udp://x:syslog": "", "udp://x:70000": "", "tcp://x/y": "", "tcp://:514": "", "": "",
	} {
		got, err := ParseDaemon(text)
		if (err == nil) != (want != "") || err == nil && got.String() != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
}

func FuzzParseDaemon(f *testing.F) {
	f.Add("unix:///dev/log")
	f.Add("udp://[::1]:514")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDaemon(text)
		if err != nil {
			return
		}
		if again, err := ParseDaemon(d.String()); err != nil || again != d {
			t.Errorf("%q is %v, and that is %v, %v", text, d, again, err)
		}
	})
}
