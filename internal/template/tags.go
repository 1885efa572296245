package template

import "strings"

// shortForms are the YAML tags that stand for a function, with the name of
// the long form.
var shortForms = map[string]string{
	"!Ref":          "Ref",
	"!Condition":    "Condition",
	"!And":          "Fn::And",
	"!Base64":       "Fn::Base64",
	"!Cidr":         "Fn::Cidr",
	"!Equals":       "Fn::Equals",
	"!FindInMap":    "Fn::FindInMap",
	"!ForEach":      "Fn::ForEach",
	"!GetAtt":       "Fn::GetAtt",
	"!GetAZs":       "Fn::GetAZs",
	"!If":           "Fn::If",
	"!ImportValue":  "Fn::ImportValue",
	"!Join":         "Fn::Join",
	"!Length":       "Fn::Length",
	"!Not":          "Fn::Not",
	"!Or":           "Fn::Or",
	"!Select":       "Fn::Select",
	"!Split":        "Fn::Split",
	"!Sub":          "Fn::Sub",
	"!ToJsonString": "Fn::ToJsonString",
	"!Transform":    "Fn::Transform",
}

// longForm turns the argument of a short-form tag into the long form of the
// function: {"Fn::Name": argument}.
func longForm(function string, argument *value) *value {
	if function == "Fn::GetAtt" && argument.kind == text {
		argument = attributePath(argument)
	}
	return newObject(argument.line, with(function, argument))
}

// attributePath splits "Resource.Attribute" at its first dot; the attribute of
// a nested stack has dots too.
func attributePath(path *value) *value {
	parts := strings.SplitN(path.text, ".", 2)
	pair := newList(path.line)
	for _, part := range parts {
		pair.items = append(pair.items, newText(path.line, part))
	}
	return pair
}
