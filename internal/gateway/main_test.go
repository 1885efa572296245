package gateway_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets net/http linger for half a second on connections that sent it
// garbage.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

const ok = `{"statusCode":200}`
