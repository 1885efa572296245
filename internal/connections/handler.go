package connections

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// MaxPayload is the most that a message to a client may hold, in bytes.
const MaxPayload = 131072

// Handler answers the requests of the @connections API.
type Handler struct {
	Registry *Registry
	Recorder telemetry.Recorder
	// Admit decides about requests for a stage, before anything is told of a
	// connection. It says who asked, and why that is refused; the error is nil
	// where it is not. A nil Admit refuses nobody.
	Admit func(r *http.Request, body []byte, apiID, stage string) (telemetry.Access, *apigw.Error)
}

// Serve answers a request for a connection of an API. The gateway has found
// API and stage from host and path; rawID is what followed "@connections/".
func (h *Handler) Serve(w http.ResponseWriter, r *http.Request, apiID, stage, rawID string) {
	record := telemetry.Record{
		Time: time.Now(), APIID: apiID, Stage: stage, ConnectionID: rawID, RequestID: apigw.NewUUID(),
		RouteKey: r.Method + " /@connections/{connectionId}",
	}
	c := call{h, w, r, &record}
	if refusal := c.answer(apiID, stage, rawID); refusal != nil {
		c.refuse(refusal)
	}
	if record.Event != "" {
		record.Duration = time.Since(record.Time)
		h.Recorder.Record(&record)
	}
}

// errTooLarge refuses a payload. What the client gets of it is the status: no
// type, no request id, no body, for the service's front end answers this.
var errTooLarge = &apigw.Error{
	Status: http.StatusRequestEntityTooLarge, Message: "the payload is larger than " + strconv.Itoa(MaxPayload) + " bytes",
}

// call is one request on its way.
type call struct {
	*Handler
	w      http.ResponseWriter
	r      *http.Request
	record *telemetry.Record
}

// refuse answers a request that is not done.
func (c call) refuse(refusal *apigw.Error) {
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

// body reads the request's body.
func (c call) body() ([]byte, *apigw.Error) {
	data, err := io.ReadAll(io.LimitReader(c.r.Body, MaxPayload+1))
	if err != nil {
		return nil, apigw.BadRequest("the request's body could not be read")
	}
	if len(data) > MaxPayload {
		return nil, errTooLarge
	}
	return data, nil
}

// answer does what the request asks, or returns why not. An id that cannot be is
// refused before it matters who asks, as in API Gateway.
func (c call) answer(apiID, stage, rawID string) *apigw.Error {
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
	body, err := c.body()
	if err != nil {
		return err
	}
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
func (c call) admit(body []byte, apiID, stage string) *apigw.Error {
	if c.Admit == nil {
		return nil
	}
	access, err := c.Admit(c.r, body, apiID, stage)
	if err != nil {
		c.record.Refused = &access
	}
	return err
}

func (c call) post(connection Connection, data []byte) *apigw.Error {
	c.record.Bytes = len(data)
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

func (c call) delete(connection Connection, _ []byte) *apigw.Error {
	connection.Disconnect()
	c.succeed(http.StatusNoContent, nil)
	return nil
}

const isoMilliseconds = "2006-01-02T15:04:05.000Z"

func (c call) get(connection Connection, _ []byte) *apigw.Error {
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

func (c call) header() {
	header := c.w.Header()
	header.Set("x-amzn-RequestId", c.record.RequestID)
	header.Set("x-amz-apigw-id", apigw.NewRequestID())
	header.Set("X-Amzn-Trace-Id", apigw.NewTraceID(c.record.Time))
}

func (c call) succeed(status int, body []byte) {
	c.record.Status = status
	c.header()
	c.w.Header().Set("Content-Type", "application/json")
	if status != http.StatusNoContent {
		c.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body)
}
