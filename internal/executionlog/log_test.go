package executionlog

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/logsink"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// kept is a sink that keeps lines.
type kept []string

func (k *kept) Write(e logsink.Entry) { *k = append(*k, string(e.Line)) }

// written is what a writer makes of a call.
func written(call func(w *writer)) string {
	var lines kept
	w := new(writer)
	w.begin(&Log{sink: &lines, api: "api", place: "api/dev"}, &event.Event{RequestID: "abcdefghijklmno="})
	call(w)
	w.end()
	return strings.Join(lines, "\n")
}

// texts writes a line of texts that somebody else chose.
func texts(w *writer, all ...string) {
	w.start()
	for _, text := range all {
		w.addText(text)
	}
	w.finish(time.Time{})
}

const prefix = "(abcdefghijklmno=) "

// What a client writes can neither break a line nor drive a terminal.
func TestEscapes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain":                  "plain",
		"a\nb\r\nc":              `a\nb\r\nc`,
		"tab\tbell\a\x1b[31m":    `tab\tbell\u0007\u001b[31m`,
		"\x7f\u0085\u2028\u2029": `\u007f\u0085\u2028\u2029`,
		"äöü 🎉":                  "äöü 🎉",
		"broken \xff\xfe":        "broken \ufffd\ufffd",
		`a\nb`:                   `a\nb`,
	} {
		if got := written(func(w *writer) { texts(w, text) }); got != prefix+want {
			t.Errorf("%q becomes %q", text, got)
		}
		if got := string(appendEscaped(nil, []byte(text))); got != want {
			t.Errorf("%q becomes %q as bytes", text, got)
		}
	}
}

// A line has 1,024 bytes at most, with the mark that it was cut.
func TestTruncated(t *testing.T) {
	t.Parallel()
	whole := maxLine - len(prefix)
	for length, cut := range map[int]bool{whole: false, whole + 1: true, 10 * maxLine: true} {
		got := written(func(w *writer) {
			texts(w, strings.Repeat("x", length/2), strings.Repeat("x", length-length/2))
		})
		if len(got) != maxLine || strings.HasSuffix(got, "x"+truncated) != cut {
			t.Errorf("%d characters become %d bytes, which end in %q", length, len(got), got[len(got)-20:])
		}
	}
	got := written(func(w *writer) { texts(w, "x", strings.Repeat("ä", maxLine)) })
	if !utf8.ValidString(got) || len(got) > maxLine || len(got) < maxLine-1 || !strings.HasSuffix(got, "ä"+truncated) {
		t.Errorf("%d bytes, which end in %q", len(got), got[len(got)-20:])
	}
	secret := `{"token":"` + strings.Repeat("x", 2*maxLine) + `","text":"end"}`
	if got := written(func(w *writer) { w.payload(time.Time{}, "", []byte(secret)) }); got != prefix+`{"token":"***","text":"end"}` {
		t.Errorf("a long secret: %s", got)
	}
}

func FuzzLine(f *testing.F) {
	f.Add("text", []byte("{\"a\":\"\n\"}"))
	f.Fuzz(func(t *testing.T, text string, payload []byte) {
		got := written(func(w *writer) {
			texts(w, text, text)
			w.payload(time.Time{}, "payload: ", payload)
		})
		lines := strings.Split(got, "\n")
		if len(lines) != 2 {
			t.Fatalf("%d lines: %q", len(lines), got)
		}
		for _, line := range lines {
			if len(line) > maxLine || !utf8.ValidString(line) || !strings.HasPrefix(line, prefix) || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' }) {
				t.Errorf("%q", line)
			}
		}
	})
}

// Of a credential the end is shown, unless it is short.
func TestHeader(t *testing.T) {
	t.Parallel()
	fields := []trace.Field{
		{Name: "Authorization", Value: "Bearer abcdefghijkl"}, {Name: "x-api-key", Value: "123456789012"}, {Name: "X-API-KEY", Value: "1234567890123"},
		{Name: "X-Amz-Security-Token", Value: "abcdefghijklmnopqrst"}, {Name: "Cookie", Value: "a=b"}, {Name: "Accept", Value: "text/plain"},
		{Name: "Proxy-Authorization", Value: strings.Repeat("x", 100) + "123456"},
	}
	want := prefix + "h: {Authorization=*************ghijkl, x-api-key=************, X-API-KEY=*******890123, X-Amz-Security-Token=***, Cookie=***, " +
		"Accept=text/plain, Proxy-Authorization=" + strings.Repeat("*", maxStars) + "123456}"
	if diff := cmp.Diff(want, written(func(w *writer) { w.header(time.Time{}, "h: ", fields) })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A route's setting goes before the stage's default, OFF and false included; what it does
// not say, the default says.
func TestSettings(t *testing.T) {
	t.Parallel()
	settings := func(level string, data *bool) *apigw.RouteSettings {
		return &apigw.RouteSettings{LoggingLevel: level, DataTraceEnabled: data}
	}
	yes, no := true, false
	type want struct{ On, Info, Data bool }
	for _, test := range []struct {
		standard, own *apigw.RouteSettings
		want          want
	}{
		{nil, nil, want{}},
		{settings("OFF", &yes), nil, want{}},
		{settings("ERROR", nil), nil, want{On: true}},
		{settings("ERROR", &yes), nil, want{On: true}},
		{settings("INFO", nil), nil, want{On: true, Info: true}},
		{settings("INFO", &yes), nil, want{true, true, true}},
		{settings("INFO", &yes), settings("OFF", nil), want{}},
		{settings("INFO", &yes), settings("", nil), want{true, true, true}},
		{settings("INFO", &yes), settings("", &no), want{On: true, Info: true}},
		{settings("INFO", &yes), settings("ERROR", nil), want{On: true}},
		{settings("OFF", &yes), settings("INFO", nil), want{true, true, true}},
		{nil, settings("INFO", &yes), want{true, true, true}},
	} {
		stage := &apigw.Stage{ApiId: "api", StageName: "dev", DefaultRouteSettings: test.standard}
		if test.own != nil {
			stage.RouteSettings = map[string]*apigw.RouteSettings{"a": test.own}
		}
		asked := false
		l := New(stage, &apigw.Route{RouteKey: "a"}, func(api, name string) logsink.Sink {
			asked = true
			return logsink.Discard
		})
		got := want{On: l != nil}
		if l != nil {
			got.Info, got.Data = l.info, l.HasData()
		}
		if got != test.want || asked != got.On {
			t.Errorf("default %+v and own %+v give %+v, want %+v; a sink was wanted: %t", test.standard, test.own, got, test.want, asked)
		}
		if New(stage, nil, nil) != nil {
			t.Error("there is a log without a sink")
		}
	}
}
