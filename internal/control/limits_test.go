package control

import (
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw/wire"
)

// Every member that the service's model limits is refused when it is outside its
// limits, and every one that it requires when it is missing, by every operation.
func TestModelLimits(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	for _, o := range new(server).operations() {
		for _, m := range describe(o.request).members {
			if m.location != "json" || m.inner != nil {
				continue
			}
			kind := innermost(o.request.Field(m.index).Type).Kind()
			for _, bad := range badValues(m, kind, isUpdate(o.Endpoint)) {
				value := wrap(o.request.Field(m.index).Type, bad)
				h.refused(t, o, fmt.Sprintf(`{%s%q:%s}`, others(o, m), m.name, value), m.name)
			}
			if m.required {
				h.refused(t, o, "{"+strings.TrimSuffix(others(o, m), ",")+"}", m.name)
			}
		}
	}
}

// badValues are values outside the limits of a member, as JSON.
func badValues(m *member, kind reflect.Kind, update bool) []string {
	var bad []string
	l := m.limits
	switch {
	case len(l.enum) > 0:
		return []string{`"neither"`, `""`}
	case kind == reflect.Int && l.min != nil:
		return []string{fmt.Sprint(*l.min - 1), fmt.Sprint(*l.max + 1)}
	case kind != reflect.String:
		return nil
	}
	if l.max != nil {
		bad = append(bad, `"`+strings.Repeat("x", *l.max+1)+`"`)
	}
	if l.min != nil && *l.min > 0 && !update {
		bad = append(bad, `""`)
	}
	return bad
}

// wrap puts a value into the lists and maps of a type.
func wrap(t reflect.Type, value string) string {
	switch t.Kind() {
	case reflect.Pointer:
		return wrap(t.Elem(), value)
	case reflect.Slice:
		return "[" + wrap(t.Elem(), value) + "]"
	case reflect.Map:
		return `{"key":` + wrap(t.Elem(), value) + "}"
	}
	return value
}

// others are the other members that an operation requires, each with a comma.
func others(o handler, but *member) string {
	var b strings.Builder
	for _, m := range describe(o.request).members {
		if m.location != "json" || !m.required || m.name == but.name {
			continue
		}
		value := `"x"`
		if len(m.limits.enum) > 0 {
			value = `"` + m.limits.enum[0] + `"`
		}
		fmt.Fprintf(&b, "%q:%s,", m.name, wrap(o.request.Field(m.index).Type, value))
	}
	return b.String()
}

// refused sends a request that names a member's mistake in its answer.
func (h *harness) refused(t *testing.T, o handler, body, name string) {
	t.Helper()
	response := h.send(t, o.Method, strings.NewReplacer("{", "", "}", "").Replace(o.Path), body)
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, known := messages[name]
	if response.StatusCode != http.StatusBadRequest || !known && !strings.Contains(string(answer), name) {
		t.Errorf("%s %.200s: %d %s", o.Name, body, response.StatusCode, answer)
	}
}

// Endpoints of v1 may be told apart by their query, and paths hold what is
// escaped.
func TestRouter(t *testing.T) {
	t.Parallel()
	router := newRouter([]wire.Endpoint{
		{Name: "Create", Method: "POST", Path: "/apikeys"},
		{Name: "Import", Method: "POST", Path: "/apikeys?mode=import"},
		{Name: "Tag", Method: "POST", Path: "/v2/tags/{resource-arn}"},
	}, nil)
	for path, want := range map[string]string{
		"/apikeys":                         "Create",
		"/apikeys?mode=other":              "Create",
		"/apikeys?format=csv&mode=import":  "Import",
		"/v2/tags/arn%3Aaws%3A%2Fapis%2Fx": "Tag",
	} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", "http://host"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, parameters, err := router.find(r)
		if err != nil || got.Name != want {
			t.Errorf("%s: %s, %v", path, got.Name, err)
		}
		if want == "Tag" && parameters["resource-arn"] != "arn:aws:/apis/x" {
			t.Errorf("parameters %v", parameters)
		}
	}
}
