package integration

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// target is the URL of an HTTP endpoint. Its path and query may hold
// placeholders, {name}, for mapped path parameters.
type target struct {
	url         *url.URL
	path, query string // as written, where there are placeholders; else empty
}

var placeholder = regexp.MustCompile(`\{([^{}/?]*)\}`)

func parseTarget(uri string) (*target, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("IntegrationUri %q is not an HTTP URL", uri)
	}
	u.Fragment, u.RawFragment = "", ""
	t := &target{url: u}
	_, rest, _ := strings.Cut(uri, "://")
	rest, _, _ = strings.Cut(rest, "#")
	if start := strings.IndexAny(rest, "/?"); start >= 0 && placeholder.MatchString(rest[start:]) {
		t.path, t.query, _ = strings.Cut(rest[start:], "?")
	}
	return t, nil
}

// isOpen tells whether there are placeholders.
func (t *target) isOpen() bool { return t.path != "" || t.query != "" }

// fill puts mapped parameters into a URL that was made of the target's.
func (t *target) fill(u *url.URL, request *mapping.Request) (*url.URL, *failure.Error) {
	if !t.isOpen() && len(request.Query) == 0 {
		return u, nil
	}
	changed := *u
	if t.isOpen() {
		if err := t.fillPlaceholders(&changed, request.Path); err != nil {
			return nil, err
		}
	}
	if len(request.Query) > 0 {
		query := changed.Query()
		for _, p := range request.Query {
			query.Del(p.Name)
		}
		for _, p := range request.Query {
			query.Add(p.Name, p.Value)
		}
		changed.RawQuery = query.Encode()
	}
	return &changed, nil
}

// fillPlaceholders gives the placeholders their values. What the client's query
// adds behind the target's stays.
func (t *target) fillPlaceholders(u *url.URL, values []event.Parameter) *failure.Error {
	path, err := replace(t.path, values, url.PathEscape)
	if err != nil {
		return err
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return configurationError("the mapped path parameters lead to another path: %s", path)
		}
	}
	query, err := replace(t.query, values, url.QueryEscape)
	if err != nil {
		return err
	}
	u.RawPath = path
	unescaped, malformed := url.PathUnescape(path)
	if malformed != nil {
		return configurationError("the path of the integration's URI: %w", malformed)
	}
	u.Path = unescaped
	u.RawQuery = query + strings.TrimPrefix(u.RawQuery, t.url.RawQuery)
	return nil
}

// replace gives a text's placeholders their values, escaped.
func replace(text string, values []event.Parameter, escape func(string) string) (string, *failure.Error) {
	var err *failure.Error
	replaced := placeholder.ReplaceAllStringFunc(text, func(found string) string {
		name := found[1 : len(found)-1]
		for _, p := range values {
			if p.Name == name {
				return escape(p.Value)
			}
		}
		if err == nil {
			err = configurationError("%s in the integration's URI has no value; map integration.request.path.%s", found, name)
		}
		return ""
	})
	return replaced, err
}
