package logsink

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/internal/outputtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const chatARN = "arn:aws:logs:eu-central-1:123456789012:log-group:chat"

// noon is the time of the lines of tests.
var noon = time.Date(2026, 11, 30, 12, 0, 0, 123_456_000, time.UTC)

// opened are logs in a test, and the gateway's own log.
type opened struct {
	*Logs
	t   *testing.T
	own *outputtest.Buffer
}

// open opens logs, which are closed with the test.
func open(t *testing.T, o Options) *opened {
	t.Helper()
	l := &opened{t: t, own: &outputtest.Buffer{}}
	o.Log = slog.New(slog.NewTextHandler(l.own, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && !a.Value.Time().Equal(noon) {
			return slog.Attr{}
		}
		return a
	}}))
	if o.Region == "" {
		o.Region = "eu-central-1"
	}
	l.Logs = Open(o)
	t.Cleanup(l.Close)
	return l
}

// everything is the rule that has all access logs go to a place.
func everything(p Place) []Rule { return []Rule{{"*", p}} }

// write writes lines.
func write(s Sink, lines ...string) {
	for _, line := range lines {
		s.Write(Entry{noon, []byte(line)})
	}
}

// dropped is how many lines of a sink were dropped.
func (l *opened) dropped(name string) uint64 {
	l.t.Helper()
	for sink, n := range l.Dropped() {
		if sink == name {
			return n
		}
	}
	l.t.Fatalf("there is no sink %s", name)
	return 0
}

// told returns how often the gateway's own log has a text.
func (l *opened) told(text string) int { return strings.Count(l.own.String(), text) }

// eventually waits until a check finds nothing wrong.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// holds waits until a text is another.
func holds(t *testing.T, get func() string, want string) {
	t.Helper()
	eventually(t, func() error {
		if got := get(); got != want {
			return fmt.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
		return nil
	})
}
