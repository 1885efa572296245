package integration

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// What a message gives for a placeholder stays in its segment of the path and in
// its value of the query.
func FuzzPlaceholders(f *testing.F) {
	for _, value := range []string{"", "a", ".", "..", "a/b", "../x", "%2e%2e", "?q=1#f", "@host", "é\x00\r\n", "{v}", "&x=1"} {
		f.Add(value)
	}
	t, err := parseTarget("http://backend:80/a/{v}/b?q={v}&fixed=1")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(test *testing.T, value string) {
		filled, failed := t.fill(t.url, &mapping.Request{Path: []event.Parameter{{Name: "v", Value: value}}})
		if value == "." || value == ".." {
			if failed == nil {
				test.Fatalf("%q leads to %s", value, filled)
			}
			return
		}
		if failed != nil {
			test.Fatal(failed)
		}
		read, err := url.ParseRequestURI("http://backend:80" + filled.RequestURI())
		if err != nil {
			test.Fatalf("%q: %v", value, err)
		}
		segments := strings.Split(read.EscapedPath(), "/")
		if filled.Host != "backend:80" || len(segments) != 4 || segments[1] != "a" || segments[3] != "b" {
			test.Errorf("%q leads to %s", value, filled)
		}
		if got, err := url.PathUnescape(segments[2]); err != nil || got != value {
			test.Errorf("%q arrives as %q, %v", value, got, err)
		}
		if query := read.Query(); len(query) != 2 || query.Get("q") != value || query.Get("fixed") != "1" {
			test.Errorf("%q arrives as %v", value, query)
		}
	})
}
