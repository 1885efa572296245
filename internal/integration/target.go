package integration

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// target is the URL of an HTTP endpoint. Its path and query may hold
// placeholders, {name}, for mapped path parameters.
type target struct {
	url         *url.URL
	path, query string // as they are written in the URI; empty without placeholders
}

var placeholder = lazyregexp.New(`\{([^{}/?]*)\}`)

// parseTarget reads the IntegrationUri of an HTTP integration.
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

// hasPlaceholders reports whether there are placeholders.
func (t *target) hasPlaceholders() bool { return t.path != "" || t.query != "" }

// fill returns a URL with the mapped parameters in its path and query. The URL is
// the target's, or that with a client's query added.
func (t *target) fill(u *url.URL, request *mapping.Request) (*url.URL, *failure.Error) {
	if !t.hasPlaceholders() && len(request.Query) == 0 {
		return u, nil
	}
	changed := *u
	if t.hasPlaceholders() {
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

// fillPlaceholders replaces the placeholders in a URL by their values. The client's
// query behind the target's own stays.
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

// replace returns a text with the values, escaped, in the place of its
// placeholders.
func replace(text string, values []event.Parameter, escape func(string) string) (string, *failure.Error) {
	var err *failure.Error
	replaced := placeholder.Compiled().ReplaceAllStringFunc(text, func(found string) string {
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
