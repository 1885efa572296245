package gatewaytest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// Records is a telemetry.Recorder that keeps the records.
type Records struct {
	mu      sync.Mutex
	records []telemetry.Record // guarded by mu
	asked   []string           // guarded by mu
	stopped bool               // guarded by mu
}

// variables are the $context variables that an event had at its end.
type variables map[string]any

// Variable implements telemetry.Context.
func (v variables) Variable(name string) any { return v[name] }

// NewRecords makes an empty list.
func NewRecords() *Records { return &Records{} }

// Ask makes Records keep these $context variables of the records that follow.
func (r *Records) Ask(names ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = names
}

// Stop has the records that follow be dropped, for tests that count memory.
func (r *Records) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
}

// Record implements telemetry.Recorder.
func (r *Records) Record(record *telemetry.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return
	}
	kept := *record
	kept.Context = nil // it ends with the event
	if record.Context != nil && len(r.asked) > 0 {
		values := make(variables, len(r.asked))
		for _, name := range r.asked {
			values[name] = record.Context.Variable(name)
		}
		kept.Context = values
	}
	if record.Trace != nil { // it ends with the event, what it has does not
		steps := *record.Trace
		kept.Trace = &steps
	}
	r.records = append(r.records, kept)
}

// All returns the records of one kind so far.
func (r *Records) All(event string) []telemetry.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []telemetry.Record
	for _, record := range r.records {
		if record.Event == event {
			all = append(all, record)
		}
	}
	return all
}

// Wait waits for the n-th record of a kind, counted from 1, and returns it.
func (r *Records) Wait(t testing.TB, event string, n int) telemetry.Record {
	t.Helper()
	var all []telemetry.Record
	Eventually(t, func() error {
		if all = r.All(event); len(all) < n {
			return fmt.Errorf("%d records of kind %s, want %d: %+v", len(all), event, n, all)
		}
		return nil
	})
	return all[n-1]
}
