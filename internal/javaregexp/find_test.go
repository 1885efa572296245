package javaregexp

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFindAll(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern, text string
		most          int
		want          [][]int
	}{
		{`b`, "abcb", -1, [][]int{{1, 2}, {3, 4}}},
		{`b`, "abcb", 1, [][]int{{1, 2}}},
		{`(x)?b`, "éb", -1, [][]int{{2, 3, -1, -1}}},
		{`(?<=é)b(x)?`, "ébé", 9, [][]int{{2, 3, -1, -1}}}, // look-around
		{`(.)\1`, "aabb", 9, [][]int{{0, 2, 0, 1}, {2, 4, 2, 3}}},
		{`x`, "abc", -1, nil},
	}
	for _, test := range tests {
		f, err := CompileFinder(test.pattern)
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := f.FindAll(test.text, test.most)
		if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("/%s/ in %q: %v %s", test.pattern, test.text, err, diff)
		}
	}
}

func TestGroups(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{`(a)(?<name>b)`, `(?=a)(a)(?<name>b)`} {
		f, err := CompileFinder(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if f.Groups() != 2 || f.Group("name") != 2 || f.Group("other") != -1 {
			t.Errorf("/%s/: %d groups, name is %d, other is %d", pattern, f.Groups(), f.Group("name"), f.Group("other"))
		}
	}
}

func TestFindAllEnds(t *testing.T) {
	t.Parallel()
	f, err := CompileFinder(`(?=a)(a+)+b`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.FindAll(strings.Repeat("a", 100), 9); !errors.Is(err, ErrTimeout) {
		t.Errorf("%v, want ErrTimeout", err)
	}
}
