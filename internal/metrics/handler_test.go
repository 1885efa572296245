package metrics

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/forwarded"
)

// Metrics are for this machine and for who has the token; behind a trusted proxy it is
// the client that counts.
func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	proxies := forwarded.Networks{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}
	for _, tt := range []struct {
		name    string
		trusted forwarded.Networks
		token   string // of the gateway
		peer    string
		header  http.Header
		want    int
	}{
		{"this machine", nil, "", "127.0.0.1:1", nil, 200},
		{"this machine, by IPv6", nil, "", "[::1]:1", nil, 200},
		{"this machine, by IPv4 in IPv6", nil, "", "[::ffff:127.0.0.1]:1", nil, 200},
		{"this machine, where others need a token", nil, "secret", "127.0.0.1:1", nil, 200},
		{"another machine", nil, "", "192.0.2.1:1", nil, 403},
		{"a token where there is none", nil, "", "192.0.2.1:1", http.Header{"Authorization": {"Bearer "}}, 403},
		{"no token", nil, "secret", "192.0.2.1:1", nil, 403},
		{"a wrong token", nil, "secret", "192.0.2.1:1", http.Header{"Authorization": {"Bearer secre"}}, 403},
		{"a token of another scheme", nil, "secret", "192.0.2.1:1", http.Header{"Authorization": {"Basic secret"}}, 403},
		{"the token", nil, "secret", "192.0.2.1:1", http.Header{"Authorization": {"Bearer secret"}}, 200},
		{"who claims to be here", nil, "", "192.0.2.1:1", http.Header{"X-Forwarded-For": {"127.0.0.1"}}, 403},
		{"a client behind a proxy here", proxies, "", "127.0.0.1:1", http.Header{"X-Forwarded-For": {"192.0.2.1"}}, 403},
		{"a client behind two proxies", proxies, "", "127.0.0.1:1", http.Header{"X-Forwarded-For": {"127.0.0.1, 192.0.2.1, 10.1.1.1"}}, 403},
		{"a client here, behind a proxy", proxies, "", "10.1.1.1:1", http.Header{"X-Forwarded-For": {"127.0.0.1"}}, 200},
		{"a client behind a proxy, with the token", proxies, "secret", "127.0.0.1:1", http.Header{"X-Forwarded-For": {"192.0.2.1"}, "Authorization": {"bearer secret"}}, 200},
	} {
		h := New(Options{}).NewHandler(tt.trusted, slog.New(slog.DiscardHandler))
		h.SetToken(tt.token)
		r := httptest.NewRequest("GET", Path, nil)
		r.RemoteAddr = tt.peer
		if tt.header != nil {
			r.Header = tt.header
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.want || (w.Code == 200) != strings.Contains(w.Body.String(), "stagedoor_build_info{") {
			t.Errorf("%s: %d %.100s, want %d", tt.name, w.Code, w.Body, tt.want)
		}
	}
}

// The formats are Prometheus' text and OpenMetrics; what is no question for metrics is
// refused.
func TestFormats(t *testing.T) {
	t.Parallel()
	m := New(Options{Version: "v1.2.3"})
	stage := m.Stage("api", "name", "prod", never)
	defer runtime.KeepAlive(stage)
	h := m.NewHandler(nil, slog.New(slog.DiscardHandler))
	for _, tt := range []struct {
		method, path, accept string
		status               int
		kind, text           string
	}{
		{"GET", Path, "", 200, "text/plain; version=0.0.4", `stagedoor_build_info{goarch=`},
		{"GET", Path, "", 200, "text/plain", `stagedoor_connect_total{api="name",api_id="api",route="",stage="prod"} 0`},
		{"GET", Path, "application/openmetrics-text; version=1.0.0", 200, "application/openmetrics-text; version=1.0.0", "# EOF"},
		{"HEAD", Path, "", 200, "text/plain", ""},
		{"POST", Path, "", 405, "text/plain", "Method Not Allowed"},
		{"GET", "/metrics/more", "", 404, "text/plain", "404"},
	} {
		r := httptest.NewRequest(tt.method, tt.path, nil)
		r.RemoteAddr = "127.0.0.1:1"
		r.Header.Set("Accept", tt.accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.status || !strings.HasPrefix(w.Header().Get("Content-Type"), tt.kind) || !strings.Contains(w.Body.String(), tt.text) {
			t.Errorf("%s %s: %d %s without %q in\n%s", tt.method, tt.path, w.Code, w.Header().Get("Content-Type"), tt.text, w.Body)
		}
	}
}
