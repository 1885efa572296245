package eventstream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/allocations"
	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// message is a record of which there are thousands a second.
func message() *telemetry.Record {
	return &telemetry.Record{
		Event: telemetry.EventMessage, Time: time.Date(2026, 11, 29, 9, 19, 55, 123456789, time.UTC), Duration: 1213 * time.Microsecond,
		APIID: "a1b2c3d4e5", Stage: "prod", ConnectionID: "gbikqi-vWQAYKEiHxA==", RequestID: "EP5tdH0zIAMEr8w=",
		RouteKey: "$default", Status: 200, Bytes: 128,
	}
}

// payloads are those of an event.
type payloads struct {
	body, answer []byte
	header       [][2]string
	query        url.Values
}

func (p *payloads) Variable(string) any { return nil }
func (p *payloads) Body() []byte        { return p.body }
func (p *payloads) Answer() []byte      { return p.answer }
func (p *payloads) Query() url.Values   { return p.query }
func (p *payloads) Header() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, line := range p.header {
			if !yield(line[0], line[1]) {
				return
			}
		}
	}
}

// asked is a watcher of a hub.
func asked(t *testing.T, h *Hub, q Query, limit int) *Queue {
	t.Helper()
	queue := NewQueue(limit)
	stop, err := h.Watch(q, queue)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return queue
}

// told are the events that a text of a stream has.
func told(t *testing.T, text []byte) (events []map[string]any) {
	t.Helper()
	for part := range bytes.SplitSeq(bytes.TrimSuffix(text, []byte("\n\n")), []byte("\n\n")) {
		if len(part) == 0 {
			continue
		}
		line, found := bytes.CutPrefix(part, []byte("data: "))
		var e map[string]any
		if err := json.Unmarshal(line, &e); err != nil || !found || bytes.ContainsAny(line, "\r\n") {
			t.Fatalf("%q is no event: %v", part, err)
		}
		events = append(events, e)
	}
	return events
}

// An event that nobody watches costs nothing, and one that is watched makes no garbage,
// also where the watcher does not read.
func TestRecordAllocations(t *testing.T) {
	h := NewHub()
	record := message()
	allocations.AtMost(t, 0, func() { h.Record(record) })
	stop, err := h.Watch(Query{APIs: []string{"another"}, Statuses: []string{"4xx"}}, NewQueue(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	asked(t, h, Query{}, 1000) // and never takes
	queue := asked(t, h, Query{}, 1<<20)
	spare := make([]byte, 0, 1<<20)
	spare = queue.take(spare)
	allocations.AtMost(t, 0, func() {
		h.Record(record)
		spare = queue.take(spare)
	})
}

// Each watcher has the events that it asked for, with payloads only where it asked for them.
func TestWatch(t *testing.T) {
	t.Parallel()
	h := NewHub()
	h.Record(message())
	all := asked(t, h, Query{}, 1<<20)
	bodies := asked(t, h, Query{Payload: true}, 1<<20)
	failures := asked(t, h, Query{Failed: true}, 1<<20)
	gone := NewQueue(1 << 20)
	stop, err := h.Watch(Query{}, gone)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	r := message()
	r.Context = &payloads{body: []byte(`{"a":"b"}`)}
	h.Record(r)
	want := `{"event":"message","time":"2026-11-29T09:19:55.123456789Z","apiId":"a1b2c3d4e5","stage":"prod","connectionId":"gbikqi-vWQAYKEiHxA==",` +
		`"requestId":"EP5tdH0zIAMEr8w=","routeKey":"$default","status":200,"bytes":128,"durationMs":1.213`
	for name, c := range map[string]struct {
		queue *Queue
		want  string
	}{
		"all": {all, "data: " + want + "}\n\n"}, "with payloads": {bodies, "data: " + want + `,"body":"{\"a\":\"b\"}"}` + "\n\n"},
		"failures": {failures, ""}, "gone": {gone, ""},
	} {
		if got := string(c.queue.take(nil)); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
	h.Close(t.Context())
	h.Close(t.Context())
	<-h.Stopped()
	if _, err := h.Watch(Query{}, gone); !errors.Is(err, ErrStopped) {
		t.Errorf("after the end: %v", err)
	}
}

// There is a bound on watchers, and who leaves makes room.
func TestTooManyWatchers(t *testing.T) {
	t.Parallel()
	h := NewHub()
	var stops []func()
	for range maxWatchers {
		stop, err := h.Watch(Query{}, NewQueue(1))
		if err != nil {
			t.Fatal(err)
		}
		stops = append(stops, stop)
	}
	for range 1000 {
		if _, err := h.Watch(Query{}, NewQueue(1)); !errors.Is(err, ErrTooMany) {
			t.Fatalf("one more: %v", err)
		}
	}
	stops[3]()
	stop, err := h.Watch(Query{}, NewQueue(1))
	if err != nil {
		t.Fatal(err)
	}
	for i, leave := range append(stops, stop) {
		if i != 3 {
			leave()
		}
	}
	if h.watchers.Load() != nil {
		t.Error("somebody watches")
	}
}

// What waits for a watcher is bounded. The watcher is told how many events are missing, and
// where: nothing that came before or behind the gap is lost.
func TestQueue(t *testing.T) {
	t.Parallel()
	const limit = 5000
	q := NewQueue(limit)
	next, missing := 0, 0
	add := func(events int) {
		for range events {
			if !q.isFull() {
				q.Add(fmt.Appendf(nil, `{"n":%d}`, next))
			}
			next++
		}
		if len(q.waiting) > limit {
			t.Fatalf("%d bytes wait", len(q.waiting))
		}
	}
	expected := 0
	for _, events := range []int{3, 1000, 0, 1, 250, 2000, 5} {
		add(events)
		for _, e := range told(t, q.take(nil)) {
			if e["event"] == noticeEvent {
				dropped := int(e["dropped"].(float64))
				missing += dropped
				expected += dropped
				if text := fmt.Sprint(e["text"]); !strings.HasPrefix(text, fmt.Sprint(dropped)) {
					t.Errorf("the notice says %s", text)
				}
				continue
			}
			if e["n"] != float64(expected) {
				t.Fatalf("%v comes, and not %d", e, expected)
			}
			expected++
		}
		if expected != next {
			t.Fatalf("%d events are accounted for, of %d", expected, next)
		}
	}
	if missing == 0 {
		t.Error("nothing was dropped")
	}
}

// Events of many loops at a time, while watchers come and go, are told whole.
func TestWatchConcurrently(t *testing.T) {
	t.Parallel()
	h := NewHub()
	const each, loops = 200, 4
	queue := asked(t, h, Query{Payload: true}, 1<<22)
	var group sync.WaitGroup
	for range loops {
		group.Go(func() {
			for range each {
				r := message()
				r.Context = &payloads{body: []byte("body"), answer: []byte("answer")}
				h.Record(r)
			}
		})
		group.Go(func() {
			for range each {
				if stop, err := h.Watch(Query{}, NewQueue(10)); err == nil {
					stop()
				}
			}
		})
	}
	group.Wait()
	if got := len(told(t, queue.take(nil))); got != each*loops {
		t.Errorf("%d events", got)
	}
}

// What is shown of payloads: as text, cut between characters, in base64 where they are
// none, and without secrets.
func TestPayload(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", maxPayload)
	for name, c := range map[string]struct {
		kind string
		from *payloads
		want Payload
	}{
		"nothing": {telemetry.EventMessage, &payloads{}, Payload{}},
		"text": {
			telemetry.EventMessage, &payloads{body: []byte("a\u2028\n\"b\""), answer: []byte(`{"token":"SECRET"}`)},
			Payload{Body: "a\u2028\n\"b\"", Answer: `{"token":"***"}`, AnswerBytes: 18},
		},
		"long": {
			telemetry.EventPush, &payloads{body: []byte("x" + long)},
			Payload{Body: "x" + long[:maxPayload-2], BodyCut: true},
		},
		"binary": {
			telemetry.EventMessage, &payloads{body: []byte{0xff, 0, 1}, answer: bytes.Repeat([]byte{0xff}, maxPayload+1)},
			Payload{BodyBase64: "/wAB", AnswerBase64: strings.Repeat("/", (maxPayload/3)*4) + "/w==", AnswerCut: true, AnswerBytes: maxPayload + 1},
		},
		"a secret behind the cut": {
			telemetry.EventMessage, &payloads{body: []byte(`{"password":"` + strings.Repeat("S", maxPayload) + `"}`)},
			Payload{Body: `{"password":"***"`, BodyCut: true},
		},
		"a handshake": {
			telemetry.EventConnect,
			&payloads{
				header: [][2]string{{"X-A", "1"}, {"Cookie", "a=SECRET"}, {"x-a", "2"}, {"X-Long", strings.Repeat("y", 2*maxValue)}, {"Sec-WebSocket-Protocol", "chat, bearer.SECRET"}},
				query:  url.Values{"room": {"1", "2"}, "auth": {"SECRET"}},
			},
			Payload{
				Headers: map[string]string{"X-A": "1, 2", "Cookie": "***", "X-Long": strings.Repeat("y", maxValue) + "…", "Sec-WebSocket-Protocol": "chat, ***"},
				Query:   map[string]string{"room": "1, 2", "auth": "***"},
			},
		},
		"lines of another kind": {telemetry.EventMessage, &payloads{header: [][2]string{{"X-A", "1"}}}, Payload{}},
	} {
		r := message()
		r.Event, r.Context = c.kind, c.from
		line := appendEvent(nil, r, true)
		e, err := ParseEvent(line)
		if err != nil {
			t.Errorf("%s: %v: %s", name, err, line)
			continue
		}
		if diff := cmp.Diff(c.want, e.Payload); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
		if bytes.Contains(line, []byte("SECRET")) || bytes.ContainsAny(line, "\r\n") {
			t.Errorf("%s: %s", name, line)
		}
	}
}

// However large the payloads, header lines and parameters are, an event is not.
func TestPayloadIsBounded(t *testing.T) {
	t.Parallel()
	from := &payloads{body: bytes.Repeat([]byte{1}, 1<<20), answer: bytes.Repeat([]byte{2}, 1<<20), query: url.Values{}}
	for i := range 2000 {
		name := fmt.Sprintf("%d%s", i, strings.Repeat("\x01", 4000))
		from.header = append(from.header, [2]string{name, name}, [2]string{"same", name})
		from.query[name] = []string{name, name}
	}
	r := message()
	r.Event, r.Context = telemetry.EventConnect, from
	line := appendEvent(nil, r, true)
	if !json.Valid(line) || len(line) > maxWaiting {
		t.Errorf("%d bytes", len(line))
	}
}

// What is no event is told so.
func TestParseEventMistakes(t *testing.T) {
	t.Parallel()
	for _, line := range []string{``, `{}`, `[]`, `{"event":1}`, `{"event":"message","time":"yesterday"}`, `hello`} {
		if e, err := ParseEvent([]byte(line)); err == nil {
			t.Errorf("%s is read as %+v", line, e)
		}
	}
	if e, err := ParseEvent([]byte(`{"event":"notice","text":"3 events are missing here"}`)); err != nil || e.Notice != "3 events are missing here" {
		t.Errorf("%+v %v", e, err)
	}
}

func BenchmarkRecord(b *testing.B) {
	r := message()
	r.Context = &payloads{body: []byte(`{"action":"send","text":"` + strings.Repeat("x", 128) + `"}`), answer: []byte(`{"ok":true}`)}
	for _, c := range []struct {
		name     string
		watchers int
		query    Query
	}{
		{"nobody", 0, Query{}}, {"one", 1, Query{}}, {"one of another API", 1, Query{APIs: []string{"another"}}}, {"one with payloads", 1, Query{Payload: true}},
		{"all that may", maxWatchers, Query{}},
	} {
		b.Run(c.name, func(b *testing.B) {
			h := NewHub()
			var queues []*Queue
			for range c.watchers {
				queue := NewQueue(maxWaiting)
				stop, err := h.Watch(c.query, queue)
				if err != nil {
					b.Fatal(err)
				}
				defer stop()
				queues = append(queues, queue)
			}
			spare := make([]byte, 0, maxWaiting)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				h.Record(r)
				if n%100 == 0 {
					for _, queue := range queues {
						spare = queue.take(spare)
					}
				}
			}
		})
	}
}
