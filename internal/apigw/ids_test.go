package apigw

import (
	"regexp"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/allocations"
)

// The forms of ids, section B.1, and of RFC 9562; none comes twice.
func TestIDs(t *testing.T) {
	t.Parallel()
	const connection = "gbikqi-vWQAYKEiHxA=="
	at := time.Unix(0x6abcdef0, 0)
	for _, kind := range []struct {
		name, form string
		make       func() string
	}{
		{"request", `^[A-Za-z0-9_-]{15}=$`, NewRequestID},
		{"message", `^[A-Za-z0-9_-]{8}WQAYKEiHxA==$`, func() string { return NewMessageID(connection) }},
		{"UUID", `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, NewUUID},
		{"trace", `^Root=1-6abcdef0-[0-9a-f]{24}$`, func() string { return NewTraceID(at) }},
	} {
		form, seen := regexp.MustCompile(kind.form), make(map[string]bool)
		for range 1000 {
			id := kind.make()
			if !form.MatchString(id) || seen[id] {
				t.Fatalf("%s: %q, which does not have its form or came twice", kind.name, id)
			}
			seen[id] = true
		}
	}
}

// An id is one allocation: its text.
func TestIDAllocations(t *testing.T) {
	at := time.Now()
	allocations.AtMost(t, 4, func() {
		texts = [...]string{NewRequestID(), NewMessageID("gbikqi-vWQAYKEiHxA=="), NewUUID(), NewTraceID(at)}
	})
}

var texts [4]string

func BenchmarkIDs(b *testing.B) {
	b.ReportAllocs()
	at := time.Now()
	for b.Loop() {
		texts = [...]string{NewRequestID(), NewMessageID("gbikqi-vWQAYKEiHxA=="), NewUUID(), NewTraceID(at)}
	}
}
