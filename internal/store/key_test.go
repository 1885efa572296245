package store

import (
	"slices"
	"strings"
	"testing"
)

func TestKey(t *testing.T) {
	t.Parallel()
	tests := []struct {
		segments []string
		want     string
	}{
		{[]string{"api", "a1b2c3d4e5"}, "api.a1b2c3d4e5"},
		{[]string{"stage", "a1", "Prod_2-x"}, "stage.a1.Prod_2-x"},
		{[]string{"domain", "*.example.com"}, "domain.=2A=2Eexample=2Ecom"},
		{[]string{"domain", ""}, "domain.="},
		{[]string{"domain", "=", "ü", "a b"}, "domain.=3D.=C3=BC.a=20b"},
	}
	for _, test := range tests {
		if got := Key(test.segments...); got != test.want {
			t.Errorf("Key(%q) is %s, want %s", test.segments, got, test.want)
		}
	}
	for _, key := range []string{"domain.=2", "domain.a=", "domain.=zz", "domain.=2E=", "domain.=+1"} {
		if segments, err := splitKey(key); err == nil {
			t.Errorf("splitKey(%s) is %q", key, segments)
		}
	}
}

// Any texts make a key that every store takes, and that leads back to them.
func FuzzKey(f *testing.F) {
	for _, name := range []string{"", "a", "*.example.com", "=", "=2E", "\x00\xff", "ü"} {
		f.Add("domain", name)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		key := Key(a, b)
		segments, err := splitKey(key)
		if err != nil || !slices.Equal(segments, []string{a, b}) || checkKey(key) != nil || strings.ContainsAny(key, "*> /") {
			t.Errorf("Key(%q, %q) is %s: %q, %v, %v", a, b, key, segments, err, checkKey(key))
		}
	})
}
