package eventstream

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// maxValues is how many values a filter may have: each event is compared with them.
const maxValues = 32

// Query says which events a watcher wants. The zero value stands for all. Of several
// values of one filter an event has to have one; all filters have to fit.
type Query struct {
	APIs        []string // ids
	Stages      []string
	Routes      []string // route keys
	Connections []string // ids
	// Statuses are statuses, or close codes of a disconnect: digits, and x for any
	// digit, such as 403, 4xx and 1006.
	Statuses []string
	Failed   bool // only events that failed
	Payload  bool // with payloads, cut and without secrets
}

// filters are the lists of a query by their names in a URL.
func (q *Query) filters() map[string]*[]string {
	return map[string]*[]string{"api": &q.APIs, "stage": &q.Stages, "route": &q.Routes, "connection": &q.Connections, "status": &q.Statuses}
}

// flags are the switches of a query by their names in a URL.
func (q *Query) flags() map[string]*bool {
	return map[string]*bool{"failed": &q.Failed, "payload": &q.Payload}
}

// ParseQuery reads the query of a URL. The error is for whoever wrote it.
func ParseQuery(values url.Values) (Query, error) {
	var q Query
	filters, flags := q.filters(), q.flags()
	for name, list := range values {
		switch filter, flag := filters[name], flags[name]; {
		case filter != nil:
			*filter = list
		case flag == nil:
			return q, fmt.Errorf("there is no filter %s", strconv.Quote(name))
		default:
			on, err := strconv.ParseBool(list[len(list)-1])
			if err != nil {
				return q, fmt.Errorf("%s must be true or false", name)
			}
			*flag = on
		}
	}
	return q, q.Check()
}

// Check returns an error for a query that cannot be meant.
func (q *Query) Check() error {
	for name, list := range q.filters() {
		if len(*list) > maxValues {
			return fmt.Errorf("the filter %s has %d values; it may have %d", name, len(*list), maxValues)
		}
		if slices.Contains(*list, "") {
			return fmt.Errorf("the filter %s has an empty value", name)
		}
	}
	for _, status := range q.Statuses {
		if !isStatus(status) {
			return fmt.Errorf("%s is not a status: it has three digits, or the four of a close code, and x stands for any digit, as in 4xx", strconv.Quote(status))
		}
	}
	return nil
}

func isStatus(text string) bool {
	if len(text) != 3 && len(text) != 4 || text[0] < '1' || text[0] > '9' {
		return false
	}
	for i := range len(text) {
		if c := text[i]; c != 'x' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// Values returns the query as ParseQuery reads it.
func (q *Query) Values() url.Values {
	values := url.Values{}
	for name, list := range q.filters() {
		if len(*list) > 0 {
			values[name] = *list
		}
	}
	for name, on := range q.flags() {
		if *on {
			values.Set(name, "true")
		}
	}
	return values
}

// Matches reports whether an event is one of those that the query asks for.
func (q *Query) Matches(r *telemetry.Record) bool {
	return has(q.APIs, r.APIID) && has(q.Stages, r.Stage) && has(q.Connections, r.ConnectionID) &&
		(len(q.Routes) == 0 || slices.Contains(q.Routes, routeOf(r))) &&
		(len(q.Statuses) == 0 || slices.ContainsFunc(q.Statuses, func(pattern string) bool { return fits(pattern, r.Status) })) &&
		(!q.Failed || failed(r))
}

func has(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }

// routeOf is the route key of an event. A connection has a beginning and an end whether or
// not its API has routes for them.
func routeOf(r *telemetry.Record) string {
	switch {
	case r.RouteKey != "":
		return r.RouteKey
	case r.Event == telemetry.EventConnect:
		return "$connect"
	case r.Event == telemetry.EventDisconnect:
		return "$disconnect"
	}
	return ""
}

// fits reports whether a status is one that a pattern stands for.
func fits(pattern string, status int) bool {
	for i := len(pattern) - 1; i >= 0; i-- {
		if pattern[i] != 'x' && int(pattern[i]-'0') != status%10 {
			return false
		}
		if status /= 10; status == 0 {
			return i == 0
		}
	}
	return false
}

// failed reports whether an event failed: those that people see in red.
func failed(r *telemetry.Record) bool {
	return r.Error != "" || r.Event != telemetry.EventDisconnect && r.Status >= http.StatusBadRequest
}
