//go:build linux

// Package load is the client of the measurements: many connections, each with
// one request under way at a time, on non-blocking sockets in an epoll loop.
// It speaks HTTP and WebSocket with requests that are framed beforehand, so
// that it costs little more than the system calls and the same for both.
package load

import (
	"sync"
	"syscall"
	"time"
)

// Protocol is what goes over the sockets. Its methods are called concurrently
// and keep nothing.
type Protocol interface {
	// Handshake is what a new connection sends first, and what the answer to
	// it must start with. Both are empty where there is no handshake.
	Handshake() (request, answer string)
	// Request is one message, ready to be written.
	Request() []byte
	// Reply returns the length of the reply at the start of data, 0 as long as
	// it is incomplete, or an error when it is not the reply to Request.
	Reply(data []byte) (int, error)
}

// Options configure a load.
type Options struct {
	Address     string // host:port, an IPv4 address
	Protocol    Protocol
	Connections int
	Warmup      time.Duration // before anything is counted
	Duration    time.Duration // that is counted
	Loops       int           // threads; at most as many as connections
	// Meter is read when counting starts and when it ends: the processor time
	// of the server. Nil leaves it out.
	Meter func() (time.Duration, error)
}

// Result is the result of a load.
type Result struct {
	Elapsed   time.Duration
	Latencies []time.Duration // of every message, in no order
	CPU       time.Duration   // processor time of this process while it was counted
	Server    time.Duration   // what the options' Meter says of the same time
	Errors    []error         // connections that failed, or whose last reply never came
}

// Rate is the messages per second.
func (r *Result) Rate() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(len(r.Latencies)) / r.Elapsed.Seconds()
}

// Add adds the result of another round.
func (r *Result) Add(other Result) {
	r.Elapsed += other.Elapsed
	r.Latencies = append(r.Latencies, other.Latencies...)
	r.CPU += other.CPU
	r.Server += other.Server
	r.Errors = append(r.Errors, other.Errors...)
}

// Run opens the connections, keeps each busy with one message at a time for
// the time of the options, and closes them.
func Run(o Options) (Result, error) {
	conns, err := Open(o.Address, o.Protocol, o.Connections)
	if err != nil {
		return Result{}, err
	}
	defer conns.Close()

	loops := make([]*loop, max(1, min(o.Loops, o.Connections)))
	for i := range loops {
		if loops[i], err = newLoop(o); err != nil {
			return Result{}, err
		}
		defer loops[i].close()
	}
	for i, fd := range conns.sockets {
		if err := loops[i%len(loops)].add(fd); err != nil {
			return Result{}, err
		}
	}

	start := time.Now().Add(o.Warmup)
	var running sync.WaitGroup
	for _, l := range loops {
		running.Go(func() { l.run(start, start.Add(o.Duration)) })
	}
	result := Result{Elapsed: o.Duration}
	result.CPU, result.Server, err = o.usage(start)
	running.Wait()
	if err != nil {
		return Result{}, err
	}
	for _, l := range loops {
		result.Latencies = append(result.Latencies, l.latencies...)
		result.Errors = append(result.Errors, l.errors...)
	}
	return result, nil
}

// usage waits until the counted time has passed and returns the processor time
// that this process and the server have used in it.
func (o *Options) usage(start time.Time) (client, server time.Duration, err error) {
	meter := o.Meter
	if meter == nil {
		meter = func() (time.Duration, error) { return 0, nil }
	}
	time.Sleep(time.Until(start))
	clientBefore := processorTime()
	serverBefore, err := meter()
	if err != nil {
		return 0, 0, err
	}
	time.Sleep(o.Duration)
	server, err = meter()
	return processorTime() - clientBefore, server - serverBefore, err
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
