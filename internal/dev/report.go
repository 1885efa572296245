package dev

import (
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/template"
)

// Types that a Reporter is handed.
type (
	// Record is one finished event of the gateway.
	Record = telemetry.Record
	// Access is who asked for what, and was refused.
	Access = telemetry.Access
	// LogLine is a line that a function printed, or a notice about it. Functions
	// of the template go by their logical ids.
	LogLine = lambda.LogLine
	// Notice is something in a template that is not acted on.
	Notice = template.Notice
)

// Reporter is told what happens while Run runs. Its methods are called
// concurrently and must be quick.
type Reporter interface {
	telemetry.Recorder
	// Ready is called once, before anything else, when the gateway serves.
	Ready(Ready)
	// Reloaded is called when a changed template has been put into effect.
	Reloaded(Application)
	// Rejected is called when a changed template cannot be used; what ran
	// before goes on. The error is a mistake.List for mistakes in the template.
	Rejected(error)
	// Output is called for each line that a function prints.
	Output(LogLine)
}

// Ready describes a gateway that has started.
type Ready struct {
	Public string // URL of the public listener, http://host:port
	Admin  string // URL of the admin listener
	Page   string // folder that is served at /; empty when there is none
	// Backend is what there is to say of the HTTP backend that gets every event;
	// nil where an application comes from a file.
	Backend *Backend
	Application
}

// Application describes what a template put into effect.
type Application struct {
	Template  string // path of the file, or the URL of the backend
	Note      string // what beside the file was passed over; empty for nothing
	APIs      []API
	Functions []Resource
	Tables    []Resource // those in the built-in DynamoDB
	Notices   []Notice
	// Problems say what of the APIs cannot work here as configured.
	Problems []string
	// Warnings say what is probably not as it was meant, such as a short URL that
	// two APIs share.
	Warnings []string
	// AtRoot: the only API is reached without its stage in the path as well,
	// ws://host:port and http://host:port/@connections/{id}.
	AtRoot bool
}

// Backend is the HTTP backend of a gateway that was started with a URL.
type Backend struct {
	URL string
	// Unreachable says why nobody answers there yet; empty when somebody does.
	Unreachable string
}

// Resource is a resource of a template, by its logical id, and what it is called
// in AWS.
type Resource struct{ LogicalID, Name string }

// API describes a WebSocket API.
type API struct {
	ID     string
	Name   string
	Stages []string
	URLs   []string // where clients connect to the stages, ws://host:port/…; none where nothing is deployed or runs
	Routes []Route
}

// Route describes a route and what serves it.
type Route struct {
	Key    string
	Target string // for example "function SendFunction" or "POST http://localhost:9000"; empty for none
	TwoWay bool
}

// noReporter is a Reporter that nobody listens to.
type noReporter struct{}

func (noReporter) Record(*telemetry.Record) {}
func (noReporter) Ready(Ready)              {}
func (noReporter) Reloaded(Application)     {}
func (noReporter) Rejected(error)           {}
func (noReporter) Output(LogLine)           {}
