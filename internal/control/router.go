package control

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
)

// router finds the operation of a request by its path and method. Segments are
// split while they are escaped, so that an ARN or a route key with slashes is
// one parameter.
type router struct{ root *segment }

// segment is a node of the tree of paths.
type segment struct {
	literals   map[string]*segment
	parameter  *segment
	operations []endpoint // those that need a query first
}

type endpoint struct {
	handler
	names []string   // of the path's parameters
	query url.Values // that a request must have: "mode=import"
}

// newRouter makes a router for all endpoints. Those without a handler answer
// that this gateway does not have them.
func newRouter(all []wire.Endpoint, handlers []handler) *router {
	r := &router{new(segment)}
	for _, e := range all {
		r.add(handler{Endpoint: e, do: func(*request) (any, error) { return nil, notImplemented("Operation " + e.Name) }})
	}
	for _, h := range handlers {
		r.add(h)
	}
	return r
}

func (r *router) add(h handler) {
	path, query, _ := strings.Cut(h.Path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		panic(err) // the endpoints are generated
	}
	node := r.root
	var names []string
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
			node.parameter = orNew(node.parameter)
			node = node.parameter
			continue
		}
		if node.literals == nil {
			node.literals = make(map[string]*segment)
		}
		node.literals[part] = orNew(node.literals[part])
		node = node.literals[part]
	}
	node.operations = slices.DeleteFunc(node.operations, func(e endpoint) bool { return e.Name == h.Name })
	node.operations = append(node.operations, endpoint{h, names, values})
	slices.SortStableFunc(node.operations, func(a, b endpoint) int { return len(b.query) - len(a.query) })
}

func orNew(s *segment) *segment {
	if s == nil {
		return new(segment)
	}
	return s
}

// find returns the operation of a request and the parameters of its path.
func (r *router) find(q *http.Request) (handler, map[string]string, error) {
	node := r.root
	var values []string
	path, ok := strings.CutPrefix(q.URL.EscapedPath(), "/")
	for part := range strings.SplitSeq(path, "/") {
		next := node.literals[part]
		if next == nil && part != "" {
			next = node.parameter
			value, err := url.PathUnescape(part)
			ok = ok && err == nil
			values = append(values, value)
		}
		if next == nil || !ok {
			return handler{}, nil, unknownOperation(q)
		}
		node = next
	}
	if len(node.operations) == 0 {
		return handler{}, nil, unknownOperation(q)
	}
	query := q.URL.Query()
	i := slices.IndexFunc(node.operations, func(e endpoint) bool { return e.Method == q.Method && e.asks(query) })
	if i < 0 {
		return handler{}, nil, methodNotAllowed(q)
	}
	found := node.operations[i]
	parameters := make(map[string]string, len(values))
	for i, name := range found.names {
		parameters[name] = values[i]
	}
	return found.handler, parameters, nil
}

// asks reports whether a request's query has what the endpoint needs.
func (e *endpoint) asks(query url.Values) bool {
	for name := range e.query {
		if query.Get(name) != e.query.Get(name) {
			return false
		}
	}
	return true
}

func unknownOperation(q *http.Request) error {
	return &apigw.Error{
		Status: http.StatusNotFound, Type: "UnknownOperationException",
		Message: "API Gateway has no operation at " + q.URL.Path,
	}
}

func methodNotAllowed(q *http.Request) error {
	return &apigw.Error{
		Status: http.StatusMethodNotAllowed, Type: "MethodNotAllowedException",
		Message: "API Gateway has no operation " + q.Method + " at " + q.URL.Path,
	}
}
