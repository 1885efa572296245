package logsink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/stagedoor/stagedoor/internal/descriptors"
)

// Syslog says where a syslog daemon is, and what lines are to say of themselves. The zero
// Syslog is none.
type Syslog struct {
	Daemon
	Facility Facility
	App      string // the APP-NAME of RFC 5424
}

// Daemon is the address of a syslog daemon.
type Daemon struct {
	Network string // "unix", "udp" or "tcp"
	Address string // a path, or host:port
}

// String is the address as ParseDaemon reads it.
func (d Daemon) String() string { return d.Network + "://" + d.Address }

// FillIn fills in what is not set: the daemon of this machine, local0, stagedoor.
func (s *Syslog) FillIn() {
	if s.Network == "" {
		s.Daemon = Daemon{"unix", "/dev/log"}
	}
	s.Facility = cmp.Or(s.Facility, 16)
	s.App = cmp.Or(s.App, "stagedoor")
}

// ParseDaemon reads an address: unix:///dev/log, udp://host:514 or tcp://host:514. The port
// may be left out.
func ParseDaemon(text string) (Daemon, error) {
	mistake := fmt.Errorf("%q is not the address of a syslog daemon, such as unix:///dev/log, udp://logs.example:514 or tcp://logs.example:514", text)
	network, address, found := strings.Cut(text, "://")
	switch {
	case !found || address == "":
		return Daemon{}, mistake
	case network == "unix":
		return Daemon{network, address}, nil
	case network != "udp" && network != "tcp" || strings.ContainsAny(address, "/@?#"):
		return Daemon{}, mistake
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = strings.Trim(address, "[]"), "514"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || host == "" {
		return Daemon{}, mistake
	}
	return Daemon{network, net.JoinHostPort(host, port)}, nil
}

// Facility is one of RFC 5424, section 6.2.1. The zero value stands for none.
type Facility int

// facilities are the names of syslog(3), by their numbers.
var facilities = strings.Fields("kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock " +
	"local0 local1 local2 local3 local4 local5 local6 local7")

// Facilities are the facilities by their names, but for kern, the kernel's own.
func Facilities() map[string]Facility {
	all := make(map[string]Facility, len(facilities))
	for number, name := range facilities {
		if number > 0 {
			all[name] = Facility(number)
		}
	}
	return all
}

const (
	informational = 6      // the severity of all lines
	largestPacket = 65_000 // bytes of a datagram; what is more is cut
	syslogTimeout = 10 * time.Second
)

// syslog is an output to a syslog daemon, in the form of RFC 5424: a datagram for each line,
// or by TCP and stream sockets with their lengths in front (RFC 6587).
type syslog struct {
	Syslog
	kind   string // the MSGID: access or execution
	host   string // "-" where it is not known
	conn   net.Conn
	packet bool
	gone   <-chan struct{} // closed when the other side has closed a stream
}

func newSyslog(s Syslog, kind string) *syslog {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "-"
	}
	return &syslog{Syslog: s, kind: kind, host: host}
}

// send implements output.
func (s *syslog) send(ctx context.Context, text []byte) ([]byte, error) {
	if err := s.connect(ctx); err != nil {
		return text, err
	}
	stop := context.AfterFunc(ctx, s.abort(s.conn))
	defer stop()
	_ = s.conn.SetWriteDeadline(time.Now().Add(syslogTimeout)) // a connection that is closed says so when it is written to
	rest, err := s.write(text)
	if err != nil && asRefused(err) == nil {
		s.close()
	}
	return rest, err
}

func (s *syslog) abort(conn net.Conn) func() { return func() { _ = conn.Close() } }

func (s *syslog) write(text []byte) ([]byte, error) {
	if s.packet {
		return s.writePackets(text)
	}
	return s.writeStream(text)
}

// writePackets sends a datagram for each line.
func (s *syslog) writePackets(text []byte) ([]byte, error) {
	var message []byte
	for e := range entries(text) {
		message = s.append(message[:0], e)
		_, err := s.conn.Write(message[:min(len(message), largestPacket)])
		if errors.Is(err, syscall.EMSGSIZE) {
			return text[len(e.raw):], &refused{1, fmt.Errorf("a line of %d bytes: %w", len(e.line), err)}
		}
		if err != nil {
			return text, err
		}
		text = text[len(e.raw):]
	}
	return nil, nil
}

// streamChunk is how many bytes of lines are written to a stream at a time.
const streamChunk = 64 << 10

// writeStream sends lines with their lengths. After a failure those that were not sent whole
// are sent anew, by another connection.
func (s *syslog) writeStream(text []byte) ([]byte, error) {
	var chunk, message []byte
	var ends, taken []int // where each message ends in the chunk, and each of their lines in text
	at := 0
	for e := range entries(text) {
		message = s.append(message[:0], e)
		chunk = append(strconv.AppendInt(chunk, int64(len(message)), 10), ' ')
		chunk = append(chunk, message...)
		at += len(e.raw)
		ends, taken = append(ends, len(chunk)), append(taken, at)
		if len(chunk) >= streamChunk {
			break
		}
	}
	n, err := s.conn.Write(chunk)
	sent := 0
	for i, end := range ends {
		if end <= n {
			sent = taken[i]
		}
	}
	return text[sent:], err
}

// append appends the message of a line.
func (s *syslog) append(to []byte, e entry) []byte {
	to = fmt.Appendf(to, "<%d>1 ", int(s.Facility)*8+informational)
	to = e.time.UTC().AppendFormat(to, "2006-01-02T15:04:05.000000Z")
	to = fmt.Appendf(to, " %s %s %d %s - ", s.host, s.App, os.Getpid(), s.kind)
	return append(to, e.line...)
}

// connect connects where there is no connection, or one that the other side has closed.
func (s *syslog) connect(ctx context.Context) error {
	if s.conn != nil {
		select {
		case <-s.gone:
			s.close()
		default:
			return nil
		}
	}
	networks := []string{s.Network}
	if s.Network == "unix" {
		networks = []string{"unixgram", "unix"}
	}
	var failure error
	for _, network := range networks {
		conn, err := descriptors.Dialer{Timeout: syslogTimeout}.DialContext(ctx, network, s.Address)
		if err != nil {
			failure = err
			continue
		}
		s.conn, s.packet, s.gone = conn, network == "unixgram" || network == "udp", nil
		if !s.packet {
			s.gone = watch(conn)
		}
		return nil
	}
	return failure
}

// watch returns a channel that is closed when the other side has closed a connection: what
// is written to it then would be lost without an error.
func watch(conn net.Conn) <-chan struct{} {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, conn) // it ends with the connection, whatever it is that ends it
	}()
	return gone
}

// close implements output.
func (s *syslog) close() {
	if s.conn == nil {
		return
	}
	_ = s.conn.Close()
	if s.gone != nil {
		<-s.gone
	}
	s.conn = nil
}
