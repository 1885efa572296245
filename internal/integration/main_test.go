package integration

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets the clock of the engine for look-around run on: it ends a while
// after its last search.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2.runClock"))
}
