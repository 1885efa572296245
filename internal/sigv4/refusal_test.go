package sigv4

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// push is a push to a connection. It is signed with the package's own
// arithmetic, so that a test can sign what no SDK would.
type push struct {
	headers    string // after Host and X-Amz-Date
	date       string // instead of the right one
	credential string
	names      string
	algorithm  string
	signature  string
	query      string
	body       string
}

func (p push) request(t *testing.T) (*http.Request, []byte) {
	t.Helper()
	or := func(value, standard string) string {
		if value == "" {
			return standard
		}
		return value
	}
	raw := "POST /prod/%40connections/L0SM9cOFvHcCIhw%3D" + p.query + " HTTP/1.1\r\n" +
		"Host: abc123.execute-api.us-east-1.amazonaws.com\r\n" +
		"X-Amz-Date: " + or(p.date, "20150830T123600Z") + "\r\n" + p.headers +
		"Content-Length: 5\r\n" +
		"Authorization: " + or(p.algorithm, algorithm) +
		" Credential=" + or(p.credential, "AKIDEXAMPLE/20150830/us-east-1/execute-api/aws4_request") +
		", SignedHeaders=" + or(p.names, "host;x-amz-date") + ", Signature="
	body := or(p.body, "hello")
	signature := p.signature
	if signature == "" {
		r, received := mustReceive(t, raw+"unsigned\r\n\r\n"+body)
		signature = signed(t, r, received)
	}
	return mustReceive(t, raw+signature+"\r\n\r\n"+body)
}

// signed returns the signature that a request should have; any where the
// request says too little.
func signed(t *testing.T, r *http.Request, body []byte) string {
	t.Helper()
	none := strings.Repeat("0", 64)
	c, err := parseClaim(r)
	if err != nil {
		return none
	}
	if c.time, err = time.Parse(timeFormat, c.rawTime); err != nil {
		return none
	}
	if err := c.checkForm(); err != nil {
		return none
	}
	canonical, _, err := c.canonicalRequest(body)
	if err != nil {
		return none
	}
	signature := signingScope{suiteSecret, c.scopeDate, c.scopeRegion, c.scopeService}.derive().sign(stringToSign(c.rawTime, c.scope(), canonical))
	return string(signature[:])
}

// TestRefusals has the words of section A.5 and F.4, and those that AWS's
// signature check has for the rest.
func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		push   push
		status int
		kind   string
		want   string // how the message begins
	}{
		{"unknown key", push{credential: "AKIDNOBODY/20150830/us-east-1/execute-api/aws4_request"},
			403, "UnrecognizedClientException", "The security token included in the request is invalid."},
		{"expired key", push{credential: "AKIDEXPIRED/20150830/us-east-1/execute-api/aws4_request"},
			403, "ExpiredTokenException", "The security token included in the request is expired"},
		{"wrong signature", push{signature: strings.Repeat("0", 64)},
			403, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided."},
		{"upper-case signature", push{signature: strings.Repeat("A", 64)},
			403, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided."},
		{"short signature", push{signature: "0"},
			403, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided."},
		{"region", push{credential: "AKIDEXAMPLE/20150830/eu-west-1/execute-api/aws4_request"},
			403, "InvalidSignatureException", "Credential should be scoped to a valid region. The region of this gateway is 'us-east-1', not 'eu-west-1'."},
		{"service", push{credential: "AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request"},
			403, "InvalidSignatureException", "Credential should be scoped to correct service: 'execute-api'. "},
		{"terminator", push{credential: "AKIDEXAMPLE/20150830/us-east-1/execute-api/aws5_request"},
			403, "InvalidSignatureException", "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. "},
		{"day", push{credential: "AKIDEXAMPLE/20150829/us-east-1/execute-api/aws4_request"},
			403, "InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != '20150830', from '20150830T123600Z'. "},
		{"everything in the scope", push{credential: "AKIDEXAMPLE/20150829/x/y/z"},
			403, "InvalidSignatureException", "Credential should be scoped to a valid region. Credential should be scoped to correct service: 'execute-api'. Credential should be scoped with"},
		{"four elements", push{credential: "AKIDEXAMPLE/20150830/us-east-1/execute-api"},
			403, "IncompleteSignatureException", "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDEXAMPLE/20150830/us-east-1/execute-api'"},
		{"six elements", push{credential: "a/b/20150830/us-east-1/execute-api/aws4_request"},
			403, "IncompleteSignatureException", "Credential must have exactly 5"},
		{"algorithm", push{algorithm: "AWS4-HMAC-SHA512"},
			403, "IncompleteSignatureException", "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512' (only AWS4-HMAC-SHA256 for now). "},
		{"no host", push{names: "x-amz-date"},
			403, "InvalidSignatureException", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"a signed header that is not there", push{names: "host;x-absent;x-amz-date"},
			403, "InvalidSignatureException", "The request signature we calculated"},
		{"signed headers out of order", push{names: "x-amz-date;host"},
			403, "InvalidSignatureException", "The request signature we calculated"},
		{"signed headers in upper case", push{names: "Host;x-amz-date"},
			403, "InvalidSignatureException", "The request signature we calculated"},
		{"signed headers twice", push{names: "host;host;x-amz-date"},
			403, "InvalidSignatureException", "The request signature we calculated"},
		{"too old", push{date: "20150830T123059Z"},
			403, "InvalidSignatureException", "Signature expired: 20150830T123059Z is now earlier than 20150830T123100Z (20150830T123600Z - 5 min.)"},
		{"too young", push{date: "20150830T124101Z"},
			403, "InvalidSignatureException", "Signature not yet current: 20150830T124101Z is still later than 20150830T124100Z (20150830T123600Z + 5 min.)"},
		{"no date", push{date: "2015-08-30T12:36:00Z"},
			403, "IncompleteSignatureException", "Date must be in ISO-8601 'basic format'. Got '2015-08-30T12:36:00Z'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"a date with fractions", push{date: "20150830T123600.5Z"},
			403, "IncompleteSignatureException", "Date must be in ISO-8601"},
		{"dates twice", push{headers: "X-Amz-Date: 20150830T123600Z\r\n"},
			400, "BadRequestException", "The request has more than one X-Amz-Date header."},
		{"the hash of another body", push{headers: "X-Amz-Content-Sha256: " + hashHex([]byte("other")) + "\r\n", names: "host;x-amz-content-sha256;x-amz-date"},
			403, "InvalidSignatureException", "The request signature we calculated"},
		{"chunks", push{headers: "X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\r\n"},
			403, "InvalidSignatureException", "The payload is signed in chunks (x-amz-content-sha256 is 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'), which is not supported."},
		{"unsigned chunks", push{headers: "X-Amz-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\n"},
			403, "InvalidSignatureException", "The payload is signed in chunks"},
		{"signatures in both places", push{query: "?X-Amz-Algorithm=AWS4-HMAC-SHA256"},
			403, "InvalidSignatureException", "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."},
		{"a query that is none", push{query: "?a=%zz"},
			400, "BadRequestException", "Illegal hex character in escape % pattern: 'a=%zz'"},
		{"a query that ends in an escape", push{query: "?a=%4"},
			400, "BadRequestException", "Illegal hex character in escape % pattern: 'a=%4'"},
		{"two Authorization headers", push{headers: "Authorization: AWS4-HMAC-SHA256 Credential=a\r\n"},
			400, "BadRequestException", "The request has more than one Authorization header."},
		{"a parameter twice", push{names: "host, SignedHeaders=host"},
			403, "IncompleteSignatureException", "Authorization header has more than one 'SignedHeaders' parameter."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, body := test.push.request(t)
			wantRefusal(t, r, body, test.status, test.kind, test.want)
		})
	}
}

func wantRefusal(t *testing.T, r *http.Request, body []byte, status int, kind, message string) {
	t.Helper()
	signature, err := verifierAt(suiteTime).Verify(t.Context(), r, body, "execute-api")
	var refusal *Error
	if !errors.As(err, &refusal) {
		t.Fatalf("signature %+v, error %v, want %s", signature, err, kind)
	}
	if refusal.Status != status || refusal.Type != kind || !strings.HasPrefix(refusal.Message, message) {
		t.Errorf("refused with %d %s\n%q\nwant %d %s\n%q", refusal.Status, refusal.Type, refusal.Message, status, kind, message)
	}
	if strings.Contains(refusal.Message, suiteSecret) {
		t.Error("the refusal tells the secret")
	}
}

// TestRefusalsOfHeaders: what a client without a signature hears.
func TestRefusalsOfHeaders(t *testing.T) {
	t.Parallel()
	const (
		requires = "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. " +
			"Authorization header requires 'SignedHeaders' parameter. "
		noDate  = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
		hashing = "(Hashed with SHA-256 and encoded with Base64) Authorization="
	)
	tests := []struct {
		name, target, authorization, kind, want string
	}{
		{"nothing", "/", "", "MissingAuthenticationTokenException", "Missing Authentication Token"},
		{"another scheme", "/", "Basic YTpi=", "IncompleteSignatureException", requires + noDate + hashing + digest("Basic YTpi=")},
		{"a bearer token", "/", "Bearer abc", "IncompleteSignatureException",
			"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '" + digest("Bearer abc") + "'."},
		{"one word", "/", "AWS4-HMAC-SHA256", "IncompleteSignatureException", requires + noDate + hashing},
		{"a parameter only", "/", "AWS4-HMAC-SHA256 Credential=a/b", "IncompleteSignatureException",
			"Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. " + noDate},
		{"an algorithm in the query", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256", "", "IncompleteSignatureException",
			"AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. " +
				"AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, test.target, nil)
			if test.authorization != "" {
				r.Header.Set("Authorization", test.authorization)
			}
			wantRefusal(t, r, nil, 403, test.kind, test.want)
		})
	}
}

// TestMismatchTells: the whole text of a refusal, section F.4. The path came with
// escapes, so its canonical form has them twice.
func TestMismatchTells(t *testing.T) {
	t.Parallel()
	r, body := push{signature: strings.Repeat("0", 64)}.request(t)
	_, err := verifierAt(suiteTime).Verify(t.Context(), r, body, "execute-api")
	var refusal *Error
	if !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	canonical := "POST\n/prod/%2540connections/L0SM9cOFvHcCIhw%253D\n\n" +
		"host:abc123.execute-api.us-east-1.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n" +
		"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	want := "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. " +
		"Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'" + canonical +
		"'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/execute-api/aws4_request\n" + hashHex([]byte(canonical)) + "'\n"
	if diff := cmp.Diff(want, refusal.Message); diff != "" {
		t.Error(diff)
	}
}

// TestCanonicalPaths: section F. A path that came plain is escaped once.
func TestCanonicalPaths(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/test/@connections/atntqfjloAMCECg=":     "/test/%40connections/atntqfjloAMCECg%3D",
		"/test/%40connections/atntqfjloAMCECg%3D": "/test/%2540connections/atntqfjloAMCECg%253D",
		"/test/%40connections/atntqfjloAMCECg%3d": "/test/%2540connections/atntqfjloAMCECg%253d",
		"":                      "/",
		"/..":                   "/",
		"/a/../../b":            "/b",
		"/a/%2e%2e/b":           "/a/%252e%252e/b",
		"/a/%2Fb":               "/a/%252Fb",
		"/a+b;c,d":              "/a%2Bb%3Bc%2Cd",
		"/v2/apis/x/stages/$de": "/v2/apis/x/stages/%24de",
	} {
		if got := canonicalPath(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// TestTargets: what the request line names, in all its forms.
func TestTargets(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string][2]string{
		"/a?b=c":                    {"/a", "b=c"},
		"/a?b=c?d":                  {"/a", "b=c?d"},
		"http://host/a?b=c":         {"/a", "b=c"},
		"http://host?b=c":           {"", "b=c"},
		"http://host":               {"/", ""},
		"/a?b=http://host/c":        {"/a", "b=http://host/c"},
		"/a://b":                    {"/a://b", ""},
		"/stage/@connections/a%3D=": {"/stage/@connections/a%3D=", ""},
	} {
		path, query := target(&http.Request{RequestURI: uri})
		if got := [2]string{path, query}; got != want {
			t.Errorf("%s: %q, want %q", uri, got, want)
		}
	}
}

// TestLargeRequestsGetSmallAnswers: nobody can have the gateway repeat megabytes.
func TestLargeRequestsGetSmallAnswers(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 100_000)
	for _, p := range []push{
		{headers: "X-Large: " + large + "\r\n", names: "host;x-amz-date;x-large", signature: "0"},
		{credential: large},
		{credential: "AKIDEXAMPLE/20150830/us-east-1/execute-api/" + large},
		{credential: "AKIDEXAMPLE/" + large + "/us-east-1/execute-api/aws4_request"},
		{date: large},
		{algorithm: large},
		{query: "?a=%" + large},
		{headers: "X-Amz-Content-Sha256: STREAMING-" + large + "\r\n"},
	} {
		r, body := p.request(t)
		_, err := verifierAt(suiteTime).Verify(t.Context(), r, body, "execute-api")
		var refusal *Error
		if !errors.As(err, &refusal) || len(refusal.Message) > 2*maxEcho {
			t.Errorf("error %T of %d bytes", err, len(err.Error()))
		}
	}
}

type brokenKeys struct{ error }

func (b brokenKeys) Secret(context.Context, string, string) (string, error) { return "", b.error }

// TestFailureOfKeys: a failure of the gateway is not the caller's fault.
func TestFailureOfKeys(t *testing.T) {
	t.Parallel()
	r, body := push{}.request(t)
	broken := errors.New("the storage is gone")
	v := verifierAt(suiteTime)
	v.Keys = brokenKeys{broken}
	_, err := v.Verify(t.Context(), r, body, "execute-api")
	var refusal *Error
	if !errors.Is(err, broken) || errors.As(err, &refusal) {
		t.Errorf("error %v", err)
	}
}

// TestAccepted: forms of requests that are right.
func TestAccepted(t *testing.T) {
	t.Parallel()
	const names = "host;x-amz-content-sha256;x-amz-date"
	tests := map[string]push{
		"minimal":             {},
		"as old as can be":    {date: "20150830T123100Z"},
		"as young as can be":  {date: "20150830T124100Z"},
		"the body's hash":     {headers: "X-Amz-Content-Sha256: " + hashHex([]byte("hello")) + "\r\n", names: names},
		"a hash unsigned":     {headers: "X-Amz-Content-Sha256: " + hashHex([]byte("hello")) + "\r\n"},
		"an unsigned payload": {headers: "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\n", names: names},
		"a query":             {query: "?b=2&a=1&a=%20+&&c"},
		"a session token":     {headers: "X-Amz-Security-Token: token\r\n", names: "host;x-amz-date;x-amz-security-token"},
		"other headers":       {headers: "X-Other: a\r\nX-Other:  b  c \r\n", names: "host;x-amz-date;x-other"},
	}
	for name, p := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, body := p.request(t)
			signature, err := verifierAt(suiteTime).Verify(t.Context(), r, body, "execute-api")
			if err != nil {
				t.Fatal(err)
			}
			if signature.AccessKeyID != suiteKey || signature.Presigned || signature.SignedHeaders[0] != "host" {
				t.Errorf("signature %+v", signature)
			}
		})
	}
}

// TestDateHeader: the Date header stands in for X-Amz-Date, in its own format.
func TestDateHeader(t *testing.T) {
	t.Parallel()
	for _, date := range []string{"Sun, 30 Aug 2015 12:36:00 GMT", "20150830T123600Z"} {
		raw := func(signature string) string {
			return "GET / HTTP/1.1\r\nHost: h\r\nDate: " + date + "\r\n" +
				"Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/execute-api/aws4_request,SignedHeaders=date;host,Signature=" + signature + "\r\n\r\n"
		}
		r, body := mustReceive(t, raw("0"))
		r, body = mustReceive(t, raw(signed(t, r, body)))
		if _, err := verifierAt(suiteTime).Verify(t.Context(), r, body, "execute-api"); err != nil {
			t.Errorf("%s: %v", date, err)
		}
	}
}

// TestPlausible: whoever is not known is, before the body is there.
func TestPlausible(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		push push
		want bool
	}{
		"signed":          {push{}, true},
		"wrongly signed":  {push{signature: strings.Repeat("0", 64)}, true}, // only the body tells
		"not signed":      {push{algorithm: "Bearer"}, false},
		"an unknown key":  {push{credential: "AKIDOTHER/20150830/us-east-1/execute-api/aws4_request"}, false},
		"an expired key":  {push{credential: "AKIDEXPIRED/20150830/us-east-1/execute-api/aws4_request"}, false},
		"another service": {push{credential: "AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request"}, false},
		"another day":     {push{date: "20150829T123600Z"}, false},
		"no host":         {push{names: "x-amz-date"}, false},
	} {
		r, body := test.push.request(t)
		v := verifierAt(suiteTime)
		if got := v.Plausible(t.Context(), r, "execute-api"); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
		if _, err := v.Verify(t.Context(), r, body, "execute-api"); err == nil && !test.want {
			t.Errorf("%s: signed all the same", name)
		}
	}
}
