package main

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// memory is Members in a map.
type memory map[string]Member

func (t memory) Add(_ context.Context, m Member) error {
	t[m.ConnectionID] = m
	return nil
}

func (t memory) Update(ctx context.Context, m Member) error {
	if _, err := t.Get(ctx, m.ConnectionID); err != nil {
		return err
	}
	return t.Add(ctx, m)
}

func (t memory) Get(_ context.Context, id string) (Member, error) {
	m, ok := t[id]
	if !ok {
		return Member{}, ErrGone
	}
	return m, nil
}

func (t memory) Remove(ctx context.Context, id string) (Member, error) {
	m, err := t.Get(ctx, id)
	delete(t, id)
	return m, err
}

func (t memory) InRoom(_ context.Context, room string) ([]Member, error) {
	var members []Member
	for _, m := range t {
		if m.Room == room {
			members = append(members, m)
		}
	}
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.ConnectionID, b.ConnectionID) })
	return members, nil
}

// world is a chat with the clients around it.
type world struct {
	t    *testing.T
	chat *Chat
	mu   sync.Mutex
	gone map[string]bool
	seen map[string][]string // what was pushed to each client since the last look
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, gone: map[string]bool{}, seen: map[string][]string{}}
	w.chat = &Chat{Members: memory{}, Gateway: w}
	return w
}

func (w *world) Post(_ context.Context, endpoint, id string, data []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if want := "https://chat.example/dev"; endpoint != want {
		w.t.Errorf("posted to %s, want %s", endpoint, want)
	}
	if w.gone[id] {
		return ErrGone
	}
	w.seen[id] = append(w.seen[id], summary(w.t, string(data)))
	return nil
}

// event lets a client cause an event and returns the status and the answer.
func (w *world) event(id, route, body string, query ...string) (int, string) {
	w.t.Helper()
	e := events.APIGatewayWebsocketProxyRequest{Body: body}
	e.RequestContext.RouteKey = route
	e.RequestContext.ConnectionID = id
	e.RequestContext.DomainName = "chat.example"
	e.RequestContext.Stage = "dev"
	e.RequestContext.RequestTimeEpoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixMilli()
	if len(query) == 2 {
		e.QueryStringParameters = map[string]string{query[0]: query[1]}
	}
	response, err := w.chat.Handle(w.t.Context(), e)
	if err != nil {
		w.t.Fatalf("%s: %v", route, err)
	}
	return response.StatusCode, summary(w.t, response.Body)
}

// enter connects a client and brings it into the lobby.
func (w *world) enter(id, name string) {
	w.t.Helper()
	if status, _ := w.event(id, "$connect", "", "name", name); status != http.StatusOK {
		w.t.Fatalf("$connect of %s: status %d", name, status)
	}
	w.event(id, "join", `{"action":"join","room":"lobby"}`)
}

// expect compares what was pushed to a client since the last look.
func (w *world) expect(id string, want ...string) {
	w.t.Helper()
	if got := w.seen[id]; !slices.Equal(got, want) {
		w.t.Errorf("%s saw %q, want %q", id, got, want)
	}
	delete(w.seen, id)
}

// summary writes an event in one short line, without its room and time.
func summary(t *testing.T, body string) string {
	t.Helper()
	if body == "" {
		return ""
	}
	var e event
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Errorf("%q: %v", body, err)
	}
	parts := slices.DeleteFunc([]string{e.Type, e.Name, e.Text, strings.Join(e.Members, "+")}, func(s string) bool { return s == "" })
	return strings.Join(parts, " ")
}

func TestAConversation(t *testing.T) {
	w := newWorld(t)
	w.enter("1", "Ada")
	w.enter("2", "bob")
	w.expect("1", "entered bob Ada+bob")

	if _, answer := w.event("1", "message", `{"action":"message","text":" hello "}`); answer != "message Ada hello" {
		t.Errorf("answer to the sender: %q", answer)
	}
	w.expect("1")
	w.expect("2", "message Ada hello")

	if _, answer := w.event("2", "who", `{"action":"who"}`); answer != "members Ada+bob" {
		t.Errorf("answer to who: %q", answer)
	}
	w.event("2", "$disconnect", "")
	w.expect("1", "left bob Ada")
	if status, _ := w.event("2", "$disconnect", ""); status != http.StatusOK {
		t.Errorf("second $disconnect: status %d", status)
	}
	w.expect("1")
}

func TestChangingRoomAndName(t *testing.T) {
	w := newWorld(t)
	w.enter("1", "Ada")
	w.enter("2", "Bob")
	w.expect("1", "entered Bob Ada+Bob")
	w.event("2", "join", `{"room":"lobby"}`)
	w.expect("1") // nothing changed
	w.event("2", "join", `{"room":"lobby","name":"Rob"}`)
	w.expect("1", "left Bob Ada", "entered Rob Ada+Rob")
	if _, answer := w.event("2", "join", `{"room":"attic"}`); answer != "joined Rob Rob" {
		t.Errorf("answer: %q", answer)
	}
	w.expect("1", "left Rob Ada")
	w.event("2", "message", `{"text":"alone"}`)
	w.expect("1")
}

func TestStaleConnectionsAreRemoved(t *testing.T) {
	w := newWorld(t)
	for id, name := range map[string]string{"1": "Ada", "2": "Bob", "3": "Cy", "4": "Di"} {
		w.enter(id, name)
	}
	clear(w.seen)
	w.gone = map[string]bool{"2": true, "3": true}
	w.event("1", "message", `{"text":"anyone?"}`)
	w.expect("4", "message Ada anyone?", "left Bob Ada+Cy+Di", "left Cy Ada+Di")
	if got, want := len(w.chat.Members.(memory)), 2; got != want {
		t.Errorf("%d members are left, want %d", got, want)
	}
	// A message of a connection that is known to be gone has no effect.
	if status, answer := w.event("2", "message", `{"text":"boo"}`); status != http.StatusGone || !strings.HasPrefix(answer, "error This connection is not known") {
		t.Errorf("status %d, answer %q", status, answer)
	}
}

func TestConnect(t *testing.T) {
	tests := []struct {
		id, name string
		status   int
		want     string // the name in the table
	}{
		{"AbCdEf==", "", http.StatusOK, "guest-abcd"},
		{"1", " Ada ", http.StatusOK, "Ada"},
		{"1", strings.Repeat("é", maxName), http.StatusOK, strings.Repeat("é", maxName)},
		{"1", strings.Repeat("é", maxName+1), http.StatusBadRequest, ""},
		{"1", "a\x00b", http.StatusBadRequest, ""},
	}
	for _, tt := range tests {
		w := newWorld(t)
		status, _ := w.event(tt.id, "$connect", "", "name", tt.name)
		if got := w.chat.Members.(memory)[tt.id].Name; status != tt.status || got != tt.want {
			t.Errorf("$connect as %q: status %d and name %q, want %d and %q", tt.name, status, got, tt.status, tt.want)
		}
	}
}

func TestMistakesAreAnswered(t *testing.T) {
	w := newWorld(t)
	w.event("1", "$connect", "", "name", "Ada")
	tests := []struct{ route, body, want string }{
		{"$default", "hello", "error Send a JSON object"},
		{"$default", `{"action":"dance"}`, "error Unknown action."},
		{"message", `{"text":"hi"}`, "error Join a room first"},
		{"message", `{"text":" "}`, "error The text is missing."},
		{"message", `{"text":"` + strings.Repeat("x", maxText+1) + `"}`, "error The text is longer than 2000 characters."},
		{"who", `{}`, "error Join a room first"},
		{"join", `{}`, "error The room is missing."},
		{"join", `{"room":"lobby","name":"` + strings.Repeat("x", maxName+1) + `"}`, "error The name is longer than 32 characters."},
		{"join", `{"room":7}`, "error Send a JSON object"},
	}
	for _, tt := range tests {
		status, answer := w.event("1", tt.route, tt.body)
		if status != http.StatusBadRequest || !strings.HasPrefix(answer, tt.want) {
			t.Errorf("%s %.40s: status %d, answer %q, want 400, %q", tt.route, tt.body, status, answer, tt.want)
		}
	}
}

func TestEventsOnTheWire(t *testing.T) {
	got, err := json.Marshal(&event{Type: "message", Room: "lobby", Name: "Ada", Text: "hi", Time: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)})
	want := `{"type":"message","room":"lobby","name":"Ada","text":"hi","time":"2026-01-02T03:04:05.006Z"}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}
