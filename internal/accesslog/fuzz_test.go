package accesslog_test

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stagedoor/stagedoor/internal/accesslog"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
)

// hostile are events that have a client's text wherever a client has a say.
func hostile(text string) []*event.Event {
	var all []*event.Event
	for _, kind := range []event.Type{event.Connect, event.Message, event.Disconnect, event.ConnectionAPI} {
		e := sample()
		e.Type, e.CloseReason = kind, text
		c := e.Connection
		c.ID, c.SourceIP, c.UserAgent, c.DomainName = text, text, text, text
		c.Client = &event.Client{
			PrincipalID: text, Context: []event.Parameter{{Name: "level", Value: text}},
			Identity: []event.Parameter{{Name: "caller", Value: text}, {Name: "apiKey", Value: text}, {Name: "userArn", Value: text}},
		}
		all = append(all, e)
		for _, failed := range []*failure.Error{
			{Kind: failure.Signature, Reason: text, Text: text}, {Kind: failure.Body, Reason: text}, {Kind: failure.Parameters, Reason: text}, {Kind: failure.Route},
		} {
			refused := *e
			refused.Failed = failed
			all = append(all, &refused)
		}
	}
	return all
}

const values = "$context.identity.userAgent $context.connectionId $context.identity.sourceIp $context.domainName $context.disconnectReason " +
	"$context.authorizer.principalId $context.authorizer.level $context.identity.caller $context.identity.apiKey $context.identity.userArn " +
	"$context.error.message $context.error.messageString $context.error.validationErrorString $context.requestId $context.requestTime $context.status"

// formats have all values, each in a place of its own: in quotes, and without.
var formats = func() map[string][]string {
	names := strings.Fields(values)
	quoted := make([]string, len(names))
	elements, members := make([]string, len(names)), make([]string, len(names))
	for i, name := range names {
		quoted[i] = `"` + name + `"`
		elements[i] = `<a b="` + name + `" c='` + name + `'>` + name + `<![CDATA[` + name + `>` + name + `]]><!--` + name + `--></a>`
		members[i] = quoted[i] + `:` + quoted[i]
	}
	return map[string][]string{
		"json": {`{` + strings.Join(members, ",") + `}`, `[` + strings.Join(quoted, ",") + `,"a` + names[0] + names[1] + `"]`},
		"xml":  {`<e>` + strings.Join(elements, "") + `</e>`},
		"csv":  {strings.Join(names, ","), strings.Join(quoted, ","), "x" + strings.Join(names, "y,x") + "y", strings.Join(quoted, ", ")},
		"text": {strings.Join(quoted, " "), "[" + strings.Join(quoted, "] [") + "]"},
	}
}()

// oneLine fails unless a line is one for every program that reads lines, and drives no
// terminal.
func oneLine(t *testing.T, line string) {
	t.Helper()
	if !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }) {
		t.Errorf("no line: %q", line)
	}
}

// tokens are what a common log format consists of: texts in quotes, texts in brackets,
// words.
var tokens = regexp.MustCompile(`^(?:\[?(?:"(?:[^"\\]|\\.)*"|[^"\[\] ]+)\]?(?: |$))*$`)

// parse fails unless a line is of a language. It returns how many parts the line has,
// where the language says so.
func parse(t *testing.T, language, line string) int {
	t.Helper()
	oneLine(t, line)
	switch language {
	case "json":
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
		var any any
		if err := json.Unmarshal([]byte(line), &any); err != nil {
			t.Errorf("%v: %s", err, line)
		}
	case "xml":
		d, elements := xml.NewDecoder(strings.NewReader(line)), 0
		for {
			token, err := d.Token()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					t.Errorf("%v: %s", err, line)
				}
				return elements
			}
			if _, is := token.(xml.StartElement); is {
				elements++
			}
		}
	case "csv":
		r := csv.NewReader(strings.NewReader(line))
		r.TrimLeadingSpace = true
		records, err := r.ReadAll()
		if err != nil || len(records) != 1 {
			t.Errorf("%d records, %v: %s", len(records), err, line)
			return 0
		}
		return len(records[0])
	case "text":
		if !tokens.MatchString(line) {
			t.Errorf("not of tokens: %s", line)
		}
		return len(regexp.MustCompile(`"(?:[^"\\]|\\.)*"`).FindAllString(line, -1))
	}
	return 0
}

var seeds = []string{
	"", "-", agent, `"`, `\`, `\"`, `","`, "a,b", "'", "]", "]]>", ">", "--", "?>", "<", "&", "\n", "\r\n", "\u2028", "\xff", "\x00", "\u0085",
	`","admin":"true`, "7", "1e999", "-0", "007", "1.", "true", "null", "{}", `"x"`, strings.Repeat("é", 2000), strings.Repeat("]", 3000), " a ", "=1+1", "$context.stage", "\ufffe",
}

// check fails unless the line of an event is what its format is.
func (l language) check(t *testing.T, e *event.Event) {
	t.Helper()
	if got := parse(t, l.name, string(l.format.Append(nil, e))); got != l.parts {
		t.Errorf("%d parts of %s, want %d", got, l.name, l.parts)
	}
}

// language is a format with the number of its parts, as far as they are counted.
type language struct {
	name   string
	format *accesslog.Format
	parts  int
}

func languages() (all []language) {
	parts := len(strings.Fields(values))
	count := map[string]int{"xml": parts + 1, "csv": parts, "text": parts}
	for _, name := range slices.Sorted(maps.Keys(formats)) {
		for _, format := range formats[name] {
			all = append(all, language{name, accesslog.Parse(format), count[name]})
		}
	}
	return all
}

// Whatever a client sends, a line stays what its format is.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	for _, text := range seeds {
		for _, l := range languages() {
			for _, e := range hostile(text) {
				l.check(t, e)
			}
		}
	}
}

// As TestHostileTexts, with any text.
func FuzzText(f *testing.F) {
	all := languages()
	for i, seed := range seeds {
		f.Add(seed, uint8(i), uint8(i))
	}
	f.Fuzz(func(t *testing.T, text string, format, kind uint8) {
		events := hostile(text)
		all[int(format)%len(all)].check(t, events[int(kind)%len(events)])
	})
}

// The text that a client sent comes back from a line of JSON as it was, as far as it is
// text.
func FuzzJSON(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	format := accesslog.Parse(`{"agent":"$context.identity.userAgent","bare":$context.identity.userAgent}`)
	f.Fuzz(func(t *testing.T, text string) {
		e := sample()
		e.Connection.UserAgent = text
		line := format.Append(nil, e)
		if text == "" || len(text) > 2<<10 {
			return // "-", or cut
		}
		var got struct {
			Agent string
			Bare  any
		}
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		want := strings.Map(func(r rune) rune {
			if r == '\ufffe' || r == '\uffff' {
				return utf8.RuneError
			}
			return r
		}, text)
		if got.Agent != want {
			t.Errorf("%q became %q", text, got.Agent)
		}
		if s, is := got.Bare.(string); is && s != want {
			t.Errorf("%q became %q without quotes", text, s)
		}
	})
}

// Whatever the format, and whatever a client sends, an event is one line.
func FuzzFormat(f *testing.F) {
	for _, list := range formats {
		for _, format := range list {
			f.Add(format, agent)
		}
	}
	for _, format := range []string{"", "$", "$context.", "${context.", `"$context.stage`, "{", "[$context.stage]", "<14>$context.stage", "<$context.stage>", "a,\"b", "\n$context.requestId\r\n", "<a><![CDATA["} {
		f.Add(format, `"`)
	}
	f.Fuzz(func(t *testing.T, format, text string) {
		if len(format) > accesslog.MaxFormat {
			return
		}
		_, _ = accesslog.Warnings(format), accesslog.CheckFormat(format)
		if line := string(accesslog.Parse(format).Append(nil, hostile(text)[1])); strings.ContainsAny(line, "\r\n\v\f\u0085\u2028\u2029") {
			t.Fatalf("no line: %q", line)
		}
	})
}
