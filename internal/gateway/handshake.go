package gateway

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unique"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/connections"
	"github.com/stagedoor/stagedoor/internal/dualport"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/forwarded"
	"github.com/stagedoor/stagedoor/internal/identity"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// handshake is what a CONNECT event has beside others.
type handshake struct {
	request *http.Request
	writer  http.ResponseWriter // of the answer
	// protocol is the subprotocol of the answer, if $connect does not name one.
	protocol string
	// usageIdentifier is the API key that the authorizer gave.
	usageIdentifier string

	// What follows is for the record of a refusal.
	signer *identity.Identity  // nil: nobody who is known
	needed identity.Permission // of the signer
	keyID  string              // of the API key
}

// unavailable is the answer of a gateway that stops.
var unavailable = &apigw.Error{Status: http.StatusServiceUnavailable, Type: "ServiceUnavailableException", Message: "Service Unavailable"}

// handshake runs $connect, whose end is answer.
func (g *Gateway) handshake(w http.ResponseWriter, r *http.Request, t target) {
	if g.refusing.Load() {
		g.refuseOverloaded(w)
		return
	}
	if g.stopping.Load() || !g.running.TryRLock() {
		g.refuseUnavailable(w)
		return
	}
	defer g.running.RUnlock()

	// A client that gives up does not stop a function that has begun.
	g.connectEvent(w, r, t).run(nil)
}

// answer opens a connection whose $connect has ended, or refuses it.
func (g *Gateway) answer(p *pipeline) {
	w, r, c := p.handshake.writer, p.handshake.request, p.connection
	record := p.record(telemetry.EventConnect)
	if !p.accepted() {
		c.release()
		record.Refused = p.refused()
		status, body := p.refusal()
		p.replied(status, body)
		p.tell(record)
		p.refuse(w, status, body)
		return
	}
	if g.stopping.Load() {
		c.release()
		p.fail(failure.New(failure.Unavailable, "the gateway is stopping"))
		p.replied(unavailable.Status, nil)
		p.tell(p.record(telemetry.EventConnect))
		unavailable.WriteTo(w)
		c.disconnected(websocket.CloseGoingAway, goingAway) // the backend believes that the connection exists
		return
	}
	record.Status = http.StatusSwitchingProtocols
	p.replied(http.StatusSwitchingProtocols, nil)
	p.tell(record) // before anything that the connection may bring
	if err := g.open(w, r, p, c); err != nil {
		c.release()
		// The backend believes that the connection exists.
		c.disconnected(websocket.CloseAbnormal, "")
	}
}

func (g *Gateway) connectEvent(w http.ResponseWriter, r *http.Request, t target) *pipeline {
	stage := t.stage.plan.Load()
	now := time.Now()
	origin := forwarded.Of(r)
	p := newPipeline(g.newConnection(r, t, stage, now), stage, event.Connect, now)
	p.handshake = &handshake{request: r, writer: w}
	p.event.TraceID = r.Header.Get("X-Amzn-Trace-Id")
	p.event.Header, p.event.Query = clientHeader(r), r.URL.Query()
	p.watch()
	if p.event.TraceID == "" {
		p.event.TraceID = apigw.NewTraceID(now)
	}
	p.event.Header = appendOwnHeader(p.event.Header, origin, p.event.TraceID)
	return p
}

// newConnection makes a connection of a handshake. Nothing is open yet.
func (g *Gateway) newConnection(r *http.Request, t target, stage *plan.Stage, now time.Time) *connection {
	origin := forwarded.Of(r)
	port, _ := strconv.ParseUint(origin.Port, 10, 16) // 0 where it is not known
	c := &connection{gateway: g, stage: t.stage}
	c.facts = event.Connection{
		ID:          connections.NewID(g.node).String(),
		Endpoint:    g.endpoints.of(stage, t.domain),
		ConnectedAt: now.UnixMilli(),
		SourceIP:    hostname(r.RemoteAddr),
		UserAgent:   unique.Make(r.UserAgent()).Value(),
		Port:        uint16(port),
		Secure:      origin.Proto == "https",
	}
	return c
}

// ownLines are the header lines of a handshake that belong to the hop, or that the
// gateway sends itself.
var ownLines = []string{"Connection", "Upgrade", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"}

// clientHeader is what a function sees of the handshake's header as the client sent it:
// without the lines that belong to the hop.
func clientHeader(r *http.Request) []event.Parameter {
	lines := dualport.Header(r)
	header := make([]event.Parameter, 0, len(lines)+4)
	for _, f := range lines {
		if !slices.ContainsFunc(ownLines, func(name string) bool { return strings.EqualFold(name, f.Name) }) {
			header = append(header, event.Parameter(f))
		}
	}
	return header
}

// appendOwnHeader appends the lines that the gateway adds. Who the client is comes last in
// X-Forwarded-For, after what the client claims, as in AWS.
func appendOwnHeader(header []event.Parameter, origin forwarded.Origin, traceID string) []event.Parameter {
	return append(header,
		event.Parameter{Name: "X-Amzn-Trace-Id", Value: traceID},
		event.Parameter{Name: "X-Forwarded-For", Value: origin.For()},
		event.Parameter{Name: "X-Forwarded-Port", Value: origin.Port},
		event.Parameter{Name: "X-Forwarded-Proto", Value: origin.Proto},
	)
}

// accepted: the connection opens unless $connect failed or answered with
// anything but success.
func (p *pipeline) accepted() bool {
	if p.event.Failed != nil {
		return false
	}
	return p.response == nil || p.response.Status >= 200 && p.response.Status < 300
}

// open answers 101 and hands the socket to the engine. An error says that the
// engine knows nothing of the connection.
func (g *Gateway) open(w http.ResponseWriter, r *http.Request, p *pipeline, c *connection) error {
	response := p.switchingProtocols(r)
	socket, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	_ = socket.SetDeadline(time.Time{})
	var buffered []byte
	if n := rw.Reader.Buffered(); n > 0 {
		buffered, _ = rw.Reader.Peek(n)
	}
	_, err = g.engine.Adopt(socket, websocket.Socket{
		Response: response, Buffered: buffered, Limits: p.stage.Limits, Handler: c, Conn: &c.socket,
	})
	return err
}

// switchingProtocols is the 101. Of the integration's header only the
// subprotocol goes to the client. A token among the subprotocols is answered
// for the integration that says nothing.
func (p *pipeline) switchingProtocols(r *http.Request) []byte {
	b := make([]byte, 0, 256)
	b = append(b, "HTTP/1.1 101 Switching Protocols\r\ndate: "...)
	b = time.Now().UTC().AppendFormat(b, http.TimeFormat)
	b = append(b, "\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: "...)
	b = append(b, websocket.AcceptKey(r.Header.Get("Sec-WebSocket-Key"))...)
	if protocol := p.subprotocol(); protocol != "" {
		b = append(append(b, "\r\nsec-websocket-protocol: "...), protocol...)
	}
	return append(b, "\r\n\r\n"...)
}

// subprotocol returns the subprotocol of the answer, "" for none.
func (p *pipeline) subprotocol() string {
	protocol := ""
	if p.response != nil {
		protocol = p.response.Header.Get("Sec-WebSocket-Protocol")
	}
	if protocol == "" {
		protocol = p.handshake.protocol
	}
	if !isToken(protocol) {
		return ""
	}
	return protocol
}

// isToken tells an RFC 9110 token: what a subprotocol must be.
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}
