package mapping

import (
	"strings"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// members are the variables of each of event.Groups: their whole names by their
// names in the group. Others are asked for as well; those here cost no
// concatenation.
var members = func() (members [len(event.Groups)]map[string]string) {
	for i, group := range event.Groups {
		members[i] = make(map[string]string)
		for whole := range event.Variables() {
			if name, found := strings.CutPrefix(whole, group+"."); found {
				members[i][name] = whole
			}
		}
	}
	return members
}()

// ofAuthorizer begins the whole names of the authorizer's variables.
const ofAuthorizer = "authorizer."

// authorizerVariables are what API Gateway tells of an authorizer's call, beside
// what the authorizer returned, by their whole names.
var authorizerVariables = func() (variables []string) {
	for whole := range event.Variables() {
		if strings.HasPrefix(whole, ofAuthorizer) {
			variables = append(variables, whole)
		}
	}
	return variables
}()

// contextObject is $context.
type contextObject struct {
	x      *Exchange
	groups [len(event.Groups)]contextGroup
}

func (c *contextObject) begin(x *Exchange) {
	c.x = x
	for i := range c.groups {
		c.groups[i] = contextGroup{x: x, number: i}
	}
}

func (c *contextObject) Property(name string) (any, bool) {
	switch name {
	case "authorizer":
		return c.x.authorizerObject(), true
	case "requestOverride":
		return override(&c.x.requestOverride, event.Header, event.Path, event.QueryString), true
	case "responseOverride":
		return override(&c.x.responseOverride, event.Header), true
	}
	for i, group := range event.Groups {
		if group == name {
			return &c.groups[i], true
		}
	}
	value := c.x.event.Variable(name)
	return value, value != nil
}

func (c *contextObject) Call(method string, args []any) (any, error) {
	return getMember(c, method, args)
}

// contextGroup is $context.identity and the like.
type contextGroup struct {
	x      *Exchange
	number int // the place in event.Groups
}

func (g *contextGroup) Property(name string) (any, bool) {
	whole, found := members[g.number][name]
	if !found {
		whole = event.Groups[g.number] + "." + name
	}
	value := g.x.event.Variable(whole)
	return value, value != nil
}

func (g *contextGroup) Call(method string, args []any) (any, error) {
	return getMember(g, method, args)
}

// getMember is the method get, which maps have.
func getMember(in interface{ Property(string) (any, bool) }, method string, args []any) (any, error) {
	if method != "get" || len(args) != 1 {
		return nil, nil
	}
	name, ok := args[0].(string)
	if !ok {
		return nil, nil
	}
	value, _ := in.Property(name)
	return value, nil
}

// authorizerObject is $context.authorizer: a map, so that a template can go
// through it.
func (x *Exchange) authorizerObject() *jsonvalue.Object {
	if x.authorizer != nil {
		return x.authorizer
	}
	x.authorizer = new(jsonvalue.Object)
	for name, value := range x.event.Authorizer() {
		x.authorizer.Set(name, value)
	}
	for _, whole := range authorizerVariables {
		name := whole[len(ofAuthorizer):]
		if _, own := x.authorizer.Get(name); own {
			continue
		}
		if value := x.event.Variable(whole); value != nil {
			x.authorizer.Set(name, plainNumber(value))
		}
	}
	return x.authorizer
}

// plainNumber is a value as maps hold it.
func plainNumber(value any) any {
	if n, ok := value.(int64); ok {
		return jsonvalue.Int(n)
	}
	return value
}

// contextVariable gives the text of context.X in a parameter mapping.
func (x *Exchange) contextVariable(path []string) any {
	var value any = &x.context
	for _, name := range path {
		switch in := value.(type) {
		case *jsonvalue.Object:
			value, _ = in.Get(name)
		case interface{ Property(string) (any, bool) }:
			value, _ = in.Property(name)
		default:
			return nil
		}
	}
	return value
}
