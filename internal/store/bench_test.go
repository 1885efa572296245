package store

import (
	"bytes"
	"fmt"
	"testing"
)

// BenchmarkPut is a write to a data directory, with what makes it last.
func BenchmarkPut(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			n, err := Open(b.Context(), Options{Dir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer n.Close()
			value := bytes.Repeat([]byte(`{"a":"b"}`), size/9)
			revision := uint64(0)
			for b.Loop() {
				if revision, err = n.Put(b.Context(), "api.a", value, revision); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
