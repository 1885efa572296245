package listener_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/listener"
)

// smuggled is what an attacker wants a proxy not to see. It would be answered
// with 426.
var smuggled = head("GET /dev HTTP/1.1", "Host: x", "X-Smuggled: yes")

// Each of these gets one refusal, and nothing behind it is read as a request.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	const post = "POST /dev/@connections/x HTTP/1.1"
	tests := []struct {
		name, text string
		want       int
	}{
		{"Content-Length and chunked", head(post, "Host: x", "Content-Length: 4", "Transfer-Encoding: chunked") + "0\r\n\r\n" + smuggled, 400},
		{"chunked and Content-Length", head(post, "Host: x", "Transfer-Encoding: chunked", "Content-Length: 5") + "0\r\n\r\n" + smuggled, 400},
		{"two lengths", head(post, "Host: x", "Content-Length: 0", "Content-Length: 60") + smuggled, 400},
		{"two lengths alike", head(post, "Host: x", "Content-Length: 0", "Content-Length: 0") + smuggled, 400},
		{"two lengths on one line", head(post, "Host: x", "Content-Length: 0, 0") + smuggled, 400},
		{"a signed length", head(post, "Host: x", "Content-Length: +0") + smuggled, 400},
		{"a length in hexadecimal", head(post, "Host: x", "Content-Length: 0x0") + smuggled, 400},
		{"a length of nothing", head(post, "Host: x", "Content-Length: ") + smuggled, 400},
		{"a negative length", head(post, "Host: x", "Content-Length: -1") + smuggled, 400},
		{"two encodings", head(post, "Host: x", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + "0\r\n\r\n" + smuggled, 501},
		{"chunked, then something else", head(post, "Host: x", "Transfer-Encoding: chunked, identity") + "0\r\n\r\n" + smuggled, 501},
		{"an encoding that nobody knows", head(post, "Host: x", "Transfer-Encoding: xchunked") + "0\r\n\r\n" + smuggled, 501},
		{"an encoding behind a control character", head(post, "Host: x", "Transfer-Encoding: \x0bchunked") + "0\r\n\r\n" + smuggled, 400},
		{"an encoding in HTTP/1.0", head("POST /dev/@connections/x HTTP/1.0", "Host: x", "Connection: keep-alive", "Transfer-Encoding: chunked") + smuggled, 400},
		{"a space before the colon", head(post, "Host: x", "Content-Length : 60") + smuggled, 400},
		{"a tab before the colon", head(post, "Host: x", "Transfer-Encoding\t: chunked") + smuggled, 400},
		{"a folded encoding", head(post, "Host: x", "Transfer-Encoding:", " chunked") + "0\r\n\r\n" + smuggled, 400},
		{"a folded header line", head(post, "Host: x", "X-A: b", "\tContent-Length: 60") + smuggled, 400},
		{"a fold before the first line", head(post, " Content-Length: 60", "Host: x") + smuggled, 400},
		{"a bare line feed after a line", "POST /dev HTTP/1.1\r\nHost: x\nContent-Length: 60\r\n\r\n" + smuggled, 400},
		{"a bare line feed after the request line", "POST /dev HTTP/1.1\nHost: x\r\n\r\n" + smuggled, 400},
		{"a bare line feed at the end", "POST /dev HTTP/1.1\r\nHost: x\r\n\n" + smuggled, 400},
		{"bare line feeds alone", "POST /dev HTTP/1.1\nHost: x\n\n" + smuggled, 400},
		{"a bare carriage return in a value", head(post, "Host: x", "X-A: b\rContent-Length: 60") + smuggled, 400},
		{"two carriage returns", "POST /dev HTTP/1.1\r\nHost: x\r\r\n\r\n" + smuggled, 400},
		{"a NUL in a value", head(post, "Host: x", "X-A: b\x00c") + smuggled, 400},
		{"a NUL in a name", head(post, "Host: x", "X\x00A: b") + smuggled, 400},
		{"a name of nothing", head(post, "Host: x", ": b") + smuggled, 400},
		{"a line without a colon", head(post, "Host: x", "Content-Length 60") + smuggled, 400},
		{"an upgrade with a length", upgrade("/dev", "Host: x", "Content-Length: 4") + "abcd", 400},
		{"an upgrade with chunks", upgrade("/dev", "Host: x", "Transfer-Encoding: chunked") + "0\r\n\r\n", 400},
		{"a chunk that ends with a bare line feed", head(post, "Host: localhost", "Transfer-Encoding: chunked") + "1\nx\r\n0\r\n\r\n" + smuggled, 400},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := gatewayBehind(t, listener.Options{})
			alive := neighbour(t, g)
			codes, _ := answers(t, g.Address, test.text)
			if !slices.Equal(codes, []int{test.want}) {
				t.Errorf("answers %v, want %d alone", codes, test.want)
			}
			alive()
		})
	}
}

// What a request is for is said once.
func TestHostConfusion(t *testing.T) {
	t.Parallel()
	g := gatewayBehind(t, listener.Options{})
	alive := neighbour(t, g)
	const api, other = "testapi123.execute-api.us-east-1.amazonaws.com", "other456.execute-api.us-east-1.amazonaws.com"
	tests := []struct {
		name, text string
		want       int
	}{
		{"the API's host", upgrade("/dev", "Host: "+api), 101},
		{"in capitals, with a port and a dot", upgrade("/dev", "Host: TESTAPI123.Execute-API.us-east-1.amazonaws.com.:8443"), 101},
		{"another API's stage", upgrade("/dev", "Host: "+other), 403},
		{"another API's stage by the local path", upgrade("/_aws/execute-api/testapi123/dev", "Host: "+other), 403},
		{"a custom domain", upgrade("/", "Host: example.com"), 101},
		{"a key of a custom domain", upgrade("/v1/chat", "Host: example.com"), 101},
		{"a stage on a custom domain", upgrade("/dev", "Host: example.com"), 403},
		{"the local path on a custom domain", upgrade("/_aws/execute-api/testapi123/dev", "Host: example.com"), 403},
		{"two Host lines", upgrade("/dev", "Host: "+api, "Host: "+other), 400},
		{"no Host line", upgrade("/dev"), 400},
		{"a Host that is a list", upgrade("/dev", "Host: "+api+", "+other), 400},
		{"a Host with a path", upgrade("/dev", "Host: "+api+"/dev"), 400},
		{"a Host with a user", upgrade("/dev", "Host: "+api+"@"+other), 400},
		{"an absolute target of the same host", upgrade("http://"+api+"/dev", "Host: "+api), 101},
		{"an absolute target of another host", upgrade("http://"+api+"/dev", "Host: "+other), 400},
		{"an absolute target without a Host line", upgrade("http://" + api + "/dev"), 400},
		{"a target without a slash", upgrade("dev", "Host: "+api), 400},
		{"a host in X-Forwarded-Host", upgrade("/dev", "Host: "+other, "X-Forwarded-Host: "+api), 403},
		{"the name of the server as a target", upgrade("*", "Host: "+api), 403},
		{"a tunnel", head("CONNECT "+api+":443 HTTP/1.1", "Host: "+api+":443"), 403},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if codes, _ := answers(t, g.Address, test.text); !slices.Equal(codes, []int{test.want}) {
				t.Errorf("answers %v, want %d", codes, test.want)
			}
			alive()
		})
	}
}

// A path means one thing, and there is no way around a stage's name.
func TestPathTricks(t *testing.T) {
	t.Parallel()
	g := gatewayBehind(t, listener.Options{})
	alive := neighbour(t, g)
	tests := []struct {
		target string
		want   int
	}{
		{"/dev", 101},
		{"/dev/", 101},
		{"/%64ev", 101}, // the same path, RFC 3986, section 6.2.2.2
		{"//dev", 403},
		{"/dev//", 403},
		{"///", 403},
		{"/./dev", 403},
		{"/prod/../dev", 403},
		{"/prod/%2e%2e/dev", 403},
		{"/dev/..", 403},
		{"/dev/%2e%2e/prod", 403},
		{"/dev%2f", 403},
		{"/dev%2F..%2Fprod", 403},
		{"/dev%00", 403},
		{"/dev%0d%0aX-Injected:%20yes", 403},
		{"/dev;x=y", 403},
		{"/dev%3fx", 403},
		{"/dev%20", 403},
		{"/DEV", 403},
		{"/dev\\..\\prod", 403},
		{"/dev/x", 403},
		{"/dev%zz", 400},
		{"/dev%", 400},
		{"/dev x", 400},
		{"/_aws/execute-api/testapi123/dev", 101},
		{"/_aws/execute-api/testapi123/../other456/prod", 403},
		{"/_aws/execute-api/testapi123%2fdev", 403},
		{"/_aws//execute-api/testapi123/dev", 403},
	}
	for _, test := range tests {
		t.Run(test.target, func(t *testing.T) {
			if codes, _ := answers(t, g.Address, upgrade(test.target, "Host: x")); !slices.Equal(codes, []int{test.want}) {
				t.Errorf("answers %v, want %d", codes, test.want)
			}
			alive()
		})
	}
}

// Only HTTP/1.1 upgrades, by GET.
func TestOddProtocols(t *testing.T) {
	t.Parallel()
	g := gatewayBehind(t, listener.Options{})
	alive := neighbour(t, g)
	replaced := func(line string) string {
		return strings.Replace(upgrade("/dev", "Host: x"), "GET /dev HTTP/1.1", line, 1)
	}
	tests := []struct {
		name, text string
		want       int
	}{
		{"HTTP/0.9", "GET /dev\r\n\r\n", 400},
		{"HTTP/1.0", replaced("GET /dev HTTP/1.0"), 400},
		{"HTTP/1.10", replaced("GET /dev HTTP/1.10"), 400},
		{"HTTP/2.0", replaced("GET /dev HTTP/2.0"), 505},
		{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 403},
		{"another protocol", replaced("GET /dev WS/1.1"), 400},
		{"POST", replaced("POST /dev HTTP/1.1"), 400},
		{"get", replaced("get /dev HTTP/1.1"), 400},
		{"a method that is no token", replaced("GE(T /dev HTTP/1.1"), 400},
		{"TRACE", head("TRACE /dev HTTP/1.1", "Host: x"), 426},
		{"two spaces", replaced("GET  /dev HTTP/1.1"), 400},
		{"a tab", replaced("GET\t/dev HTTP/1.1"), 400},
		{"garbage", "\x00\x01\x02\r\n\r\n", 400},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if codes, _ := answers(t, g.Address, test.text); !slices.Equal(codes, []int{test.want}) {
				t.Errorf("answers %v, want %d", codes, test.want)
			}
			alive()
		})
	}
}

// The id of a connection works on its own API and stage alone, in whatever form
// the path names them.
func TestConnectionsPathTricks(t *testing.T) {
	t.Parallel()
	g := gatewayBehind(t, listener.Options{})
	c := g.Dial("/dev")
	id := g.Records.Wait(t, "connect", 1).ConnectionID
	escaped := strings.ReplaceAll(id, "=", "%3D")
	tests := []struct {
		target string
		want   int
	}{
		{"/dev/@connections/" + escaped, 200},
		{"/dev/%40connections/" + escaped, 200},
		{"/dev/@connections/" + id, 200},
		{"/dev/%40CONNECTIONS/" + escaped, 403},
		{"/dev//@connections/" + escaped, 403},
		{"//dev/@connections/" + escaped, 403},
		{"/dev%2f@connections/" + escaped, 403},
		{"/dev/@connections%2f" + escaped, 403},
		{"/dev/./@connections/" + escaped, 403},
		{"/prod/@connections/" + escaped, 410},
		{"/prod/../dev/@connections/" + escaped, 403},
		{"/prod/%2e%2e/dev/@connections/" + escaped, 403},
		{"/_aws/execute-api/other456/prod/@connections/" + escaped, 410},
		{"/_aws/execute-api/other456/dev/@connections/" + escaped, 403},
	}
	for _, test := range tests {
		t.Run(test.target, func(t *testing.T) {
			codes, _ := answers(t, g.Address, head("GET "+test.target+" HTTP/1.1", "Host: localhost", "Connection: close"))
			if !slices.Equal(codes, []int{test.want}) {
				t.Errorf("answers %v, want %d", codes, test.want)
			}
		})
	}
	c.Send("still here")
	if got := c.Receive(); got != "still here" {
		t.Errorf("received %q", got)
	}
}

// Whatever is too large or too much is refused as such.
func TestOversized(t *testing.T) {
	t.Parallel()
	g := gatewayBehind(t, listener.Options{})
	alive := neighbour(t, g)
	many := func(n int) (lines []string) {
		for i := range n {
			lines = append(lines, fmt.Sprintf("X-%d: y", i))
		}
		return append(lines, "Host: x")
	}
	tests := []struct {
		name, text string
		want       []int
	}{
		{"a URL at the gateway's limit", upgrade("/dev?x="+strings.Repeat("y", 4096-7), "Host: x"), []int{101}},
		{"a URL over the gateway's limit", upgrade("/dev?x="+strings.Repeat("y", 4096), "Host: x"), []int{403}},
		{"a URL over the server's limit", upgrade("/dev?x="+strings.Repeat("y", 9000), "Host: x"), []int{414}},
		{"a header line over the limit", upgrade("/dev", "Host: x", "X-Long: "+strings.Repeat("y", 40<<10)), []int{431}},
		{"a header name over the limit", upgrade("/dev", "Host: x", strings.Repeat("y", 40<<10)+": x"), []int{431}},
		{"a request line over the limit", upgrade("/"+strings.Repeat("y", 40<<10), "Host: x"), []int{431}},
		{"a hundred header lines", upgrade("/dev", many(100)...), []int{101}},
		{"a thousand header lines", upgrade("/dev", many(1000)...), []int{431}},
		{"two Authorization lines", head("POST /dev/@connections/x HTTP/1.1", "Host: x", "Authorization: a", "Authorization: b", "Content-Length: 0"), []int{400}},
		{"a chunk size without end", head("POST /dev/@connections/x HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked") + strings.Repeat("0", 5000) + "1\r\nx\r\n0\r\n\r\n", []int{400}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if codes, _ := answers(t, g.Address, test.text); !slices.Equal(codes, test.want) {
				t.Errorf("answers %v, want %v", codes, test.want)
			}
			alive()
		})
	}
}

// A limit of the header that is higher than what can be judged is none.
func TestLargestHeader(t *testing.T) {
	t.Parallel()
	g := gatewayBehind(t, listener.Options{Limits: listener.Limits{HeaderBytes: 1 << 20}})
	for size, want := range map[int]int{50 << 10: 101, 63 << 10: 101, 66 << 10: 431, 500 << 10: 431} {
		codes, _ := answers(t, g.Address, upgrade("/dev", "Host: x", "X-Long: "+strings.Repeat("y", size)))
		if !slices.Equal(codes, []int{want}) {
			t.Errorf("%d bytes: answers %v, want %d", size, codes, want)
		}
	}
}

// Of lines that decide something there is one, or none counts.
func TestDuplicateLines(t *testing.T) {
	t.Parallel()
	g := gatewayBehind(t, listener.Options{})
	alive := neighbour(t, g)
	tests := []struct {
		line string
		want int
	}{
		{"Host: y", 400},
		{"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", 400},
		{"Sec-WebSocket-Version: 13", 426},
		{"Sec-WebSocket-Version: 8", 426},
		{"Content-Length: 0\r\nContent-Length: 0", 400},
		{"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 501},
		{"Authorization: a\r\nAuthorization: b", 400},
		{"authorization: a\r\nAUTHORIZATION: b", 400},
		{"Upgrade: h2c", 101}, // a list, of which one is chosen
		{"Connection: keep-alive", 101},
	}
	for _, test := range tests {
		t.Run(test.line, func(t *testing.T) {
			if codes, _ := answers(t, g.Address, upgrade("/dev", "Host: x", test.line)); !slices.Equal(codes, []int{test.want}) {
				t.Errorf("answers %v, want %d", codes, test.want)
			}
			alive()
		})
	}
}

// What a client writes into its header stays one value of one line for backends.
func TestHeaderInjection(t *testing.T) {
	t.Parallel()
	g := gatewayBehind(t, listener.Options{})
	codes, _ := answers(t, g.Address, upgrade("/dev?a=%0d%0aX-Injected:%20yes", "Host: x", "X-A: b\tc, \"d\" é"))
	if diff := cmp.Diff([]int{101}, codes); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	g.Records.Wait(t, "connect", 1)
}
