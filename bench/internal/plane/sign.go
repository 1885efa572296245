package plane

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Services that requests are signed for.
const (
	Control     = "apigateway"  // the control plane
	Connections = "execute-api" // @connections
)

const region = "us-east-1"

// Signer signs requests with an access key, by AWS's Signature Version 4.
type Signer struct {
	AccessKeyID, Secret string
	Now                 func() time.Time // the clock
}

// Sign signs a request with this body, and without a query, for a service.
func (s *Signer) Sign(r *http.Request, body []byte, service string) {
	at := s.Now().UTC()
	day, moment := at.Format("20060102"), at.Format("20060102T150405Z")
	r.Header.Set("X-Amz-Date", moment)
	const names = "host;x-amz-date"
	canonical := r.Method + "\n" + escape(r.URL.EscapedPath()) + "\n\nhost:" + r.URL.Host + "\nx-amz-date:" + moment + "\n\n" + names + "\n" + hash(body)
	scope := day + "/" + region + "/" + service + "/aws4_request"
	key := []byte("AWS4" + s.Secret)
	for _, part := range []string{day, region, service, "aws4_request", "AWS4-HMAC-SHA256\n" + moment + "\n" + scope + "\n" + hash([]byte(canonical))} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+s.AccessKeyID+"/"+scope+", SignedHeaders="+names+", Signature="+hex.EncodeToString(key))
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// escape escapes all that is neither unreserved nor a slash, as AWS has it.
func escape(path string) string {
	var b strings.Builder
	for _, c := range []byte(path) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~/", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
