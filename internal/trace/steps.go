package trace

import "time"

// Field is a name with a value, such as a header line.
type Field struct{ Name, Value string }

// Route is the choice of a message's route.
type Route struct {
	At         time.Time
	Expression string
	Value      string   // that the expression has for the message
	Key        string   // of the route; empty: none matched
	Known      []string // keys that there are, sorted; only of a trace that is Thorough
}

// Limit is a limit that the event was checked against.
type Limit struct {
	At    time.Time
	Level string // connections, account, connection, route, key, backend
	Error string // empty: it is within
}

// Key is the check of an API key.
type Key struct {
	At       time.Time
	Required bool
	ID       string // of the key; never the key itself
	Error    string // empty: the key is good, or not required
}

// Access is the decision of who may connect, or call @connections.
type Access struct {
	Began    time.Time
	Took     time.Duration
	Kind     string // REQUEST, JWT or AWS_IAM
	Name     string // of the authorizer
	Cached   bool   // decided before
	Identity string // a principal, or a user's ARN
	Error    string // empty: allowed
}

// Model is the check of a message against a model.
type Model struct {
	At         time.Time
	Name       string
	Violations []string // each with its path; empty: the message is valid
}

// Template is a template that was rendered.
type Template struct {
	Began time.Time
	Took  time.Duration
	Place string // "request template application/json", "response template $default"
	Text  Payload
	Error string
	// Expression chose it by its Value; both are empty where the integration, or the
	// integration response, has none.
	Expression, Value string
}

// Parameter is a parameter that a mapping gave its values.
type Parameter struct {
	Target string // "integration.request.header.X-User"
	Source string // that it is mapped from, as it is written
	Values []string
}

// Request is a request to a backend, as it is sent. It is noted before the call.
type Request struct {
	Began  time.Time
	Kind   string // HTTP, LAMBDA or AWS
	Method string
	URI    string  // without user and password
	Header []Field // nil where the trace keeps nothing
	Body   Payload
}

// What a Request goes to.
const (
	HTTP   = "HTTP"   // an HTTP endpoint
	Lambda = "LAMBDA" // a function; the request is that of Lambda's Invoke
	AWS    = "AWS"    // another service of AWS
)

// Response is what a backend answered.
type Response struct {
	Began         time.Time // of the request
	Took          time.Duration
	Status        int     // 0: there was no answer
	Header        []Field // nil where the trace keeps nothing, and where nobody was to get it
	Body          Payload
	RequestID     string // that the backend gave the request
	FunctionError string // a function failed with it
	Error         string // why there was no answer
}

// Choice is the integration response that was chosen for an answer.
type Choice struct {
	Key     string // of the integration response
	Pattern string // that matched; empty: the key itself, or the default
	Matched string // what it was compared with: a status code, an error message
	Status  int    // of the answer
}

// Reply is what the client was sent: the answer to a handshake, or a frame.
type Reply struct {
	At     time.Time
	Status int // of a handshake's answer; 0: a frame
	Body   Payload
	Error  bool // one of the gateway's own error frames
}

func (Route) step()     {}
func (Limit) step()     {}
func (Key) step()       {}
func (Access) step()    {}
func (Model) step()     {}
func (Template) step()  {}
func (Parameter) step() {}
func (Request) step()   {}
func (Response) step()  {}
func (Choice) step()    {}
func (Reply) step()     {}
