package model

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// Refers reports whether the schema of a model of an API refers to the model
// with a name.
func Refers(apiID string, m *apigw.Model, name string) bool {
	value, err := jsonvalue.Parse([]byte(m.Schema))
	return err == nil && newLibrary(apiID, nil).refers(value, name)
}

func (l *library) refers(value any, name string) bool {
	switch value := value.(type) {
	case *jsonvalue.List:
		for _, item := range value.Items {
			if l.refers(item, name) {
				return true
			}
		}
	case *jsonvalue.Object:
		for key, member := range value.All() {
			if address, ok := member.(string); ok && key == "$ref" {
				address, _, _ = strings.Cut(address, "#")
				if to, ok := l.name(address); ok && to == name {
					return true
				}
			}
			if l.refers(member, name) {
				return true
			}
		}
	}
	return false
}

// follow returns the schema that a reference within the schema of a model leads
// to, and the name of the model that it is part of. The schema is nil if the
// reference leads nowhere. The models that it may lead to were compiled.
func (l *library) follow(model, reference string) (string, any) {
	address, pointer, _ := strings.Cut(reference, "#")
	if address != "" {
		name, ok := l.name(address)
		if !ok {
			return "", nil
		}
		model = name
	}
	pointer, err := url.PathUnescape(pointer)
	if err != nil {
		return "", nil
	}
	value := l.parsed[model]
	for i, step := range strings.Split(pointer, "/") {
		if i > 0 {
			value = member(value, pointerSteps.Replace(step))
		}
	}
	return model, value
}

// pointerSteps undoes pointerEscapes.
var pointerSteps = strings.NewReplacer("~1", "/", "~0", "~")

// member returns a part of an object or a list, nil where there is none.
func member(value any, name string) any {
	found, _ := find(value, name)
	return found
}

// find returns a part of an object or a list, and whether there is one.
func find(value any, name string) (any, bool) {
	switch value := value.(type) {
	case *jsonvalue.Object:
		return value.Get(name)
	case *jsonvalue.List:
		if i, err := strconv.Atoi(name); err == nil {
			return value.At(i)
		}
	}
	return nil, false
}
