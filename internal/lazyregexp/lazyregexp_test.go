package lazyregexp

import (
	"slices"
	"sync"
	"testing"
)

// What is not used is not compiled, and many may be the first to use it.
func TestCompiledOnce(t *testing.T) {
	t.Parallel()
	digits := New(`^([0-9]{1,512})$`)
	if digits.compiled != nil || digits.String() != `^([0-9]{1,512})$` {
		t.Errorf("%s is compiled before it is used", digits)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if !digits.MatchString("12") || !slices.Equal(digits.FindStringSubmatch("12"), []string{"12", "12"}) || digits.MatchString("a") {
				t.Error("not the matches of the expression")
			}
		})
	}
	all.Wait()
	if once := digits.Compiled(); digits.Compiled() != once {
		t.Error("compiled twice")
	}
}
