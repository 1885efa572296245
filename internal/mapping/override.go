package mapping

import (
	"net/http"
	"strconv"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
	"github.com/stagedoor/stagedoor/internal/vtl"
)

// override gives $context.requestOverride or $context.responseOverride: a map
// of maps, into which templates put what replaces a mapping's parameters.
func override(object **jsonvalue.Object, locations ...event.Location) *jsonvalue.Object {
	if *object == nil {
		*object = jsonvalue.NewObject(len(locations))
		for _, location := range locations {
			(*object).Set(location.String(), new(jsonvalue.Object))
		}
	}
	return *object
}

// overridden goes through what templates put in one of the maps.
func overridden(object *jsonvalue.Object, location event.Location, set func(name string, values []string)) *failure.Error {
	if object == nil {
		return nil
	}
	value, _ := object.Get(location.String())
	members, ok := value.(*jsonvalue.Object)
	if !ok {
		return nil
	}
	for name, value := range members.All() {
		if !isParameterName(name) {
			return configurationError("the template overrides the %s %q, which is no name of a parameter", location, name)
		}
		values, err := texts(value)
		if err != nil {
			return configurationError("the override of %s %s: %w", location, name, err)
		}
		set(name, values)
	}
	return nil
}

// texts are the values of a parameter: those of a list, or one.
func texts(value any) ([]string, error) {
	var items []any
	switch v := value.(type) {
	case *jsonvalue.List:
		items = v.Items
	case *vtl.ArrayList:
		items = v.Items
	default:
		items = []any{value}
	}
	values := make([]string, 0, len(items))
	for _, item := range items {
		text, err := textOf(item)
		if err != nil {
			return nil, err
		}
		values = append(values, text)
	}
	return values, nil
}

// overriddenStatus gives the status of $context.responseOverride, or 0 when it
// was not set.
func overriddenStatus(object *jsonvalue.Object) (int, *failure.Error) {
	if object == nil {
		return 0, nil
	}
	value, _ := object.Get("status")
	if value == nil {
		return 0, nil
	}
	text, err := textOf(value)
	if err != nil {
		return 0, configurationError("the override of the status: %w", err)
	}
	status, err := strconv.Atoi(text)
	if err != nil || status < http.StatusContinue || status > 599 {
		return 0, configurationError("the template overrides the status with %.20q; it must be between 100 and 599", text)
	}
	return status, nil
}
