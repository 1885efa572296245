//go:build linux

package load

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Handshakes opens connections one after the other, Options.Connections at a time,
// makes their handshakes and cuts them, for the time of the options. What is counted is
// handshakes. A connection that is cut leaves no port behind on either side.
func Handshakes(o Options) (Result, error) {
	to, err := net.ResolveTCPAddr("tcp4", o.Address)
	if err != nil {
		return Result{}, fmt.Errorf("address of the server: %w", err)
	}
	start := time.Now().Add(o.Warmup)
	end := start.Add(o.Duration)
	var running sync.WaitGroup
	var mu sync.Mutex // guards result
	var numbers atomic.Int64
	var result Result
	for range o.Connections {
		running.Go(func() {
			var latencies []time.Duration
			var failed error
			for began := time.Now(); failed == nil && began.Before(end); began = time.Now() {
				failed = handshakeOnce(to, o.Protocol, int(numbers.Add(1)))
				if now := time.Now(); began.After(start) && now.Before(end) {
					latencies = append(latencies, now.Sub(began))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			result.Latencies = append(result.Latencies, latencies...)
			if failed != nil {
				result.Errors = append(result.Errors, failed)
			}
		})
	}
	client, server, err := o.usage(start)
	running.Wait()
	result.Elapsed, result.CPU, result.Server = o.Duration, client, server
	return result, err
}

func handshakeOnce(to *net.TCPAddr, p Protocol, number int) error {
	fd, err := connect(to, number)
	if fd >= 0 {
		defer func() { _ = syscall.Close(fd) }()
	}
	if err != nil {
		return err
	}
	if err := shakeHands(fd, p); err != nil {
		return err
	}
	return syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
}
