package webguard

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestHosts(t *testing.T) {
	t.Parallel()
	g := Guard{Knows: func(host string) bool { return host == "chat.example.com" }}
	for host, want := range map[string]int{
		"127.0.0.1:8081": 0, "127.0.0.1": 0, "[::1]:8081": 0, "[::1]": 0, "192.168.1.7:8080": 0,
		"localhost": 0, "localhost:8081": 0, "LOCALHOST.:8081": 0, "api.localhost:8080": 0,
		"chat.example.com": 0, "Chat.Example.Com:443": 0,
		"abc123defg.execute-api.eu-west-1.amazonaws.com": 0, "abc123defg.execute-api.cn-north-1.amazonaws.com.cn:443": 0, "dynamodb.us-east-1.amazonaws.com": 0,
		"": 421, "evil.example": 421, "evil.example:8081": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "127.0.0.1.nip.io:8081": 421,
		"x.chat.example.com": 421, "abc.execute-api.evil.example": 421, "abc.execute-api.us-east-1.amazonaws.com.evil.example": 421,
		"execute-api.us-east-1.amazonaws.com": 421, "evil.s3.amazonaws.com": 421, "amazonaws.com": 421, "amazonaws.com.cn": 421,
		"2130706433": 421, "0x7f000001": 421, "stagedoor": 421, "evil.example:80:80": 421, "[evil.example]": 421,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		if refusal := g.Check(r); (refusal == nil) != (want == 0) || refusal != nil && refusal.Status != want {
			t.Errorf("%q: %+v, want %d", host, refusal, want)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Host = "chat.example.com"
	if (Guard{}).Check(r) == nil {
		t.Error("a guard that knows no names takes one")
	}
}

// The method does not matter: what a page may not change it may not read.
func TestPages(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		header http.Header
		want   bool
	}{
		{"a program", nil, true},
		{"a page of the same origin", http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"http://127.0.0.1:8081"}}, true},
		{"a page of the same origin, in an old browser", http.Header{"Origin": {"http://127.0.0.1:8081"}}, true},
		{"typed into a browser", http.Header{"Sec-Fetch-Site": {"none"}}, true},
		{"a page of another site", http.Header{"Sec-Fetch-Site": {"cross-site"}}, false},
		{"a page of another port", http.Header{"Sec-Fetch-Site": {"same-site"}, "Origin": {"http://127.0.0.1:3000"}}, false},
		{"an old browser, another port", http.Header{"Origin": {"http://127.0.0.1:3000"}}, false},
		{"an old browser", http.Header{"Origin": {"https://evil.example"}}, false},
		{"a sandboxed frame", http.Header{"Origin": {"null"}}, false},
		{"a file", http.Header{"Origin": {"file://"}}, false},
		{"two origins", http.Header{"Origin": {"http://127.0.0.1:8081", "https://evil.example"}}, false},
		{"two sites", http.Header{"Sec-Fetch-Site": {"same-origin", "cross-site"}}, false},
		{"both", http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"https://evil.example"}}, false},
		{"garbage", http.Header{"Origin": {"http://%zz"}}, false},
		{"a site that is not known", http.Header{"Sec-Fetch-Site": {""}}, false},
	} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			r := httptest.NewRequest(method, "/", nil)
			r.Host, r.Header = "127.0.0.1:8081", test.header
			if refusal := (Guard{}).Check(r); (refusal == nil) != test.want || refusal != nil && refusal.Status != 403 {
				t.Errorf("%s, %s: %+v", test.name, method, refusal)
			}
		}
	}
}

func TestHandler(t *testing.T) {
	t.Parallel()
	h := Guard{}.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }), PlainText)
	for host, want := range map[string]int{"localhost": 204, "evil.example": 421} {
		r := httptest.NewRequest("POST", "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%s: %d %s", host, w.Code, w.Body)
		}
	}
}
