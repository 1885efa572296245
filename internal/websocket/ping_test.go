package websocket

import (
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A silent client is pinged again and again.
func TestPings(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		p, _ := adopt(t, newEngine(t, Options{Driver: driver}), &recorder{}, &Limits{Ping: 20 * time.Millisecond})
		for range 5 {
			p.expect(opPing, nil)
		}
	})
}

// Pings and the answers to them are no activity: they don't keep a connection
// from its idle time.
func TestPingsAreNoActivity(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		r := &recorder{}
		p, _ := adopt(t, newEngine(t, Options{Driver: driver}), r, &Limits{Ping: 20 * time.Millisecond, Idle: 500 * time.Millisecond})
		op, payload := p.frame()
		for ; op == opPing; op, payload = p.frame() {
			p.send(clientFrame(finBit|opPong, ""))
		}
		if op != opClose || string(payload) != string(closeBody(CloseGoingAway, "Going away")) {
			t.Errorf("frame %d %q, want a close frame", op, payload)
		}
		r.awaitClosed(t, CloseGoingAway, "Going away")
	})
}

// Pings keep their interval, on the minute, whatever else happens; those of
// connections that open at once, and that are sent something at once, are
// spread over time.
func TestPingsAreSpread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const conns, interval = 64, 32 * time.Second
		e, err := NewEngine(Options{Driver: DriverGoroutine})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		pings := make([][]time.Duration, conns)
		for i := range conns {
			client, server := net.Pipe()
			defer client.Close()
			c, err := e.Adopt(server, Socket{Handler: discard{}, Limits: &Limits{Ping: interval}})
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				for {
					op, _, err := readFrame(client)
					switch {
					case err != nil:
						return
					case op == opPing:
						pings[i] = append(pings[i], time.Since(start))
					}
				}
			}()
			defer c.Abort()
			go func() {
				time.Sleep(interval)
				if err := c.Send(Text, []byte("to all")); err != nil {
					t.Error(err)
				}
			}()
		}
		time.Sleep(4*interval + time.Second)
		synctest.Wait()
		bySecond := make(map[time.Duration]int) // pings of a second
		for i, at := range pings {
			if len(at) < 4 || at[0] < interval/2 {
				t.Fatalf("connection %d had pings at %v", i, at)
			}
			for n := range at[1:] {
				if gap := at[n+1] - at[n]; gap < interval-2*wheelTick || gap > interval+2*wheelTick {
					t.Errorf("connection %d: %v between two pings", i, gap)
				}
			}
			bySecond[at[1].Truncate(time.Second)]++
		}
		for second, n := range bySecond {
			if n > conns/8 {
				t.Errorf("%d of %d pings in the second from %v", n, conns, second)
			}
		}
		for _, c := range e.table.all() {
			c.Abort()
		}
		if err := e.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// unsent is how many bytes wait for the peer. c.mu is held.
func unsent(c *Conn) (n int) {
	for b := c.out.head; b != nil; b = b.next {
		n += len(b.data) - b.sent
	}
	return n
}

// A client that doesn't read gets no pings behind what waits for it already.
func TestNoPingsBehindABacklog(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e := newEngine(t, Options{Driver: driver})
		p, c := adopt(t, e, &recorder{}, &Limits{Ping: 20 * time.Millisecond, QueueBytes: 1 << 30})
		payload := make([]byte, 1<<20)
		waits := func() int { c.mu.Lock(); defer c.mu.Unlock(); return unsent(c) }
		for waits() < len(payload) {
			if err := c.Send(Binary, payload); err != nil {
				t.Fatal(err)
			}
		}
		before := waits()
		due := func() int64 { c.mu.Lock(); defer c.mu.Unlock(); return c.ping }
		first := due()
		eventually(t, "three pings due", func() bool { return due() >= first+3*int64(20*time.Millisecond) })
		if now := waits(); now > before {
			t.Errorf("%d bytes wait, %d before", now, before)
		}
		_ = p
	})
}
