package stagedoor

import (
	"encoding/json"
	"net/http"
	"sync"
)

// health is what /readyz tells.
type health struct {
	mu       sync.Mutex // guards the following
	synced   bool       // the configuration was read once, and is served
	stopping bool
	store    error // why the store cannot be reached; nil when it can
}

func (h *health) setSynced()   { h.update(func() { h.synced = true }) }
func (h *health) setStopping() { h.update(func() { h.stopping = true }) }

// setStore takes note of whether the store can be reached, and says whether
// that is news.
func (h *health) setStore(err error) (changed bool) {
	h.update(func() {
		changed = (h.store == nil) != (err == nil)
		h.store = err
	})
	return changed
}

// isSynced tells whether the configuration was read once.
func (h *health) isSynced() (synced bool) {
	h.update(func() { synced = h.synced })
	return synced
}

func (h *health) update(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// ServeHTTP answers /readyz. A gateway whose store is gone goes on with what it
// has, and is ready.
func (h *health) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	var answer struct {
		Status string `json:"status"` // starting, ready or stopping
		Store  string `json:"store"`  // available or unavailable
		Error  string `json:"storeError,omitempty"`
	}
	h.mu.Lock()
	answer.Status, answer.Store = "ready", "available"
	status := http.StatusOK
	switch {
	case h.stopping:
		answer.Status, status = "stopping", http.StatusServiceUnavailable
	case !h.synced:
		answer.Status, status = "starting", http.StatusServiceUnavailable
	}
	if h.store != nil {
		answer.Store, answer.Error = "unavailable", h.store.Error()
	}
	h.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // the client may be gone
}
