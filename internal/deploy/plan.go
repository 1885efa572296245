package deploy

import "strings"

// Action is what is done with a resource.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
)

// Change is a change of one resource, planned or done.
type Change struct {
	Action  Action
	Type    string   // as in AWS::ApiGatewayV2::Route
	API     string   // the logical id of the API; empty for domain names
	Name    string   // of the resource
	Of      string   // the name of the resource that it is part of, if that is not an API
	Members []string // that an update changes

	calls []step
}

// String returns the change in a line: "update Route join".
func (c *Change) String() string {
	return string(c.Action) + " " + c.Resource()
}

// Resource is the changed resource in a few words: "RouteResponse $default of
// join".
func (c *Change) Resource() string {
	words := []string{c.Type}
	if c.Name != "" {
		words = append(words, c.Name)
	}
	if c.Of != "" {
		words = append(words, "of", c.Of)
	}
	return strings.Join(words, " ")
}

// step is one call of a change.
type step struct {
	call
	binds  string // the reference whose id the answer has; may be empty
	member string // of the answer: where the id is
}

// Plan is the list of changes that turns the state of a gateway into the one
// that a template describes.
type Plan struct {
	// Changes are in the order in which they are made.
	Changes []*Change
	// Notes are sentences about resources that stay though the template does
	// not have them.
	Notes []string

	known resolver // the ids of existing resources
}

// Count returns the number of changes with an action.
func (p *Plan) Count(action Action) int {
	n := 0
	for _, c := range p.Changes {
		if c.Action == action {
			n++
		}
	}
	return n
}
