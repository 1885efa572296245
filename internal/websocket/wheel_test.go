package websocket

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

func TestWheelFiresInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := clock{time.Now()}
		due, fired := map[*Conn]time.Duration{}, map[*Conn]time.Duration{}
		w := newWheel(k, func(c *Conn) { fired[c] = time.Since(k.start) })
		defer w.stop()
		add := func(d time.Duration) {
			c := new(Conn)
			due[c] = max(d, time.Since(k.start))
			w.schedule(c, int64(d))
		}
		random := rand.New(rand.NewPCG(1, 2))
		for _, d := range []time.Duration{0, 1, wheelTick, 255 * wheelTick, 256 * wheelTick, 257 * wheelTick, 65535 * wheelTick,
			65536 * wheelTick, 65537 * wheelTick, 10 * time.Minute, 2 * time.Hour, 100 * time.Hour} {
			add(d)
		}
		for range 3000 {
			add(time.Since(k.start) + time.Duration(random.Int64N(int64(wheelTick)<<random.IntN(24))))
			time.Sleep(time.Duration(random.Int64N(int64(100 * time.Millisecond))))
		}
		time.Sleep(101 * time.Hour)
		synctest.Wait()
		for c, want := range due {
			if got, ok := fired[c]; !ok || got < want || got > want+2*wheelTick {
				t.Errorf("due at %v, fired at %v", want, got)
			}
		}
	})
}

func TestWheelMovesAndRemoves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := clock{time.Now()}
		fired := map[*Conn]int{}
		w := newWheel(k, func(c *Conn) { fired[c]++ })
		var earlier, later, gone, stopped Conn
		w.schedule(&earlier, int64(time.Hour))
		w.schedule(&earlier, int64(time.Second))
		w.schedule(&later, int64(time.Second))
		w.schedule(&later, int64(time.Hour)) // stays where it is
		w.schedule(&gone, int64(time.Second))
		w.remove(&gone)
		w.remove(&gone)
		time.Sleep(time.Minute)
		synctest.Wait()
		if fired[&earlier] != 1 || fired[&later] != 1 || fired[&gone] != 0 {
			t.Errorf("fired %d, %d and %d times, want 1, 1 and 0", fired[&earlier], fired[&later], fired[&gone])
		}
		w.schedule(&stopped, int64(2*time.Minute))
		w.stop()
		w.schedule(&stopped, int64(2*time.Minute))
		time.Sleep(time.Hour)
		if fired[&stopped] != 0 {
			t.Error("fired after it was stopped")
		}
	})
}

// TestWheelSchedulesFromFire keeps one connection going round.
func TestWheelSchedulesFromFire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := clock{time.Now()}
		turns := 0
		var w *wheel
		w = newWheel(k, func(c *Conn) {
			turns++
			w.schedule(c, k.now()+int64(time.Second))
		})
		defer w.stop()
		w.schedule(new(Conn), int64(time.Second))
		time.Sleep(100 * time.Second)
		synctest.Wait()
		if turns < 98 || turns > 100 {
			t.Errorf("%d turns in 100 s, want about 100", turns)
		}
	})
}
