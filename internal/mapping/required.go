package mapping

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
)

// Required is the parameters that the handshake must have for a $connect
// route. It is immutable.
type Required struct{ parameters []requiredParameter }

type requiredParameter struct {
	location event.Location
	name     string
}

// reportOrder is the order in which API Gateway names what is missing.
var reportOrder = [...]int{event.Header: 0, event.Path: 1, event.QueryString: 2}

// CompileRequired reads the requestParameters of a route: route.request.header,
// querystring or path, with a name.
func CompileRequired(parameters map[string]apigw.ParameterConstraints) (*Required, error) {
	r := new(Required)
	for _, key := range slices.Sorted(maps.Keys(parameters)) {
		parameter, err := parseRequired(key)
		if err != nil {
			return nil, fmt.Errorf("requestParameters[%q]: %w", key, err)
		}
		if parameters[key].Required {
			r.parameters = append(r.parameters, parameter)
		}
	}
	slices.SortStableFunc(r.parameters, func(a, b requiredParameter) int {
		return cmp.Compare(reportOrder[a.location], reportOrder[b.location])
	})
	return r, nil
}

func parseRequired(key string) (requiredParameter, error) {
	for _, location := range []event.Location{event.Path, event.QueryString, event.Header} {
		if name, ok := strings.CutPrefix(key, "route.request."+location.String()+"."); ok {
			return requiredParameter{location, name}, checkName(name)
		}
	}
	return requiredParameter{}, fmt.Errorf("the parameter must be route.request.header.{name}, route.request.querystring.{name} or route.request.path.{name}")
}

// Check finds what is required of a handshake and missing in it, or blank there:
// the failure is of the kind Parameters.
func (r *Required) Check(e Context) *failure.Error {
	var missing []string
	for _, p := range r.parameters {
		if value, _ := last(e, p.location, p.name); strings.TrimSpace(value) == "" {
			missing = append(missing, p.name)
		}
	}
	if missing == nil {
		return nil
	}
	return &failure.Error{Kind: failure.Parameters, Reason: strings.Join(missing, ", ")}
}
