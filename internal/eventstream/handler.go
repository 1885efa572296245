package eventstream

import (
	"net/http"
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/dualport"
)

const (
	// heartbeat is how often a stream has a comment, so that both ends see that the
	// other is there.
	heartbeat = 15 * time.Second
	// together is how long an event waits for others to be written with it.
	together = 10 * time.Millisecond
	// writePart is how many bytes are written at a time, and writeTime how long a
	// watcher has to take them.
	writePart = 64 << 10
	writeTime = 30 * time.Second
	// endTime is how long a watcher has to take the rest when the gateway stops.
	endTime = 2 * time.Second
	// longest is how long a stream lasts. Who wants more asks anew, and is let in only
	// while that is still allowed.
	longest = time.Hour
	// maxSpare is the capacity, in bytes, of the largest buffer that is kept.
	maxSpare = 256 << 10
)

// Handler serves the events of a source as server-sent events: each is a line "data: "
// with a JSON object. The URL's query has the filters of Query. Who may watch has been
// decided before.
func Handler(s Source) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, err := ParseQuery(r.URL.Query())
		if err != nil {
			apigw.BadRequest("The query is wrong: " + err.Error() + ".").WriteTo(w)
			return
		}
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Type", contentType)
			return
		}
		queue := NewQueue(maxWaiting)
		stop, err := s.Watch(query, queue)
		if err != nil {
			errorOf(err).WriteTo(w)
			return
		}
		defer stop()
		newStream(w, r).run(s, queue)
	})
}

// contentType is that of server-sent events.
const contentType = "text/event-stream"

// stream is the answer to one watcher.
type stream struct {
	w          http.ResponseWriter
	r          *http.Request
	controller *http.ResponseController
	conn       *dualport.Conn // nil: the server is another
}

func newStream(w http.ResponseWriter, r *http.Request) *stream {
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // nginx would keep events back
	return &stream{w, r, http.NewResponseController(w), dualport.FromRequest(r)}
}

// run writes what comes into the queue, until the watcher goes away, reads too slowly, or
// has watched for the longest time, or the source stops. What waits then is still written.
func (s *stream) run(from Source, queue *Queue) {
	defer s.hurry(from.Stopped())()
	if !s.write([]byte(": the events of a Stagedoor gateway\n\n")) {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	end := time.NewTimer(longest)
	defer end.Stop()
	var spare []byte
	for last := false; !last; {
		select {
		case <-s.r.Context().Done():
			return
		case <-from.Stopped():
			last = true
		case <-end.C:
			last = true
		case <-beat.C:
			if !s.write([]byte(":\n\n")) {
				return
			}
			continue
		case <-queue.ready:
			s.pause(together)
		}
		text := queue.take(spare)
		if !s.write(text) {
			return
		}
		if spare = text; cap(spare) > maxSpare {
			spare = nil
		}
	}
}

// hurry has writes fail that are under way for longer than a gateway that stops waits for.
// When done is called, the connection may serve others.
func (s *stream) hurry(stopped <-chan struct{}) (done func()) {
	ended := make(chan struct{})
	var hurrying sync.WaitGroup
	hurrying.Go(func() {
		select {
		case <-stopped:
		case <-ended:
			return
		}
		for wait := endTime; ; wait = 100 * time.Millisecond { // again, where one begins meanwhile
			select {
			case <-time.After(wait):
				_ = s.controller.SetWriteDeadline(time.Unix(1, 0))
			case <-ended:
				return
			}
		}
	})
	return func() {
		close(ended)
		hurrying.Wait()
		_ = s.controller.SetWriteDeadline(time.Time{})
	}
}

// pause waits, unless the watcher goes away.
func (s *stream) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.r.Context().Done():
	}
}

// write sends a text at once. It returns false where the watcher does not take it.
func (s *stream) write(text []byte) bool {
	for len(text) > 0 {
		part := text[:min(len(text), writePart)]
		text = text[len(part):]
		if s.conn != nil {
			s.conn.AwaitAnswer()
		}
		_ = s.controller.SetWriteDeadline(time.Now().Add(writeTime)) // where the server has one
		if _, err := s.w.Write(part); err != nil {
			return false
		}
		if s.controller.Flush() != nil {
			return false
		}
	}
	return true
}
