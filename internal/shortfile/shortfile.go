// Package shortfile reads the short form of WebSocket APIs, the mapping `apis`
// of a stagedoor.yaml, and writes the CloudFormation template that it stands
// for. From there on such an API is handled like any other template.
//
// Parse finds all mistakes at once; the configuration calls it. File.Template
// is for those that run or deploy the APIs.
package shortfile

import (
	"time"
)

// StackName is the name of the stack that a short file is read for, unless
// another is given. Ids are made from it and the names of APIs alone, so that
// an API keeps its id when the file moves.
const StackName = "stagedoor"

// Defaults of keys that the file does not have.
const (
	defaultSelect  = "$request.body.action"
	defaultStage   = "dev"
	defaultMethod  = "POST"
	defaultHandler = "index.handler"
)

// Headers that tell an HTTP backend what a request is about. Every request of
// an HTTP route has them, and a client cannot set them.
const (
	HeaderEvent        = "X-Stagedoor-Event" // connect, message or disconnect
	HeaderConnectionID = "X-Connection-Id"
	HeaderRouteKey     = "X-Route-Key"
)

// File has the APIs of a file, in their order.
type File struct {
	Name string // of the file, for messages
	APIs []*API
}

// API is one WebSocket API.
type API struct {
	Name   string
	Select string // the route selection expression
	Stage  string
	Tags   map[string]string
	Routes []*Route

	line int
}

// Route leads to an HTTP backend or to a function. Exactly one of the two is
// set.
type Route struct {
	Key      string
	HTTP     *HTTP
	Function *Function
	// Answers is set where the backend's answer to a message is sent to the
	// client.
	Answers bool

	line int
}

// HTTP is a backend that gets a request for each event.
type HTTP struct {
	URL     string
	Method  string
	Timeout time.Duration // 0 stands for API Gateway's 29 s
}

// Function is a Lambda function.
type Function struct {
	Dir         string // as it is written: relative to the file's folder
	Runtime     string
	Handler     string
	Timeout     time.Duration // whole seconds; 0 stands for Lambda's 3 s
	Memory      int           // in MB; 0 stands for Lambda's 128
	Environment map[string]string
}

// ForURL returns a file with one API, of which every event is a request to the
// URL. The error says what is wrong with the URL.
func ForURL(url string) (*File, error) {
	if err := checkURL(url); err != nil {
		return nil, err
	}
	api := &API{Name: "backend", Select: defaultSelect, Stage: defaultStage}
	for _, key := range []string{routeConnect, routeDefault, routeDisconnect} {
		api.Routes = append(api.Routes, &Route{
			Key: key, HTTP: &HTTP{URL: url, Method: defaultMethod}, Answers: key == routeDefault,
		})
	}
	return &File{Name: url, APIs: []*API{api}}, nil
}

// Place is where a resource of a template comes from in the short file.
type Place struct {
	Line int    // 0 where there is no file
	Key  string // "apis.chat.routes.message"
}
