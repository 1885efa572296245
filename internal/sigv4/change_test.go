package sigv4

import (
	"crypto/sha256"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

var suiteCredentials = aws.Credentials{AccessKeyID: suiteKey, SecretAccessKey: suiteSecret}

// signedBySDK returns requests as the SDK for Go signs them, as they go over
// the wire: one signed in its header, one presigned.
func signedBySDK(t *testing.T) map[string]string {
	t.Helper()
	const address = "https://abc123.execute-api.us-east-1.amazonaws.com/prod/@connections/L0SM9cOFvHcCIhw%3D?tag=a%20b&tag=c&empty=&x=1"
	body := `{"text":"hello"}`
	signer := v4.NewSigner()
	push, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	push.Header.Set("Content-Type", "application/octet-stream")
	push.Header.Set("X-Amz-Content-Sha256", hashHex([]byte(body)))
	push.Header.Set("Amz-Sdk-Invocation-Id", "c1b2")
	if err := signer.SignHTTP(t.Context(), suiteCredentials, push, hashHex([]byte(body)), "execute-api", suiteRegion, suiteTime); err != nil {
		t.Fatal(err)
	}

	connect, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://abc123.execute-api.us-east-1.amazonaws.com/prod?X-Amz-Expires=60&room=a%2Fb", nil)
	if err != nil {
		t.Fatal(err)
	}
	presigned, _, err := signer.PresignHTTP(t.Context(), suiteCredentials, connect, hashHex(nil), "execute-api", suiteRegion, suiteTime)
	if err != nil {
		t.Fatal(err)
	}
	if connect.URL, err = url.Parse(presigned); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"header": wire(t, push, body), "presigned": wire(t, connect, "")}
}

// TestEveryChangeIsRefused changes every byte of a signed request to every
// other value; to every 17th under the race detector and with -short. What is still accepted must mean what was signed.
func TestEveryChangeIsRefused(t *testing.T) {
	t.Parallel()
	for name, raw := range signedBySDK(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := verifierAt(suiteTime)
			r, body := mustReceive(t, raw)
			signature, err := v.Verify(t.Context(), r, body, "execute-api")
			if err != nil {
				t.Fatalf("%v\n%s", err, raw)
			}
			want := meaning(r, body, signature.SignedHeaders)
			refused, accepted, step := 0, 0, 1
			if slow || testing.Short() {
				step = 17
			}
			for at := range len(raw) {
				for difference := 1; difference < 256; difference += step {
					changed := raw[:at] + string([]byte{raw[at] ^ byte(difference)}) + raw[at+1:]
					r, body, err := received(changed)
					if err != nil {
						refused++
						continue
					}
					if _, err := v.Verify(t.Context(), r, body, "execute-api"); err != nil {
						refused++
						continue
					}
					accepted++
					if got := meaning(r, body, signature.SignedHeaders); got != want {
						t.Errorf("accepted, with %q for %q at %d\n%s", changed[at], raw[at], at, got)
					}
				}
			}
			t.Logf("%d changes refused, %d that mean the same accepted", refused, accepted)
		})
	}
}

// meaning is what a request says of all that its signature covers, and the
// claim itself, apart from case and white space that carry no meaning. It is
// computed by other means than the canonical request.
func meaning(r *http.Request, body []byte, names []string) string {
	uri, _ := url.ParseRequestURI(r.RequestURI)
	path, _, _ := strings.Cut(r.RequestURI, "?")
	query, err := url.ParseQuery(uri.RawQuery)
	parts := []string{r.Method, path, query.Encode(), r.Host}
	if err != nil {
		parts = append(parts, err.Error())
	}
	for _, name := range names {
		parts = append(parts, name)
		for _, value := range r.Header.Values(name) {
			parts = append(parts, strings.Fields(value)...)
		}
	}
	claim := strings.FieldsFunc(r.Header.Get("Authorization"), func(c rune) bool { return strings.ContainsRune(", \t", c) })
	slices.Sort(claim)
	parts = append(parts, claim...)
	sum := sha256.Sum256(body)
	return strings.Join(append(parts, string(sum[:])), "\n")
}

// TestReplays: a signature that was good is refused when its time is over, and
// before it has come.
func TestReplays(t *testing.T) {
	t.Parallel()
	lives := map[string]time.Duration{"header": MaxSkew, "presigned": time.Minute}
	for name, raw := range signedBySDK(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for age, good := range map[time.Duration]bool{
				0: true, lives[name]: true, lives[name] + time.Second: false, 24 * time.Hour: false,
				-MaxSkew: true, -MaxSkew - time.Second: false,
			} {
				r, body := mustReceive(t, raw)
				_, err := verifierAt(suiteTime.Add(age)).Verify(t.Context(), r, body, "execute-api")
				if (err == nil) != good {
					t.Errorf("after %v: error %v", age, err)
				}
			}
		})
	}
}

// TestExpires: the bounds of X-Amz-Expires.
func TestExpires(t *testing.T) {
	t.Parallel()
	for expires, want := range map[string]string{
		"":           "",
		"1":          "",
		"604800":     "",
		"604801":     "X-Amz-Expires must be less than a week",
		"4294967297": "X-Amz-Expires must be a positive number",
		"0":          "X-Amz-Expires must be a positive number",
		"-1":         "X-Amz-Expires must be a positive number",
		"+60":        "X-Amz-Expires must be a positive number",
		"060":        "X-Amz-Expires must be a positive number",
		"1e3":        "X-Amz-Expires must be a positive number",
	} {
		query := "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE/20150830/us-east-1/execute-api/aws4_request" +
			"&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host"
		if expires != "" {
			query += "&X-Amz-Expires=" + url.QueryEscape(expires)
		}
		raw := func(signature string) string {
			return "GET /prod" + query + "&X-Amz-Signature=" + signature + " HTTP/1.1\r\nHost: h\r\n\r\n"
		}
		r, body := mustReceive(t, raw("0"))
		r, body = mustReceive(t, raw(signed(t, r, body)))
		_, err := verifierAt(suiteTime).Verify(t.Context(), r, body, "execute-api")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("X-Amz-Expires=%s: error %v, want %q", expires, err, want)
		}
	}
}

// TestPresignedTwice: a parameter of the signature that is there twice.
func TestPresignedTwice(t *testing.T) {
	t.Parallel()
	raw := signedBySDK(t)["presigned"]
	for _, name := range []string{"Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature", "Security-Token"} {
		twice := strings.Replace(raw, " HTTP/1.1", "&X-Amz-"+name+"=x&X-Amz-"+name+"=y HTTP/1.1", 1)
		r, body := mustReceive(t, twice)
		wantRefusal(t, r, body, 400, "BadRequestException", "The query string has more than one 'X-Amz-"+name+"'.")
	}
}
