package logsink

import (
	"io"
	"iter"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"
)

const (
	// maxWaiting is how many bytes of lines wait for one file, stream or daemon.
	maxWaiting = 8 << 20
	// maxWaitingRemote is how many bytes wait for all log groups of one service together.
	maxWaitingRemote = 64 << 20
	// maxTargets is how many log groups and delivery streams have a queue, those of stages
	// among them that are no longer there. That is 20 MB while nothing waits in them, and
	// maxWaitingRemote beside it otherwise. Lines for others go to the gateway's own log.
	maxTargets = 10_000
	// localDelay and remoteDelay are how long a line may wait for others.
	localDelay  = 20 * time.Millisecond
	remoteDelay = 500 * time.Millisecond
)

// Options are what Open is given.
type Options struct {
	Access    []Rule // the first that fits is the one
	Execution Place
	Log       *slog.Logger // the gateway's own, which waits for nobody; nil for none
	// LogLost returns how many lines that log itself has dropped; nil: none.
	LogLost  func() uint64
	Region   string    // of execution logs at AWS
	Stream   string    // the gateway's own stream in each log group of CloudWatch Logs
	AWS      AWS       // may be nil where no place needs it
	Exporter Exporter  // may be nil
	Stdout   io.Writer // nil stands for the process's
}

// Logs are the sinks of a gateway. It is Destinations.
type Logs struct {
	options Options
	sinks   map[string]*sink // by their names; not changed after Open

	mu     sync.Mutex // guards what follows
	queues map[target]*queue
	told   map[string]bool // ARNs that were said to fit no rule
	full   bool            // it was said that no other target can have a queue
	closed bool
}

// target is what a queue is for.
type target struct {
	Place
	kind         string
	region, name string // of a log group or a delivery stream; empty for places that are the same for all
}

// Open makes the sinks of the configuration, and opens the files among them. A place that
// cannot be used now is told in the gateway's own log, and used as soon as it can be. The
// caller closes what is returned.
func Open(o Options) *Logs {
	if o.Stdout == nil {
		o.Stdout = os.Stdout
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	l := &Logs{options: o, sinks: map[string]*sink{}, queues: map[target]*queue{}, told: map[string]bool{}}
	l.know(Place{})
	l.know(o.Execution)
	for _, r := range o.Access {
		l.know(r.Place)
	}
	l.openFile(o.Execution, KindExecution)
	for _, r := range o.Access {
		l.openFile(r.Place, KindAccess)
	}
	return l
}

// know makes the sink of a place known by its name.
func (l *Logs) know(p Place) {
	limit := int64(maxWaiting)
	if p.isRemote() {
		limit = maxWaitingRemote
	}
	if name := p.name(); l.sinks[name] == nil {
		l.sinks[name] = &sink{name: name, log: l.options.Log, budget: budget{limit: limit}}
	}
}

// openFile opens the file of a place, where it is one.
func (l *Logs) openFile(p Place, kind string) {
	if p.File == "" {
		return
	}
	q := l.queue(target{Place: p, kind: kind})
	if err := q.out.(*file).openNow(); err != nil {
		q.report.trouble(err, true)
	}
}

// Access implements Destinations.
func (l *Logs) Access(destinationARN string) Sink {
	d := parseDestination(destinationARN)
	for _, r := range l.options.Access {
		if r.fits(destinationARN, d) {
			return l.sink(r.Place, KindAccess, d)
		}
	}
	l.tellUnknown(destinationARN)
	return l.sink(Place{}, KindAccess, d)
}

// Execution implements Destinations.
func (l *Logs) Execution(apiID, stage string) Sink {
	d := destination{serviceLogs, l.options.Region, "/aws/apigateway/" + apiID + "/" + stage}
	if l.options.Execution.Firehose {
		d.name = executionStream
	}
	return l.sink(l.options.Execution, KindExecution, d)
}

// tellUnknown says once that the access logs of a destination go to the gateway's own log.
func (l *Logs) tellUnknown(arn string) {
	l.mu.Lock()
	known := l.told[arn] || len(l.told) == maxTargets
	if !known {
		l.told[arn] = true
	}
	l.mu.Unlock()
	if !known {
		l.options.Log.Warn("no entry of logs.access fits a DestinationArn; its access logs are records of this log", "destination", arn)
	}
}

// sink returns the queue for what goes to a destination.
func (l *Logs) sink(p Place, kind string, d destination) Sink {
	t := target{Place: p, kind: kind}
	if p.isRemote() {
		t.region, t.name = d.region, d.name
	}
	if q := l.queue(t); q != nil {
		return q
	}
	return Discard
}

// queue returns the queue of a target, nil after the end.
func (l *Logs) queue(t target) *queue {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	if len(l.queues) >= maxTargets && l.queues[t] == nil {
		l.tellFull(t)
		t = target{kind: t.kind}
	}
	if l.queues[t] == nil {
		l.queues[t] = l.newQueue(t)
	}
	return l.queues[t]
}

// tellFull says once that there are too many log groups and delivery streams. The lock is held.
func (l *Logs) tellFull(t target) {
	if !l.full {
		l.full = true
		l.options.Log.Warn("there are too many log groups and delivery streams; lines for others are records of this log until the next start",
			"most", maxTargets, "sink", t.Place.name(), "target", t.name)
	}
}

// newQueue makes the queue of a target.
func (l *Logs) newQueue(t target) *queue {
	o := queueOptions{sink: l.sinks[t.Place.name()], target: t.name, stamp: numberStamp, delay: localDelay}
	if t.isRemote() {
		o.delay, o.oneOfMany = remoteDelay, true
	}
	switch {
	case t.File != "":
		o.out, o.stamp = &file{path: t.File}, textStamp
	case t.Stdout:
		o.out, o.stamp = stream{l.options.Stdout}, textStamp
	case t.Syslog.Network != "":
		o.out = newSyslog(t.Syslog, t.kind)
	case t.CloudWatch:
		o.out = &cloudWatch{aws: l.options.AWS, region: t.region, group: t.name, stream: l.options.Stream}
	case t.Firehose:
		o.out, o.stamp = &firehose{aws: l.options.AWS, region: t.region, stream: t.name}, textStamp
	case t.OTLP:
		o.out = &exported{l.options.Exporter, t.kind, t.name}
	default:
		o.out = &ownLog{l.options.Log, t.kind}
	}
	if t.kind == KindAccess && o.stamp == textStamp {
		o.stamp = noStamp // its format says whether it has the time
	}
	return newQueue(o)
}

// Reopen opens all files anew, for whoever has renamed them.
func (l *Logs) Reopen() {
	for _, q := range l.all() {
		if f, ok := q.out.(*file); ok {
			f.reopen()
		}
	}
}

// all returns all queues.
func (l *Logs) all() []*queue {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Values(l.queues))
}

// Dropped gives the names of all sinks, and how many lines each has dropped until now. What
// the gateway's own log has dropped counts whatever lines they were.
func (l *Logs) Dropped() iter.Seq2[string, uint64] {
	return func(yield func(string, uint64) bool) {
		for name, s := range l.sinks {
			dropped := s.dropped.Load()
			if name == ownLogName && l.options.LogLost != nil {
				dropped += l.options.LogLost()
			}
			if !yield(name, dropped) {
				return
			}
		}
	}
}

// Close writes what waits, for as long as a few seconds; what cannot be written is dropped.
// Lines that come later are dropped as well. It may be called several times.
func (l *Logs) Close() {
	l.mu.Lock()
	before := l.closed
	l.closed = true
	l.mu.Unlock()
	if before {
		return
	}
	var ends sync.WaitGroup
	for _, q := range l.all() {
		ends.Go(q.close)
	}
	ends.Wait()
}
