package gateway_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets net/http linger for half a second on connections that sent it
// garbage, and the clock of regular expressions for as long.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"),
		goleak.IgnoreAnyFunction("github.com/dlclark/regexp2.runClock"))
}

const ok = `{"statusCode":200}`
