package template

import "strings"

// functions are the intrinsic functions that are resolved here, with the
// number of arguments each takes; 0 stands for a single value.
var functions = map[string]struct{ least, most int }{
	"Ref":              {0, 0},
	"Condition":        {0, 0},
	"Fn::And":          {2, 10},
	"Fn::Base64":       {0, 0},
	"Fn::Cidr":         {2, 3},
	"Fn::Equals":       {2, 2},
	"Fn::FindInMap":    {3, 4},
	"Fn::GetAtt":       {2, 2},
	"Fn::GetAZs":       {0, 0},
	"Fn::If":           {3, 3},
	"Fn::ImportValue":  {0, 0},
	"Fn::Join":         {2, 2},
	"Fn::Length":       {0, 0},
	"Fn::Not":          {1, 1},
	"Fn::Or":           {2, 10},
	"Fn::Select":       {2, 2},
	"Fn::Split":        {2, 2},
	"Fn::Sub":          {0, 0},
	"Fn::ToJsonString": {0, 0},
}

// refused are functions that are not supported, with the error's text.
var refused = map[string]string{
	"Fn::Cidr": "Fn::Cidr is not supported in a resource that runs here",
}

// call is an object that stands for the value of an intrinsic function.
type call struct {
	function string
	argument *value
	line     int
}

// asCall recognises a function: an object whose only member is Ref or Fn::…. A
// member Condition is a function only where a condition is expected, because
// policy documents have members of that name.
func asCall(v *value) (call, bool) {
	if v == nil || v.kind != object || len(v.members) != 1 {
		return call{}, false
	}
	m := v.members[0]
	if m.key != "Ref" && !strings.HasPrefix(m.key, "Fn::") {
		return call{}, false
	}
	return call{function: m.key, argument: m.value, line: m.line}, true
}

// asConditionCall recognises a function where a condition is expected.
func asConditionCall(v *value) (call, bool) {
	if c, ok := asCall(v); ok {
		return c, true
	}
	if v != nil && v.kind == object && len(v.members) == 1 && v.members[0].key == "Condition" {
		m := v.members[0]
		return call{function: "Condition", argument: m.value, line: m.line}, true
	}
	return call{}, false
}

// arguments lists the arguments of a function that takes several. ok is false
// where their number is wrong.
func (c call) arguments() (arguments []*value, ok bool) {
	count := functions[c.function]
	if c.argument.kind != list {
		return nil, false
	}
	n := len(c.argument.items)
	return c.argument.items, n >= count.least && n <= count.most
}

// attribute returns the two parts of an Fn::GetAtt, whose long form may also be
// one string.
func (c call) attribute() (resource, attribute *value, ok bool) {
	argument := c.argument
	if argument.kind == text {
		argument = attributePath(argument)
	}
	if argument.kind != list || len(argument.items) != 2 || argument.items[0].kind != text {
		return nil, nil, false
	}
	return argument.items[0], argument.items[1], true
}
