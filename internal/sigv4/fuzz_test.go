package sigv4

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// FuzzVerify: no request breaks the verifier, and none is accepted whose
// signature was not made with the secret.
func FuzzVerify(f *testing.F) {
	for _, c := range suite {
		f.Add("GET /?a=b HTTP/1.1\r\n" + strings.ReplaceAll(suiteHead+c.headers, "\n", "\r\n") + "\r\n" + c.body)
	}
	f.Add("GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Signature=0 HTTP/1.1\r\nHost: h\r\n\r\n")
	f.Add("GET / HTTP/1.1\r\nHost: h\r\nX-Amz-Date: 20150830T123600Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n")
	v := verifierAt(suiteTime)
	f.Fuzz(func(t *testing.T, raw string) {
		r, body, err := received(raw)
		if err != nil {
			return
		}
		if signature, err := v.Verify(t.Context(), r, body, "service"); err == nil {
			t.Errorf("accepted as %+v", signature)
		}
	})
}

// FuzzEscapes: escaping is undone by unescaping, and the canonical query is
// that of the same query in any order.
func FuzzEscapes(f *testing.F) {
	f.Add("a=b&c=%20+d&&e", "/a/../%40b//c")
	f.Fuzz(func(t *testing.T, query, path string) {
		if back, ok := unescape(escape(query)); !ok || back != query {
			t.Errorf("%q comes back as %q", query, back)
		}
		if once := canonicalPath(path); !strings.HasPrefix(once, "/") || strings.Contains(once, "//") {
			t.Errorf("the canonical path of %q is %q", path, once)
		}
		parameters, err := parseQuery(query)
		if err != nil {
			return
		}
		canonical := canonicalQuery(parameters, false)
		slices.Reverse(parameters)
		if again := canonicalQuery(parameters, false); again != canonical {
			t.Errorf("the canonical query of %q is %q or %q", query, canonical, again)
		}
		values, err := url.ParseQuery(query)
		if err != nil {
			return // net/url has more rules
		}
		for name := range values {
			if !strings.Contains(canonical, escape(name)+"=") {
				t.Errorf("the canonical query %q lacks %q", canonical, name)
			}
		}
	})
}

// BenchmarkVerify measures what every signed request pays.
func BenchmarkVerify(b *testing.B) {
	r, body, err := received("GET / HTTP/1.1\r\nHost:example.amazonaws.com\r\nX-Amz-Date:20150830T123600Z\r\n" +
		"Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, " +
		"Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31\r\n\r\n")
	if err != nil {
		b.Fatal(err)
	}
	v := verifierAt(suiteTime)
	v.Signing = new(SigningKeys)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(b.Context(), r, body, "service"); err != nil {
			b.Fatal(err)
		}
	}
}
