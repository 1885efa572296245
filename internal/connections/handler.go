package connections

import (
	"bytes"
	"encoding/json"
	"errors"
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
	// connection. It says who asked, and refuses with an *apigw.Error. Nil
	// refuses nobody.
	Admit func(r *http.Request, body []byte, apiID, stage string) (telemetry.Access, error)
}

// Serve answers a request for a connection of an API. The gateway has found
// API and stage from host and path; rawID is what followed "@connections/".
func (h *Handler) Serve(w http.ResponseWriter, r *http.Request, apiID, stage, rawID string) {
	record := telemetry.Record{
		Time: time.Now(), APIID: apiID, Stage: stage, ConnectionID: rawID, RequestID: apigw.NewUUID(),
		RouteKey: r.Method + " /@connections/{connectionId}",
	}
	c := call{h, w, r, &record}
	failure := c.answer(apiID, stage, rawID)
	switch {
	case errors.Is(failure, errTooLarge):
		// No type, no request id, no body: the service's front end answers this.
		record.Status = http.StatusRequestEntityTooLarge
		record.Error = "the payload is larger than " + strconv.Itoa(MaxPayload) + " bytes"
		w.WriteHeader(record.Status)
	case failure != nil:
		var known *apigw.Error
		errors.As(failure, &known)
		record.Status, record.Error = known.Status, known.Message
		if record.Refused != nil { // the message may quote what was signed
			record.Error = record.Refused.Result
		}
		c.header()
		known.WriteTo(w)
	}
	if record.Event != "" {
		record.Duration = time.Since(record.Time)
		h.Recorder.Record(&record)
	}
}

var errTooLarge = errors.New("the payload is too large")

// call is one request on its way.
type call struct {
	*Handler
	w      http.ResponseWriter
	r      *http.Request
	record *telemetry.Record
}

// body reads the request's body. Its error is an *apigw.Error or errTooLarge.
func (c call) body() ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(c.r.Body, MaxPayload+1))
	if err != nil {
		return nil, apigw.BadRequest("the request's body could not be read")
	}
	if len(data) > MaxPayload {
		return nil, errTooLarge
	}
	return data, nil
}

// answer does what the request asks. Its error is an *apigw.Error or
// errTooLarge. An id that cannot be is refused before it matters who asks, as in
// API Gateway.
func (c call) answer(apiID, stage, rawID string) error {
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
func (c call) admit(body []byte, apiID, stage string) error {
	if c.Admit == nil {
		return nil
	}
	access, err := c.Admit(c.r, body, apiID, stage)
	if err != nil {
		c.record.Refused = &access
	}
	return err
}

func (c call) post(connection Connection, data []byte) error {
	c.record.Bytes = len(data)
	switch err := connection.Post(ToText(data)); {
	case errors.Is(err, ErrLimit):
		return apigw.ErrLimit
	case err != nil:
		return apigw.ErrGone
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

func (c call) delete(connection Connection, _ []byte) error {
	connection.Disconnect()
	c.succeed(http.StatusNoContent, nil)
	return nil
}

const isoMilliseconds = "2006-01-02T15:04:05.000Z"

func (c call) get(connection Connection, _ []byte) error {
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
