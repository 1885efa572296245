// Package template reads SAM and CloudFormation templates, and returns what the
// gateway can run of them: WebSocket APIs with their stages, Lambda functions,
// DynamoDB tables and custom domains. It finds all mistakes of a template in
// one pass, and reports them with file, line and resource.
package template

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// Options are the values that a template is read with.
type Options struct {
	Parameters map[string]string // values for the template's Parameters
	Imports    map[string]string // values of Fn::ImportValue, by the names of the exports
	Region     string            // AWS::Region; "" stands for us-east-1
	AccountID  string            // AWS::AccountId; "" stands for 123456789012
	StackName  string            // AWS::StackName; "" stands for the name of the template's folder
	// Provided reports whether the caller has a function of its own for one of the
	// template: code, runtime and layers are not looked at then. Nil: for none.
	Provided func(logicalID, name string) bool `json:"-"`
}

// Application is what a template describes, with all references resolved.
type Application struct {
	File      string   // the template
	Includes  []string // files that are part of it, absolute
	StackName string
	Region    string
	AccountID string
	APIs      []*API
	Functions []*Function
	Tables    []*Table
	Domains   []*apigw.DomainName
	ApiKeys   []*apigw.ApiKey
	// ValuelessKeys has the ids of the ApiKeys that have no Value in the
	// template. Theirs is made from the names of stack and resource, so it is
	// not a secret.
	ValuelessKeys map[string]bool `json:"-"`
	// UsagePlans may name stages of APIs that are not in the template.
	UsagePlans []*apigw.UsagePlan
	// Ignored are resources of types that are not run here, and properties that
	// have no effect here, in the order of the file.
	Ignored []Notice
	// Warnings are parts of the template that are accepted, but probably not
	// meant, in the order of the file.
	Warnings []Notice `json:"-"`
}

// API is a WebSocket API with the stages that the template gives it. Ids are
// derived from the stack's name and the resource's logical id, so they are the
// same at every start.
type API struct {
	LogicalID string
	API       *apigw.API
	// Stages have a DeploymentId if the API, as it is here, is deployed on
	// them. Nobody can connect to a stage without one.
	Stages []*apigw.Stage
}

// Function is a Lambda function.
type Function struct {
	LogicalID   string
	Name        string
	ARN         string
	Runtime     string
	Handler     string
	CodeDir     string // absolute; empty when Archive, InlineCode or Unavailable is set
	Archive     string `json:",omitempty"` // zip archive of the code, absolute
	InlineCode  string
	MemoryMB    int
	Timeout     time.Duration
	Environment map[string]string
	Layers      []string // absolute folders
	BuildMethod string   // Metadata.BuildMethod, for example "go1.x" or "makefile"
	Line        int
	// Unavailable is why the function's code cannot run here, for example
	// because it is in S3; an invocation fails with that text. It is empty for
	// code that can run.
	Unavailable string
}

// Table is a DynamoDB table: the JSON of a CreateTable request, and the
// attribute that holds the expiry time of an item, if any.
type Table struct {
	LogicalID           string
	Name                string
	CreateTable         json.RawMessage
	TimeToLiveAttribute string
}

// Notice is about a part of a template that is ignored or doubtful.
type Notice struct {
	File      string
	Line      int
	LogicalID string
	Type      string // the resource's type
	Property  string // empty when the whole resource is ignored
	Message   string // why, in a few words
}

// String returns the notice in one line, "file:line: Resource (type) Property:
// message".
func (n Notice) String() string {
	s := fmt.Sprintf("%s:%d: %s (%s)", n.File, n.Line, n.LogicalID, n.Type)
	if n.Property != "" {
		s += " " + n.Property
	}
	return s + ": " + n.Message
}
