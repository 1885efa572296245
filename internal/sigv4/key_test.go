package sigv4

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// A key that is kept is the one that is derived, and no more than so many are kept.
func TestSigningKeys(t *testing.T) {
	t.Parallel()
	var keys SigningKeys
	var asking sync.WaitGroup
	for worker := range 4 {
		asking.Go(func() {
			for i := range 2 * mostSigning {
				s := signingScope{suiteSecret, fmt.Sprint(20150830 + i%(mostSigning+worker)), suiteRegion, "service"}
				if got, want := keys.of(s), s.derive(); *got != *want {
					t.Errorf("the key of %v is another one", s)
				}
			}
		})
	}
	asking.Wait()
	if n := len(*keys.current.Load()); n > mostSigning {
		t.Errorf("%d keys are kept", n)
	}
	s := signingScope{"another secret", "20150830", suiteRegion, "service"}
	if first := keys.of(s); keys.of(s) != first {
		t.Error("a key was derived twice")
	}
	if *keys.of(s) == *keys.of(signingScope{"one more secret", s.date, s.region, s.service}) {
		t.Error("another secret has the same key")
	}
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"20150830T123600Z", "20160229T235959Z", "20150229T000000Z", "20150230T000000Z", "20150431T000000Z", "20151301T000000Z", "20150001T000000Z", "20150100T000000Z",
		"20150830T240000Z", "20150830T126000Z", "20150830T123660Z", "00010101T000000Z", "99991231T235959Z", "00000101T000000Z",
		"", "20150830T123600", "20150830t123600Z", "20150830T123600z", "2015-830T123600Z", "20150830T12360 Z", "20150830T123600ZZ", "+0150830T123600Z",
	} {
		want, err := time.Parse(timeFormat, text)
		valid := err == nil && want.Format(timeFormat) == text
		if got, ok := parseTime(text); ok != valid || ok && !got.Equal(want) {
			t.Errorf("%q: %v %v, want %v %v", text, got, ok, want, valid)
		}
	}
}
