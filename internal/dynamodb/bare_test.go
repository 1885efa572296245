package dynamodb_test

import (
	"encoding/json"
	"hash/crc32"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	local "github.com/stagedoor/stagedoor/internal/dynamodb"
)

var contains = strings.Contains

// bare speaks the protocol without an SDK: what an SDK would refuse to send.
type bare struct {
	*testing.T
	*local.Server
}

func newBare(t *testing.T) *bare { return &bare{t, local.New()} }

func (b *bare) create(definition string) {
	b.Helper()
	if err := b.EnsureTable([]byte(definition), ""); err != nil {
		b.Fatal(err)
	}
}

// call returns the status and body of an answer, whose checksum it verifies.
func (b *bare) call(target, body string) (int, M) {
	b.Helper()
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", target)
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	if got, want := w.Header().Get("X-Amz-Crc32"), strconv.FormatUint(uint64(crc32.ChecksumIEEE(w.Body.Bytes())), 10); got != want {
		b.Errorf("x-amz-crc32 is %s, want %s", got, want)
	}
	if id := w.Header().Get("X-Amzn-Requestid"); len(id) != 52 {
		b.Errorf("x-amzn-RequestId is %q", id)
	}
	if kind := w.Header().Get("Content-Type"); kind != "application/x-amz-json-1.0" {
		b.Errorf("content type %q", kind)
	}
	var answer M
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		b.Fatalf("%s: %v: %s", target, err, w.Body)
	}
	return w.Code, answer
}

func (b *bare) must(operation, body string) M {
	b.Helper()
	status, answer := b.call("DynamoDB_20120810."+operation, body)
	if status != 200 {
		b.Fatalf("%s: %d %v", operation, status, answer)
	}
	return answer
}
