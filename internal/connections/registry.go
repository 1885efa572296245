// Package connections is the @connections API: it finds an open connection by
// its id and posts to it, describes it or closes it. The gateway adds and
// removes connections and hands the requests over.
package connections

import (
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// Connection is an open connection, as the @connections API needs it.
type Connection interface {
	APIID() string
	// Post sends one text message. It does not wait for the client. It
	// answers apigw.ErrGone when the connection is closing or closed, and
	// apigw.ErrLimit when the client reads too slowly and its queue is full.
	Post(text []byte) *apigw.Error
	// Disconnect closes the connection with 1000.
	Disconnect()
	Info() Info
}

// Info describes a connection.
type Info struct {
	SourceIP     string
	UserAgent    string
	ConnectedAt  time.Time
	LastActiveAt time.Time
}

const shards = 64

// Registry holds the open connections of this node by id.
type Registry struct {
	shards [shards]struct {
		sync.RWMutex
		connections map[ID]Connection // guarded by the mutex
	}
}

// NewRegistry makes an empty registry.
func NewRegistry() *Registry {
	r := &Registry{}
	for i := range r.shards {
		r.shards[i].connections = make(map[ID]Connection)
	}
	return r
}

// Add makes a connection reachable. It replaces nothing: ids are unique.
func (r *Registry) Add(id ID, c Connection) {
	s := &r.shards[id[0]%shards]
	s.Lock()
	defer s.Unlock()
	s.connections[id] = c
}

// Remove forgets a connection. A missing one is no error.
func (r *Registry) Remove(id ID) {
	s := &r.shards[id[0]%shards]
	s.Lock()
	defer s.Unlock()
	delete(s.connections, id)
}

// Get returns the connection with an id, or nil.
func (r *Registry) Get(id ID) Connection {
	s := &r.shards[id[0]%shards]
	s.RLock()
	defer s.RUnlock()
	return s.connections[id]
}

// Each calls visit for every open connection. Connections that open or close
// meanwhile may be missed or seen. visit must not call Add or Remove.
func (r *Registry) Each(visit func(Connection)) {
	for i := range r.shards {
		r.shards[i].RLock()
		for _, c := range r.shards[i].connections {
			visit(c)
		}
		r.shards[i].RUnlock()
	}
}

// Len is the number of open connections.
func (r *Registry) Len() int {
	n := 0
	for i := range r.shards {
		r.shards[i].RLock()
		n += len(r.shards[i].connections)
		r.shards[i].RUnlock()
	}
	return n
}
