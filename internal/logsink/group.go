package logsink

import "time"

// Group is lines that are written together: those of one event. The zero value has none.
// It is not for concurrent use.
type Group struct {
	sink  Sink
	queue *queue // that the sink is; nil where it is another

	text  []byte // whole lines, each with its stamp
	lines int
	at    time.Time // of stamp
	stamp []byte    // of the newest line
}

// Begin empties the group, for lines that go to a sink.
func (g *Group) Begin(s Sink) {
	g.sink = s
	g.queue, _ = s.(*queue)
	g.text, g.lines, g.stamp = g.text[:0], 0, g.stamp[:0]
}

// Add adds a line, which is copied. The line has no line break.
func (g *Group) Add(e Entry) {
	if g.queue == nil {
		g.sink.Write(e)
		return
	}
	if len(g.stamp) == 0 || e.Time != g.at {
		g.at, g.stamp = e.Time, g.queue.stamp.append(g.stamp[:0], e.Time)
	}
	g.text = append(append(append(g.text, g.stamp...), e.Line...), '\n')
	g.lines++
}

// End writes the lines, as Write of the sink does: all of them or none.
func (g *Group) End() {
	q := g.queue
	g.sink, g.queue = nil, nil
	switch {
	case q == nil || g.lines == 0:
	case q.closed.Load() || !q.sink.budget.take(len(g.text)):
		q.report.dropped(g.lines)
	default:
		_, _ = q.lines.Write(g.text) // neither waits nor fails
	}
}
