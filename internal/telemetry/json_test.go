package telemetry

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAppendMilliseconds(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0", 999: "0", time.Microsecond: "0.001", 10 * time.Microsecond: "0.01", 213 * time.Microsecond: "0.213",
		time.Millisecond: "1", 1200 * time.Microsecond: "1.2", 100 * time.Millisecond: "100", 29*time.Second + 50*time.Microsecond: "29000.05",
	} {
		got := string(appendMilliseconds(nil, d))
		if number, _ := json.Marshal(float64(d.Microseconds()) / 1000); got != want || got != string(number) {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

// What was written is read as it was.
func TestParseJSON(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 29, 9, 19, 55, 123456789, time.UTC)
	for _, want := range []*Record{
		{
			Event: EventMessage, Time: at, Duration: 1213 * time.Microsecond, APIID: "a1b2c3d4e5", Stage: "prod", ConnectionID: "gbikqi-vWQAYKEiHxA==",
			RequestID: "EP5tdH0zIAMEr8w=", RouteKey: "send \"it\"", Status: 502, Bytes: 128, Unanswered: 3, Error: "a\nb", Warnings: []string{"one", "two"},
		},
		{Event: EventDisconnect, Time: at, Status: 1001, Reason: "Going away", Duration: 3 * time.Hour},
		{Event: EventRefused, Time: at, Status: 403, Refused: &Access{Path: "/prod", Source: "127.0.0.1"}},
	} {
		line := AppendJSON(nil, want)
		got, err := ParseJSON(line)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n(-want +got)\n%s", line, err, diff)
		}
	}
	if _, err := ParseJSON([]byte(`{"event":1}`)); err == nil {
		t.Error("nonsense is read")
	}
}
