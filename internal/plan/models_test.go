package plan

import (
	"runtime"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// Models are compiled once for all plans of an API that have the same ones,
// and are gone with the last plan.
func TestModelsAreKept(t *testing.T) {
	t.Parallel()
	var sets modelSets
	models := func(schema string) []*apigw.Model { return []*apigw.Model{{Name: "m", Schema: schema}} }
	first := sets.compile("a", models(`{"type":"object"}`))
	if again := sets.compile("a", models(`{"type":"object"}`)); again != first {
		t.Error("the same models were compiled twice")
	}
	if other := sets.compile("b", models(`{"type":"object"}`)); other == first {
		t.Error("two APIs share their models")
	}
	changed := sets.compile("a", models(`{"type":"string"}`))
	if changed == first {
		t.Fatal("a changed schema is not compiled")
	}
	m, err := changed.Model("m")
	if err != nil {
		t.Fatal(err)
	}
	if m.Validate([]byte(`"text"`)) != nil || m.Validate([]byte(`{}`)) == nil {
		t.Error("the old schema is in use")
	}
	runtime.KeepAlive(changed)
	left := func() int {
		runtime.GC()
		sets.mu.Lock()
		defer sets.mu.Unlock()
		return len(sets.byAPI)
	}
	for end := time.Now().Add(30 * time.Second); left() > 0; {
		if time.Now().After(end) {
			t.Fatalf("the models of %d APIs are kept", left())
		}
	}
}
