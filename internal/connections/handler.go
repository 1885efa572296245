package connections

import (
	"bytes"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/stagedoor/stagedoor/internal/accesslog"
	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/identity"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// MaxPayload is the most that a message to a client may hold, in bytes.
const MaxPayload = 131072

// Handler answers the requests of the @connections API.
type Handler struct {
	Registry *Registry
	Recorder telemetry.Recorder
	// Admit decides about requests for a stage, before anything is told of a
	// connection. It says who asked, who has signed, and why that is refused; the error
	// is nil where it is not, and the signer where nobody is known. A nil Admit refuses
	// nobody.
	Admit func(r *http.Request, body []byte, apiID, stage string) (telemetry.Access, *identity.Identity, *apigw.Error)
	// Watcher decides which requests have a trace. With nil none has.
	Watcher Watcher
}

// Watcher decides which requests have a trace.
type Watcher interface {
	// WatchRequest returns the trace of a request that begins, nil where it has none, and
	// the X-Amzn-Trace-Id of its answer. It must not wait.
	WatchRequest(header http.Header, at time.Time) (t *trace.Trace, traceID string)
}

// Stage is the stage that a request is for.
type Stage struct {
	APIID, Name string
	DomainName  string          // the host by which the caller knows the API
	AccessLog   *accesslog.Log  // nil: the stage has none
	Meter       telemetry.Meter // counts the call; nil: nothing does
}

// Serve answers a request for a connection of an API. The gateway has found the stage
// from host and path; rawID is what followed "@connections/".
func (h *Handler) Serve(w http.ResponseWriter, r *http.Request, stage Stage, rawID string) {
	b := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(b)
	b.Reset()
	record := record{Record: telemetry.Record{
		Time: time.Now(), APIID: stage.APIID, Stage: stage.Name, ConnectionID: rawID, RequestID: apigw.NewUUID(),
		RouteKey: routeKey(r.Method), Meter: stage.Meter,
	}}
	record.Context = &record
	c := call{Handler: h, w: w, r: r, record: &record, buffer: b, extendedID: apigw.NewRequestID()}
	if h.Watcher != nil {
		record.Trace, c.traceID = h.Watcher.WatchRequest(r.Header, record.Time)
	} else {
		c.traceID = apigw.NewTraceID(record.Time)
	}
	if refusal := c.answer(stage.APIID, stage.Name, rawID); refusal != nil {
		c.refuse(refusal)
	}
	if record.Event != "" {
		record.Duration = time.Since(record.Time)
		h.Recorder.Record(&record.Record)
	}
	if stage.AccessLog != nil {
		c.log(stage)
	}
}

// record is the record of a call, with what was pushed.
type record struct {
	telemetry.Record
	pushed []byte
}

// A call has none of the variables of $context, and nothing of a handshake: it is no
// event of a connection.

func (r *record) Variable(string) any               { return nil }
func (r *record) Body() []byte                      { return r.pushed }
func (r *record) Answer() []byte                    { return nil }
func (r *record) Header() iter.Seq2[string, string] { return func(func(string, string) bool) {} }
func (r *record) Query() url.Values                 { return nil }

// routeKey is how records and access logs name what a request asks for; empty where
// nothing can be asked so.
func routeKey(method string) string {
	const path = " /@connections/{connectionId}"
	switch method {
	case http.MethodPost:
		return http.MethodPost + path
	case http.MethodGet:
		return http.MethodGet + path
	case http.MethodDelete:
		return http.MethodDelete + path
	}
	return ""
}

// errTooLarge refuses a payload. What the client gets of it is the status: no
// type, no request id, no body, for the service's front end answers this.
var errTooLarge = &apigw.Error{
	Status: http.StatusRequestEntityTooLarge, Message: "the payload is larger than " + strconv.Itoa(MaxPayload) + " bytes",
}

// call is one request on its way.
type call struct {
	*Handler
	w          http.ResponseWriter
	r          *http.Request
	record     *record
	buffer     *bytes.Buffer      // empty until the request's body is read; the record has it
	traceID    string             // X-Amzn-Trace-Id of the answer
	extendedID string             // of the request, beside the record's RequestID
	signer     *identity.Identity // nil: nobody who is known
}

// refuse answers a request that is not done.
func (c *call) refuse(refusal *apigw.Error) {
	c.record.Status, c.record.Error = refusal.Status, refusal.Message
	if c.record.Refused != nil { // the message may quote what was signed
		c.record.Error = c.record.Refused.Result
	}
	if refusal == errTooLarge {
		c.w.WriteHeader(refusal.Status)
		return
	}
	c.header()
	refusal.WriteTo(c.w)
}

// bodies are buffers for the bodies of requests.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// body reads the request's body into the buffer.
func (c *call) body() *apigw.Error {
	limited := io.LimitedReader{R: c.r.Body, N: MaxPayload + 1}
	if _, err := c.buffer.ReadFrom(&limited); err != nil {
		return apigw.BadRequest("the request's body could not be read")
	}
	if c.buffer.Len() > MaxPayload {
		return errTooLarge
	}
	return nil
}

// answer does what the request asks, or returns why not. An id that cannot be is
// refused before it matters who asks, as in API Gateway.
func (c *call) answer(apiID, stage, rawID string) *apigw.Error {
	id, ok := ParseID(rawID)
	if !ok {
		return apigw.BadRequest("Invalid connectionId: " + rawID)
	}
	operation := c.get
	switch c.r.Method {
	case http.MethodPost:
		c.record.Event, operation = telemetry.EventPush, c.post
	case http.MethodGet:
		c.record.Event = telemetry.EventInfo
	case http.MethodDelete:
		c.record.Event, operation = telemetry.EventDelete, c.delete
	default:
		return apigw.ErrMissingToken
	}
	if err := c.body(); err != nil {
		return err
	}
	body := c.buffer.Bytes()
	if err := c.admit(body, apiID, stage); err != nil {
		return err
	}
	connection := c.Registry.Get(id)
	if connection == nil || connection.APIID() != apiID {
		return apigw.ErrGone
	}
	return operation(connection, body)
}

// admit asks whether the caller may do what it asks.
func (c *call) admit(body []byte, apiID, stage string) *apigw.Error {
	if c.Admit == nil {
		return nil
	}
	access, signer, err := c.Admit(c.r, body, apiID, stage)
	c.signer = signer
	if err != nil {
		refused := access // so that no other access needs memory of its own
		c.record.Refused = &refused
	}
	return err
}

func (c *call) post(connection Connection, data []byte) *apigw.Error {
	c.record.Bytes, c.record.pushed = len(data), data
	if err := connection.Post(ToText(data)); err != nil {
		return err
	}
	c.succeed(http.StatusOK, nil)
	return nil
}

// ToText makes any bytes valid UTF-8, with U+FFFD for what is not.
func ToText(data []byte) []byte {
	if utf8.Valid(data) {
		return data
	}
	return []byte(string([]rune(string(data))))
}

func (c *call) delete(connection Connection, _ []byte) *apigw.Error {
	connection.Disconnect()
	c.succeed(http.StatusNoContent, nil)
	return nil
}

const isoMilliseconds = "2006-01-02T15:04:05.000Z"

func (c *call) get(connection Connection, _ []byte) *apigw.Error {
	info := connection.Info()
	var b bytes.Buffer
	b.WriteString("{\n  \"identity\" : {\n    \"sourceIp\" : ")
	writeString(&b, info.SourceIP)
	if info.UserAgent != "" {
		b.WriteString(",\n    \"userAgent\" : ")
		writeString(&b, info.UserAgent)
	}
	b.WriteString("\n  },\n  \"connectedAt\" : ")
	writeString(&b, info.ConnectedAt.UTC().Format(isoMilliseconds))
	b.WriteString(",\n  \"lastActiveAt\" : ")
	writeString(&b, info.LastActiveAt.UTC().Format(isoMilliseconds))
	b.WriteString("\n}")
	c.succeed(http.StatusOK, b.Bytes())
	return nil
}

func writeString(b *bytes.Buffer, s string) {
	text, _ := json.Marshal(s) // strings always marshal
	b.Write(text)
}

// headerNames are the lines of an answer, the last two of them of a success.
var headerNames = [...]string{"X-Amzn-Requestid", "X-Amz-Apigw-Id", "X-Amzn-Trace-Id", "Content-Type", "Content-Length"}

// header sets the lines of the answer, with the values of those of a success.
func (c *call) header(more ...string) {
	values := append(make([]string, 0, len(headerNames)), c.record.RequestID, c.extendedID, c.traceID)
	values = append(values, more...)
	header := c.w.Header()
	for i := range values {
		header[headerNames[i]] = values[i : i+1 : i+1]
	}
}

func (c *call) succeed(status int, body []byte) {
	c.record.Status = status
	if status == http.StatusNoContent {
		c.header("application/json")
	} else {
		c.header("application/json", strconv.Itoa(len(body)))
	}
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body)
}
