package server

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/lifetime"
	"github.com/stagedoor/stagedoor/internal/metrics"
	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// maxFailures is how many failed events are logged in a second: a backend that
// is gone fails every message, and a log must not be the next thing to fail.
const maxFailures = 50

// maxRefusals is how many URLs that lead nowhere are logged in a second: whoever
// looks for holes asks for thousands, and must not hide what else fails.
const maxRefusals = 10

// eventLog logs the events of the data plane that were asked for, and how many there
// were. It is a telemetry.Recorder.
type eventLog struct {
	log   *slog.Logger
	shown atomic.Pointer[string] // one of config.Events…

	counted func() metrics.Totals // of all events
	told    metrics.Totals        // in summaries; of the goroutine that makes them
	dropped atomic.Uint64         // lines that a bound kept out of the log, since the last summary

	began              time.Time // with a monotonic reading: lines are counted by it
	failures, refusals quota     // of lines
}

func newEventLog(log *slog.Logger, shown string) *eventLog {
	l := &eventLog{log: log, began: time.Now(), counted: func() metrics.Totals { return metrics.Totals{} }}
	l.setShown(shown)
	return l
}

func (l *eventLog) setShown(events string) { l.shown.Store(&events) }

// Record implements telemetry.Recorder.
func (l *eventLog) Record(e *telemetry.Record) {
	shown := *l.shown.Load()
	if shown != config.EventsNone {
		l.warn(e)
	}
	if e.Event == telemetry.EventRefused {
		l.refuse(e, shown)
		return
	}
	if e.Refused != nil && e.Status != http.StatusTooManyRequests {
		l.audit(e) // whatever else is logged
		return
	}
	switch shown {
	case config.EventsAll:
		level := slog.LevelInfo
		if e.Error != "" {
			level = slog.LevelWarn
		}
		l.write(level, e)
	case config.EventsFailed:
		if e.Error == "" {
			return
		}
		if !l.failures.admit(e.Time.Add(e.Duration).Sub(l.began), maxFailures) {
			l.dropped.Add(1)
			return
		}
		l.write(slog.LevelWarn, e)
	}
}

// refuse logs a URL that leads nowhere.
func (l *eventLog) refuse(e *telemetry.Record, shown string) {
	if shown == config.EventsNone {
		return
	}
	if !l.refusals.admit(e.Time.Sub(l.began), maxRefusals) {
		l.dropped.Add(1)
		return
	}
	l.log.Warn("URL refused", "source", e.Refused.Source, "host", e.Refused.Host, "path", e.Refused.Path, "status", e.Status, "error", e.Error)
}

// warn logs what is probably a mistake in the API.
func (l *eventLog) warn(e *telemetry.Record) {
	for _, warning := range e.Warnings {
		l.log.Warn("warning", "apiId", e.APIID, "stage", e.Stage, "routeKey", e.RouteKey, "warning", warning)
	}
}

// quota bounds how many lines of a kind are logged in a second.
type quota struct {
	mu     sync.Mutex    // guards the following
	second time.Duration // the second that lines are counted in
	told   int           // lines in it
}

// admit reports whether there may be one line more, most in a second, for what
// happened so long after the first second began.
func (q *quota) admit(at time.Duration, most int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if second := at.Truncate(time.Second); second > q.second {
		q.second, q.told = second, 0
	}
	q.told++
	return q.told <= most
}

func (l *eventLog) write(level slog.Level, e *telemetry.Record) {
	attributes := make([]slog.Attr, 0, 12)
	add := func(name, value string) {
		if value != "" {
			attributes = append(attributes, slog.String(name, value))
		}
	}
	add("apiId", e.APIID)
	add("stage", e.Stage)
	add("connectionId", e.ConnectionID)
	add("requestId", e.RequestID)
	add("routeKey", e.RouteKey)
	attributes = append(attributes, slog.Int("status", e.Status))
	add("reason", e.Reason)
	if e.Bytes != 0 {
		attributes = append(attributes, slog.Int("bytes", e.Bytes))
	}
	attributes = append(attributes, slog.Float64("durationMs", milliseconds(e.Duration)))
	add("error", e.Error)
	l.log.LogAttrs(context.Background(), level, e.Event, attributes...)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// audit logs that somebody was refused: who, what, from where, and why.
func (l *eventLog) audit(e *telemetry.Record) {
	a := e.Refused
	l.log.Warn("access refused", "event", e.Event, "caller", a.Caller, "source", a.Source, "action", a.Action, "resource", a.Resource,
		"apiId", e.APIID, "stage", e.Stage, "routeKey", e.RouteKey, "connectionId", e.ConnectionID, "requestId", e.RequestID,
		"status", e.Status, "result", a.Result, "error", e.Error)
}

// startSummaries logs a summary of the events after every interval in which there
// were any, and a last one when it is closed. An interval of 0 stands for none.
// connections returns how many are open.
func (l *eventLog) startSummaries(ctx context.Context, interval time.Duration, connections func() int) (stop func(context.Context)) {
	if interval == 0 {
		return func(context.Context) {}
	}
	return lifetime.Start(ctx, func(ctx context.Context) {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				l.summarize(connections())
			case <-ctx.Done():
				l.summarize(connections())
				return
			}
		}
	}).Close
}

// summarize logs what happened since the last summary, if anything did.
func (l *eventLog) summarize(open int) {
	now := l.counted()
	n := now.Minus(l.told)
	l.told = now
	attributes := []slog.Attr{slog.Int("open", open)}
	for _, counter := range []struct {
		name  string
		count uint64
	}{
		{"connected", n.Connected}, {"refused", n.Refused}, {"disconnected", n.Disconnected}, {"messages", n.Messages},
		{"pushes", n.Pushes}, {"failed", n.Failed}, {"failuresNotLogged", l.dropped.Swap(0)}, {"turnedAway", n.TurnedAway},
	} {
		if counter.count > 0 {
			attributes = append(attributes, slog.Uint64(counter.name, counter.count))
		}
	}
	if len(attributes) > 1 {
		l.log.LogAttrs(context.Background(), slog.LevelInfo, "summary", attributes...)
	}
}
