package websocket

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestCloseByUs(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		r := &recorder{}
		p, c := adopt(t, newEngine(t, Options{Driver: driver}), r, nil)
		c.Send(Text, []byte("last"))
		c.Close(4001, "enough")
		c.Close(4002, "too late")
		if err := c.Send(Text, []byte("x")); !errors.Is(err, ErrClosed) {
			t.Errorf("Send after Close: %v, want ErrClosed", err)
		}
		p.expect(opText, []byte("last"))
		p.expect(opClose, closeBody(4001, "enough"))
		p.send(text("ignored"), control(opPing, "ignored"), closeFrame(4999, "theirs"))
		p.expectEnd()
		r.awaitClosed(t, 4001, "enough")
		if got := r.awaitMessages(t, 0); len(got) > 0 {
			t.Errorf("messages after Close: %q", got)
		}
	})
}

func TestCloseByUsWithHangUp(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		r := &recorder{}
		p, c := adopt(t, newEngine(t, Options{Driver: driver}), r, nil)
		c.Close(1000, "")
		p.expect(opClose, closeBody(1000, ""))
		p.Close()
		r.awaitClosed(t, 1000, "")
	})
}

func TestCloseByUsUnanswered(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		r := &recorder{}
		p, c := adopt(t, newEngine(t, Options{Driver: driver, CloseTimeout: time.Second}), r, nil)
		c.Close(1000, "anyone?")
		p.expect(opClose, closeBody(1000, "anyone?"))
		p.expectEnd()
		r.awaitClosed(t, 1000, "anyone?")
	})
}

func TestCloseCodeAndReasonAreMadeToFit(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e := newEngine(t, Options{Driver: driver, CloseTimeout: time.Second})
		p, c := adopt(t, e, &recorder{}, nil)
		c.Close(1000, strings.Repeat("é", 100))
		p.expect(opClose, closeBody(1000, strings.Repeat("é", 61)))
		p, c = adopt(t, e, &recorder{}, nil)
		c.Close(CloseAbnormal, "not on the wire")
		p.expect(opClose, nil)
	})
}

func TestPeerVanishes(t *testing.T) {
	t.Parallel()
	for name, vanish := range map[string]func(p *peer){
		"hang up": func(p *peer) { p.Close() },
		"reset":   func(p *peer) { p.tcp().SetLinger(0); p.Close() },
		"half":    func(p *peer) { p.tcp().CloseWrite() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forDrivers(t, func(t *testing.T, driver Driver) {
				r := &recorder{}
				p, c := adopt(t, newEngine(t, Options{Driver: driver}), r, nil)
				p.send(text("a"), text("half a frame")[:7])
				r.awaitMessages(t, 1)
				vanish(p)
				r.awaitClosed(t, CloseAbnormal, "")
				if err := c.Send(Text, nil); !errors.Is(err, ErrClosed) {
					t.Errorf("Send: %v, want ErrClosed", err)
				}
			})
		})
	}
}

// TestCloseFrameBehindOurFailedWrite has the peer close and reset while we
// still send: what it said is reported all the same.
func TestCloseFrameBehindOurFailedWrite(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		release := make(chan struct{})
		r := &recorder{answer: func(*Conn, Opcode, []byte) { <-release }}
		p, c := adopt(t, newEngine(t, Options{Driver: driver}), r, &Limits{InFlight: 1})
		p.send(text("a"), text("b"), closeFrame(4000, "bye")) // b pauses reading
		r.awaitMessages(t, 1)
		p.Close()
		eventually(t, "failed write", func() bool { return c.Send(Text, []byte("x")) != nil })
		close(release)
		r.awaitClosed(t, 4000, "bye")
		r.awaitMessages(t, 2)
	})
}

func TestAbort(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		r := &recorder{}
		p, c := adopt(t, newEngine(t, Options{Driver: driver}), r, nil)
		c.Abort()
		c.Abort()
		p.expectEnd()
		r.awaitClosed(t, CloseAbnormal, "")
	})
}

func TestIdleAndLifetime(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]Limits{"idle": {Idle: 60 * time.Millisecond}, "lifetime": {Lifetime: 60 * time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forDrivers(t, func(t *testing.T, driver Driver) {
				r := &recorder{}
				p, _ := adopt(t, newEngine(t, Options{Driver: driver}), r, &limits)
				p.expect(opClose, closeBody(CloseGoingAway, "Going away"))
				p.send(closeFrame(CloseGoingAway, ""))
				p.expectEnd()
				r.awaitClosed(t, CloseGoingAway, "Going away")
			})
		})
	}
}

// piped runs a test in a bubble of its own time, on the goroutine driver and an
// in-memory connection.
func piped(t *testing.T, l *Limits, test func(t *testing.T, p *peer, c *Conn, r *recorder)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, err := NewEngine(Options{Driver: DriverGoroutine})
		if err != nil {
			t.Fatal(err)
		}
		client, server := net.Pipe()
		r := &recorder{}
		c, err := e.Adopt(server, Socket{Handler: r, Limits: l})
		if err != nil {
			t.Fatal(err)
		}
		test(t, &peer{t, client, c}, c, r)
		client.Close()
		if err := e.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestActivityPutsIdleOff(t *testing.T) {
	piped(t, &Limits{Idle: 10 * time.Minute}, func(t *testing.T, p *peer, c *Conn, r *recorder) {
		began := time.Now()
		for range 5 {
			time.Sleep(9 * time.Minute)
			p.send(text("in"))
			time.Sleep(9 * time.Minute)
			c.Send(Text, []byte("out"))
			p.expect(opText, []byte("out"))
		}
		if got, want := c.LastActive().Sub(began), 90*time.Minute; got != want {
			t.Errorf("last active after %v, want %v", got, want)
		}
		for range 9 { // pings are no activity
			time.Sleep(time.Minute)
			p.send(control(opPing, ""))
			p.expect(opPong, nil)
		}
		p.expect(opClose, closeBody(CloseGoingAway, "Going away"))
		if got, least := time.Since(began), 100*time.Minute; got < least || got > least+time.Second {
			t.Errorf("closed after %v, want %v", got, least)
		}
		p.send(closeFrame(1001, ""))
		r.awaitClosed(t, CloseGoingAway, "Going away")
	})
}

func TestActivityDoesNotPutLifetimeOff(t *testing.T) {
	piped(t, &Limits{Lifetime: 2 * time.Hour, Idle: 10 * time.Minute}, func(t *testing.T, p *peer, c *Conn, r *recorder) {
		for range 23 {
			time.Sleep(5 * time.Minute)
			p.send(text("in"))
		}
		began := time.Now()
		p.expect(opClose, closeBody(CloseGoingAway, "Going away"))
		if got, least := time.Since(began), 5*time.Minute; got < least || got > least+time.Second {
			t.Errorf("closed after %v, want %v", got, least)
		}
		p.Close()
		r.awaitClosed(t, CloseGoingAway, "Going away")
	})
}

func TestCloseTimeout(t *testing.T) {
	piped(t, nil, func(t *testing.T, p *peer, c *Conn, r *recorder) {
		c.Close(1000, "")
		p.expect(opClose, closeBody(1000, ""))
		time.Sleep(4900 * time.Millisecond)
		synctest.Wait()
		if len(r.closings()) > 0 {
			t.Error("closed before the peer's time was over")
		}
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if len(r.closings()) != 1 {
			t.Error("not closed after the peer's time was over")
		}
	})
}

func TestWriteTimeout(t *testing.T) {
	piped(t, nil, func(t *testing.T, p *peer, c *Conn, r *recorder) {
		c.Send(Text, make([]byte, 100_000))
		for range 4 { // some progress every 20 s is enough
			time.Sleep(20 * time.Second)
			synctest.Wait()
			p.Read(make([]byte, goroutineWrite))
		}
		synctest.Wait()
		if len(r.closings()) > 0 {
			t.Error("closed in spite of progress")
		}
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if got := r.closings(); len(got) != 1 || got[0].Code != CloseAbnormal {
			t.Errorf("closed %v, want once, abnormally", got)
		}
	})
}

func TestClosedComesAfterOpened(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, err := NewEngine(Options{Driver: DriverGoroutine})
		if err != nil {
			t.Fatal(err)
		}
		o := &opener{}
		o.open = func(c *Conn) {
			c.Abort()
			synctest.Wait()
			if got := o.closings(); len(got) > 0 {
				t.Errorf("closed %v while it was being opened", got)
			}
		}
		client, server := net.Pipe()
		defer client.Close()
		if _, err := e.Adopt(server, Socket{Handler: o}); err != nil {
			t.Fatal(err)
		}
		o.awaitClosed(t, CloseAbnormal, "")
		if err := e.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// TestCloseFrameAnsweredBehindBacklog has the peer close and shut its side
// while it has much to read: the answer still comes.
func TestCloseFrameAnsweredBehindBacklog(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		r := &recorder{}
		p, c := adopt(t, newEngine(t, Options{Driver: driver}), r, nil)
		backlog := make([]byte, 20<<20)
		c.Send(Binary, backlog)
		p.send(closeFrame(4000, "bye"))
		p.tcp().CloseWrite()
		r.awaitClosed(t, 4000, "bye")
		p.expect(opBinary, backlog)
		p.expect(opClose, closeBody(4000, "bye"))
		p.expectEnd()
	})
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e, err := startEngine(Options{Driver: driver, CloseTimeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		busy := &recorder{answer: func(*Conn, Opcode, []byte) { <-release }}
		polite, _ := adopt(t, e, busy, nil)
		polite.send(text("a"))
		busy.awaitMessages(t, 1)
		mute := &recorder{}
		adopt(t, e, mute, nil)
		ended := make(chan error)
		go func() { ended <- e.Shutdown(context.Background()) }()
		polite.expect(opClose, closeBody(CloseGoingAway, "Going away"))
		polite.send(closeFrame(1001, ""))
		polite.expectEnd()
		busy.awaitClosed(t, CloseGoingAway, "Going away")
		mute.awaitClosed(t, CloseGoingAway, "Going away")
		select {
		case err := <-ended:
			t.Fatalf("Shutdown returned %v with a Message call under way", err)
		default:
		}
		close(release)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := e.Shutdown(context.Background()); err != nil {
			t.Errorf("second Shutdown: %v", err)
		}
		client, server := connPair(t, e)
		if _, err := e.Adopt(server, Socket{Handler: mute}); !errors.Is(err, ErrShutdown) {
			t.Errorf("Adopt: %v, want ErrShutdown", err)
		}
		(&peer{t: t, Conn: client}).expectEnd()
	})
}

// A peer that does not answer the close frame leaves time for Closed, however
// long it may otherwise take.
func TestShutdownLeavesTimeForClosed(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e, err := startEngine(Options{Driver: driver, CloseTimeout: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		mute := &recorder{}
		adopt(t, e, mute, nil)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := e.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		mute.awaitClosed(t, CloseGoingAway, "Going away")
	})
}

func TestShutdownGivesUp(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e, err := startEngine(Options{Driver: driver})
		if err != nil {
			t.Fatal(err)
		}
		r := &recorder{}
		adopt(t, e, r, nil)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := e.Shutdown(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's error", err)
		}
		r.awaitClosed(t, CloseGoingAway, "Going away")
	})
}
