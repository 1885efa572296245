package explain

import (
	"github.com/stagedoor/stagedoor/internal/plan"
)

// Explanation is what becomes of an event. Its members in JSON are a contract with
// scripts; docs/explain.md describes them.
type Explanation struct {
	Event   string  `json:"event"` // CONNECT or MESSAGE
	APIID   string  `json:"apiId"`
	API     string  `json:"api"` // its name
	Stage   string  `json:"stage"`
	URL     string  `json:"url"` // that clients connect to
	Message *string `json:"message,omitempty"`
	// Result is "served", "refused", "failed", or "mistaken" where the API has mistakes.
	Result              string       `json:"result"`
	Route               Route        `json:"route"`
	Access              []Check      `json:"access,omitempty"`
	Limits              []Limit      `json:"limits"`
	Model               *Model       `json:"model,omitempty"`
	Integration         *Integration `json:"integration,omitempty"`
	RequestMappings     []Mapping    `json:"requestMappings,omitempty"`
	Request             *Request     `json:"request,omitempty"`
	Answer              *Response    `json:"answer,omitempty"`
	IntegrationResponse *Choice      `json:"integrationResponse,omitempty"`
	ResponseMappings    []Mapping    `json:"responseMappings,omitempty"`
	Reply               *Reply       `json:"reply,omitempty"`
	Error               *Error       `json:"error,omitempty"`
	Mistakes            []Mistake    `json:"mistakes,omitempty"`
	Warnings            []string     `json:"warnings,omitempty"`
	Notes               []string     `json:"notes,omitempty"`

	subject *Subject
	input   *Input
	stage   *plan.Stage
}

// Results.
const (
	Served   = "served"
	Refused  = "refused"
	Failed   = "failed"
	Mistaken = "mistaken"
)

// Route is the route, and why it is this one.
type Route struct {
	Key        string   `json:"key"`                  // empty: none
	Expression string   `json:"expression,omitempty"` // of a message
	Value      string   `json:"value"`                // that the expression has
	Keys       []string `json:"keys"`                 // that there are
	TwoWay     bool     `json:"twoWay"`               // what the backend answers goes to the client
}

// Check is something that $connect asks of a client.
type Check struct {
	Kind   string `json:"kind"`             // origin, authorizer, signature, parameters, apiKey
	Needs  string `json:"needs"`            // what is asked
	Name   string `json:"name,omitempty"`   // of the authorizer; id of the API key
	Passed *bool  `json:"passed,omitempty"` // absent: it did not come to that
	Who    string `json:"who,omitempty"`    // the principal
	Error  string `json:"error,omitempty"`
	Note   string `json:"note,omitempty"`
}

// Limit is a limit that applies to the event.
type Limit struct {
	// Level is route, stage (its default settings), connection (its messages), api (open
	// connections), message or frame (bytes).
	Level     string  `json:"level"`
	PerSecond float64 `json:"perSecond,omitempty"`
	Burst     int     `json:"burst,omitempty"`
	Most      int     `json:"most,omitempty"` // connections, or bytes
}

// Model is a model that the message was checked against.
type Model struct {
	Name       string   `json:"name"`
	Violations []string `json:"violations"`
}

// Integration is what the route calls.
type Integration struct {
	Type      string `json:"type"`
	URI       string `json:"uri,omitempty"`
	TimeoutMS int    `json:"timeoutMs,omitempty"`
}

// Mapping is a template that was rendered, or a parameter that was mapped.
type Mapping struct {
	// Template is "request template $default" or the like; Parameter is the target of a
	// parameter. One of them is empty.
	Template  string   `json:"template,omitempty"`
	Parameter string   `json:"parameter,omitempty"`
	Source    string   `json:"source,omitempty"` // of the parameter
	Values    []string `json:"values,omitempty"`
	// Expression has chosen the template by its Value.
	Expression string  `json:"expression,omitempty"`
	Value      string  `json:"value,omitempty"`
	Text       *string `json:"text,omitempty"` // that the template gave
	Error      string  `json:"error,omitempty"`
}

// Field is a header line.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Request is what the backend would be sent.
type Request struct {
	Kind   string  `json:"kind"` // HTTP, LAMBDA or AWS
	Method string  `json:"method"`
	URL    string  `json:"url"`
	Header []Field `json:"headers"`
	Body   string  `json:"body"`
}

// Response is what the backend is said to answer.
type Response struct {
	Status        int     `json:"status"`
	Header        []Field `json:"headers,omitempty"`
	Body          string  `json:"body"`
	FunctionError string  `json:"functionError,omitempty"`
}

// Choice is the integration response that was chosen.
type Choice struct {
	Key     string `json:"key"`
	Pattern string `json:"pattern,omitempty"`
	Matched string `json:"matched"`
	Status  int    `json:"status"`
}

// Reply is what the client gets: the answer to its handshake, or a frame.
type Reply struct {
	Status int     `json:"status,omitempty"` // of the handshake's answer
	Header []Field `json:"headers,omitempty"`
	Body   string  `json:"body"`
	Close  int     `json:"close,omitempty"` // code of a close frame
}

// Error is why the event is refused or fails.
type Error struct {
	Status       int    `json:"status,omitempty"`
	ResponseType string `json:"responseType,omitempty"`
	Message      string `json:"message"` // for the client
	Reason       string `json:"reason"`  // for the operator
	// At is the place in a mapping template that fails; nil for other errors.
	At *Mistake `json:"at,omitempty"`
}

// Mistake is a mistake in the template, or in a mapping template of it.
type Mistake struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`   // 0: not known
	Column  int    `json:"column,omitempty"` // in bytes, from 1
	Where   string `json:"where,omitempty"`
	Message string `json:"message"`
	Source  string `json:"source,omitempty"` // the line
}
