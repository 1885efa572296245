package integration

import (
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// How long integrations may take: specification, section D.1, 6.
func TestTimeout(t *testing.T) {
	t.Parallel()
	for millis, want := range map[int]time.Duration{0: 29 * time.Second, 50: 50 * time.Millisecond, 29000: 29 * time.Second} {
		if got := timeout(&apigw.Integration{TimeoutInMillis: millis}); got != want {
			t.Errorf("%d ms: %v, want %v", millis, got, want)
		}
	}
}
