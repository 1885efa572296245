package acme

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain makes the authority of the tests answer without delay. Its worker
// lives as long as the process, and so do certmagic's limits of its rate, one for
// each authority and account.
func TestMain(m *testing.M) {
	_ = os.Setenv("PEBBLE_VA_NOSLEEP", "1")
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/letsencrypt/pebble/v2/va.VAImpl.processTasks"),
		goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.(*RingBufferRateLimiter).loop"),
	)
}
