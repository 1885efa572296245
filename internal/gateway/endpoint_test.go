package gateway

import (
	"fmt"
	"testing"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/plan"
)

// Connections to the same endpoint share its description, and however many names of a
// wildcard domain are in use, only so many are kept.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	var known endpoints
	stage := &plan.Stage{APIID: "a1b2c3d4e5", Name: "prod", DomainName: "own.example"}
	own := known.of(stage, "")
	if want := (event.Endpoint{APIID: "a1b2c3d4e5", Stage: "prod", DomainName: "own.example"}); *own != want {
		t.Errorf("%+v, want %+v", *own, want)
	}
	if domain := known.of(stage, "custom.example"); domain.DomainName != "custom.example" || domain == own {
		t.Errorf("by a custom domain: %+v", *domain)
	}
	if known.of(stage, "") != own || known.of(stage, "own.example") != own {
		t.Error("the same endpoint is described twice")
	}
	for i := range 3 * maxEndpoints {
		known.of(stage, fmt.Sprintf("%d.example", i))
		if n := len(known.known); n > maxEndpoints {
			t.Fatalf("%d endpoints are kept", n)
		}
	}
}
