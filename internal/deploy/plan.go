package deploy

import "strings"

// Action is what happens to a resource.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
)

// Change is something to do, or done, with one resource.
type Change struct {
	Action  Action
	Type    string   // as in AWS::ApiGatewayV2::Route
	API     string   // the logical id of the API; empty for domain names
	Name    string   // of the resource
	Of      string   // of what it is part of, where that is no API
	Members []string // that an update changes

	calls []step
}

// String returns the change in a line: "update Route join".
func (c *Change) String() string {
	return string(c.Action) + " " + c.Resource()
}

// Resource names what is changed in a few words: "RouteResponse $default of join".
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

// Plan is what makes a gateway what a template describes.
type Plan struct {
	// Changes are in the order in which they are made.
	Changes []*Change
	// Notes say what is left alone though the template does not have it.
	Notes []string

	known resolver // the ids of what is there
}

// Count tells how many changes of a kind there are.
func (p *Plan) Count(action Action) int {
	n := 0
	for _, c := range p.Changes {
		if c.Action == action {
			n++
		}
	}
	return n
}
