package lambda

import (
	"testing"
	"time"
)

func TestNodeBasic(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil, Function{Name: "f", Runtime: "nodejs20.x", Handler: "index.handler", CodeDir: testdata(t, "node", "basic"), Timeout: 10 * time.Second})
	r := h.call("f", `{"a":1}`)
	t.Logf("%s %+v", r.Payload, r)
	r = h.call("f", `{"a":1}`)
	t.Logf("%s %+v", r.Payload, r)
}
