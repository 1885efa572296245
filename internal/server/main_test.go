package server

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain makes the ACME authority of a test answer without delay. Its worker
// lives as long as the process, and so do certmagic's limits of its rate.
func TestMain(m *testing.M) {
	if dir := os.Getenv(dataVariable); dir != "" {
		serveUntilKilled(dir)
		return
	}
	_ = os.Setenv("PEBBLE_VA_NOSLEEP", "1")
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/letsencrypt/pebble/v2/va.VAImpl.processTasks"),
		goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.(*RingBufferRateLimiter).loop"),
	)
}
