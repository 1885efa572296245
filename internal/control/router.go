package control

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
)

// router finds the operation of a request by its path and method. Parameters are
// segments as the client escaped them, so that ARNs and route keys with slashes
// are one.
type router struct{ root *segment }

// segment is a node of the tree of paths.
type segment struct {
	literals   map[string]*segment
	parameter  *segment
	operations map[string]endpoint // by method and query: "POST", "POST ?mode=import"
}

type endpoint struct {
	handler
	names []string // of the path's parameters
}

// newRouter makes a router for endpoints of which handlers do some. The others
// answer that this gateway does not have them.
func newRouter(all []wire.Endpoint, handlers []handler) *router {
	r := &router{new(segment)}
	for _, e := range all {
		r.add(handler{e, nil, func(*request) (any, error) { return nil, notImplemented("Operation " + e.Name) }})
	}
	for _, h := range handlers {
		r.add(h)
	}
	return r
}

func (r *router) add(h handler) {
	path, query, hasQuery := strings.Cut(h.Path, "?")
	key := h.Method
	if hasQuery {
		key += " ?" + query
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
	if node.operations == nil {
		node.operations = make(map[string]endpoint)
	}
	node.operations[key] = endpoint{h, names}
}

func orNew(s *segment) *segment {
	if s == nil {
		return new(segment)
	}
	return s
}

// find gives the operation of a request and the parameters of its path.
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
	found, ok := node.operations[q.Method+" ?"+q.URL.RawQuery]
	if !ok {
		found, ok = node.operations[q.Method]
	}
	switch {
	case len(node.operations) == 0:
		return handler{}, nil, unknownOperation(q)
	case !ok:
		return handler{}, nil, methodNotAllowed(q)
	}
	parameters := make(map[string]string, len(values))
	for i, name := range found.names {
		parameters[name] = values[i]
	}
	return found.handler, parameters, nil
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
