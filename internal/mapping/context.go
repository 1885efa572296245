package mapping

import "github.com/stagedoor/stagedoor/internal/jsonvalue"

// groups are the parts of $context with variables of their own, each with the
// names that API Gateway documents for WebSocket APIs. Others are asked for as
// well; those here cost no concatenation.
var groups = [...]struct {
	name      string
	variables []string
}{
	{"authenticate", []string{"error", "latency", "status"}},
	{"authorize", []string{"error", "latency", "status"}},
	{"error", []string{"message", "messageString", "responseType", "validationErrorString"}},
	{"identity", []string{
		"accountId", "apiKey", "apiKeyId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType",
		"cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "sourceIp", "user", "userAgent", "userArn",
	}},
	{"integration", []string{"error", "integrationStatus", "latency", "requestId", "status"}},
	{"waf", []string{"error", "latency", "status"}},
}

// authorizerVariables are what API Gateway tells of an authorizer's call,
// beside what the authorizer returned.
var authorizerVariables = []string{"error", "integrationLatency", "integrationStatus", "latency", "requestId", "status"}

// fullNames are the variables of groups by group and name.
var fullNames = func() (names [len(groups)]map[string]string) {
	for i, group := range groups {
		names[i] = make(map[string]string, len(group.variables))
		for _, variable := range group.variables {
			names[i][variable] = group.name + "." + variable
		}
	}
	return names
}()

// contextObject is $context.
type contextObject struct {
	x      *Exchange
	groups [len(groups)]contextGroup
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
		return override(&c.x.requestOverride, Header, Path, QueryString), true
	case "responseOverride":
		return override(&c.x.responseOverride, Header), true
	}
	for i := range groups {
		if groups[i].name == name {
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
	number int
}

func (g *contextGroup) Property(name string) (any, bool) {
	full, ok := fullNames[g.number][name]
	if !ok {
		full = groups[g.number].name + "." + name
	}
	value := g.x.event.Variable(full)
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
	for _, name := range authorizerVariables {
		if _, own := x.authorizer.Get(name); own {
			continue
		}
		if value := x.event.Variable("authorizer." + name); value != nil {
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
