package setting

import (
	"strings"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]any{
		"50ms": 50 * time.Millisecond, "1h30m": 90 * time.Minute, "2h": 2 * time.Hour,
		"5": "5 has no unit; write 5s for seconds", "-1": "is not a duration", "infinity": "is not a duration", "0.5": "0.5 has no unit; write 0.5s for seconds",
		"": "is not a duration", "soon": `"soon" is not a duration such as 500ms, 30s or 1h30m`, "5 s": "is not a duration",
		"49ms": "49ms is not between 50ms and 2h", "121m": "is not between", "0": "0 is not between 50ms and 2h", "-1s": "is not between",
	} {
		got, err := Duration(text, 50*time.Millisecond, 2*time.Hour)
		switch want := want.(type) {
		case time.Duration:
			if err != nil || got != want {
				t.Errorf("%q: %s, %v", text, got, err)
			}
		case string:
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %s, %v, want %q", text, got, err, want)
			}
		}
	}
	if got, err := Duration("0", 0, time.Minute); err != nil || got != 0 {
		t.Errorf("0 where none is taken: %s, %v", got, err)
	}
}

func TestInteger(t *testing.T) {
	t.Parallel()
	for text, right := range map[string]bool{"1": true, "10": true, "0": false, "11": false, "-1": false, "": false, "1.5": false, "99999999999999999999": false} {
		got, err := Integer(text, 1, 10)
		if (err == nil) != right || err != nil && err.Error() != `"`+text+`" is not a whole number between 1 and 10` {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}
