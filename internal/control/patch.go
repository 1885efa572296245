package control

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
)

// patches are the patch operations of v1 on a resource, by operation and path:
// {"replace": {"/name": …}}. A function does the change. It gets the
// operation's value, which is empty for remove. A path may have segments in
// angle brackets, "/apiStages/<stage>/throttle", that stand for any text: their
// values follow the operation's.
type patches map[string]map[string]func(value string, segments ...string) error

// apply does patch operations in their order. It stops with an error at the
// first one that is refused. The caller must drop the resource then, for the
// operations before were done.
func (p patches) apply(operations []*wirev1.PatchOperation) error {
	for _, o := range operations {
		var operation, path, value string
		set(&operation, o.Op)
		set(&path, o.Path)
		set(&value, o.Value)
		change, segments := p.find(operation, path)
		if change == nil {
			return apigw.BadRequest(fmt.Sprintf("Invalid patch path  '%s' specified for op '%s'. Must be one of: [%s]",
				path, operation, strings.Join(slices.Sorted(maps.Keys(p[operation])), ", ")))
		}
		if err := change(value, segments...); err != nil {
			return err
		}
	}
	return nil
}

// find returns the function for an operation on a path, nil where there is
// none, and the values of the path's variable segments.
func (p patches) find(operation, path string) (change func(string, ...string) error, segments []string) {
	if change := p[operation][path]; change != nil {
		return change, nil
	}
	parts := strings.Split(path, "/")
	for pattern, change := range p[operation] {
		if segments, ok := match(strings.Split(pattern, "/"), parts); ok {
			return change, segments
		}
	}
	return nil, nil
}

// match matches the parts of a path with those of a pattern, and returns those
// that stand in the place of a segment in angle brackets.
func match(pattern, parts []string) (segments []string, ok bool) {
	if len(pattern) != len(parts) {
		return nil, false
	}
	for i, want := range pattern {
		switch {
		case strings.HasPrefix(want, "<"):
			segments = append(segments, unescapeSegment.Replace(parts[i]))
		case want != parts[i]:
			return nil, false
		}
	}
	return segments, true
}

// unescapeSegment undoes the escaping of JSON Pointers (RFC 6901).
var unescapeSegment = strings.NewReplacer("~1", "/", "~0", "~")

// toText makes the function of a patch that sets a text.
func toText(member *string) func(string, ...string) error {
	return func(value string, _ ...string) error {
		*member = value
		return nil
	}
}

// toNumber makes the function of a patch that sets a number. parse reads one of
// its type.
func toNumber[T any](name string, parse func(string) (T, error), put func(T)) func(string, ...string) error {
	return func(value string, _ ...string) error {
		number, err := parse(value)
		if err != nil {
			return apigw.BadRequest("Invalid " + name + " specified: " + value)
		}
		put(number)
		return nil
	}
}

// parseRate reads a number of requests per second.
func parseRate(text string) (float64, error) { return strconv.ParseFloat(text, 64) }
