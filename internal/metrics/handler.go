package metrics

import (
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/stagedoor/stagedoor/internal/forwarded"
)

// Path is where metrics are asked for.
const Path = "/metrics"

// Handler answers requests for metrics, in Prometheus' text, in that of OpenMetrics, or
// in Prometheus' protocol buffers, which have native histograms: from this machine
// anybody's, from elsewhere those that have the token. All others get 403.
type Handler struct {
	answers http.Handler
	token   atomic.Pointer[[sha256.Size]byte] // its hash; nil: there is none
}

// NewHandler makes the handler of metrics. What trusted proxies say of a client's
// address is believed. Numbers that cannot be collected are logged; the others are
// answered.
func (m *Metrics) NewHandler(trusted forwarded.Networks, log *slog.Logger) *Handler {
	h := &Handler{}
	answers := promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{
		Registry: m.Registry, EnableOpenMetrics: true, MaxRequestsInFlight: maxScrapes,
		ErrorHandling: promhttp.ContinueOnError, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	})
	h.answers = forwarded.Handler(trusted, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.admits(r) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "Metrics are for this machine, and for who sends the token of metrics.tokenEnv or\nmetrics.tokenFile as \"Authorization: Bearer ...\".\n")
			return
		}
		answers.ServeHTTP(w, r)
	}))
	return h
}

// maxScrapes is how many requests are answered at a time: each takes memory for all
// series.
const maxScrapes = 8

// SetToken replaces the token; an empty one is none.
func (h *Handler) SetToken(token string) {
	if token == "" {
		h.token.Store(nil)
		return
	}
	sum := sha256.Sum256([]byte(token))
	h.token.Store(&sum)
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != Path:
		http.NotFound(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	default:
		h.answers.ServeHTTP(w, r)
	}
}

// admits reports whether a request comes from this machine, or has the token.
func (h *Handler) admits(r *http.Request) bool {
	if address, err := netip.ParseAddr(forwarded.Of(r).Address); err == nil && address.Unmap().IsLoopback() {
		return true
	}
	want := h.token.Load()
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if want == nil || !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	got := sha256.Sum256([]byte(strings.TrimSpace(token)))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}
