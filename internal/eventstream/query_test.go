package eventstream

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/telemetry"
)

func TestMatches(t *testing.T) {
	t.Parallel()
	connect := &telemetry.Record{Event: telemetry.EventConnect, APIID: "one", Stage: "prod", ConnectionID: "c=", Status: 101}
	message := &telemetry.Record{Event: telemetry.EventMessage, APIID: "one", Stage: "prod", ConnectionID: "c=", RouteKey: "send", Status: 200}
	denied := &telemetry.Record{Event: telemetry.EventMessage, APIID: "one", Stage: "dev", ConnectionID: "d=", Status: 403, Error: "no route"}
	broken := &telemetry.Record{Event: telemetry.EventMessage, APIID: "two", Stage: "prod", RouteKey: "send", Status: 502, Error: "it failed"}
	left := &telemetry.Record{Event: telemetry.EventDisconnect, APIID: "one", Stage: "prod", ConnectionID: "c=", Status: 1006}
	away := &telemetry.Record{Event: telemetry.EventDisconnect, APIID: "one", Stage: "prod", Status: 4403}
	url403 := &telemetry.Record{Event: telemetry.EventRefused, Status: 403}
	all := []*telemetry.Record{connect, message, denied, broken, left, away, url403}
	for text, want := range map[string][]*telemetry.Record{
		"":                             all,
		"api=one":                      {connect, message, denied, left, away},
		"api=one&api=two&stage=prod":   {connect, message, broken, left, away},
		"stage=dev":                    {denied},
		"route=send":                   {message, broken},
		"route=$connect":               {connect},
		"route=$disconnect":            {left, away},
		"connection=c%3D":              {connect, message, left},
		"status=4xx":                   {denied, url403},
		"status=403":                   {denied, url403},
		"status=40x&status=5xx":        {denied, broken, url403},
		"status=1006":                  {left},
		"status=1xxx":                  {left},
		"status=4xxx":                  {away},
		"status=1xx":                   {connect},
		"failed=true":                  {denied, broken, url403},
		"failed=1&api=two":             {broken},
		"failed=false":                 all,
		"payload=true":                 all,
		"stage=prod&status=4xx":        nil,
		"api=nobody":                   nil,
		"api=ONE":                      nil,
		"connection=c":                 nil,
		"route=POST /@connections/{a}": nil,
	} {
		values, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		query, err := ParseQuery(values)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []*telemetry.Record
		for _, r := range all {
			if query.Matches(r) {
				got = append(got, r)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", text, diff)
		}
		if again, err := ParseQuery(query.Values()); err != nil || !cmp.Equal(again, query) {
			t.Errorf("%s: written and read it is %+v: %v", text, again, err)
		}
	}
}

// Filters that cannot be meant are refused with what is wrong.
func TestParseQueryMistakes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"apis=one":                        `there is no filter "apis"`,
		"%00%1b=1":                        `there is no filter "\x00\x1b"`,
		"failed=maybe":                    "failed must be true or false",
		"payload=":                        "payload must be true or false",
		"api=":                            "empty value",
		"status=4":                        `"4" is not a status`,
		"status=xxx":                      `"xxx" is not a status`,
		"status=0xx":                      `"0xx" is not a status`,
		"status=4XX":                      `"4XX" is not a status`,
		"status=40000":                    `"40000" is not a status`,
		"status=-12":                      `"-12" is not a status`,
		strings.Repeat("api=a&", 33):      "has 33 values; it may have 32",
		strings.Repeat("status=400&", 99): "has 99 values",
	} {
		values, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseQuery(values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// No query has it fail, and one that is accepted means the same when it is written.
func FuzzQuery(f *testing.F) {
	f.Add("api=one&status=4xx&failed=true", 403)
	f.Add("route=%00&connection=a%3D&status=1xxx", 1006)
	f.Fuzz(func(t *testing.T, text string, status int) {
		values, _ := url.ParseQuery(text)
		query, err := ParseQuery(values)
		if err != nil {
			return
		}
		again, err := ParseQuery(query.Values())
		if err != nil || !cmp.Equal(again, query) {
			t.Errorf("%q: %+v and %+v: %v", text, query, again, err)
		}
		r := &telemetry.Record{Event: telemetry.EventMessage, Status: status}
		if query.Matches(r) != again.Matches(r) {
			t.Errorf("%q fits %d once", text, status)
		}
	})
}
