package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// changing is what differs between two runs: times, and the ids of messages.
var changing = []struct{ found, written string }{
	{`"(connectedAt|requestTimeEpoch)": \d+`, `"$1": 0`},
	{`"requestTime": "[^"]*"`, `"requestTime": "then"`},
	{`"messageId": "[^"]*"`, `"messageId": "a message"`},
	{`\\"(connectedAt|requestTimeEpoch)\\":\d+`, `\"$1\":0`},
	{`\\"requestTime\\":\\"[^"]*\\"`, `\"requestTime\":\"then\"`},
	{`\\"messageId\\":\\"[^"]*\\"`, `\"messageId\":\"a message\"`},
}

// explained is the output of explain, with its exit code in front.
func explained(t *testing.T, args ...string) string {
	t.Helper()
	width, color := "80", false
	for len(args) > 0 && strings.HasPrefix(args[0], "(") { // "(160 columns)", "(in colours)"
		if args[0] == "(in colours)" {
			color = true
		} else {
			width = strings.Trim(args[0], "( columns)")
		}
		args = args[1:]
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), &process{
		args: append([]string{"explain"}, args...), stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
		env:        func(name string) string { return map[string]string{"COLUMNS": width}[name] },
		isTerminal: func(any) bool { return color },
	})
	text := fmt.Sprintf("exit code %d\n%s%s", code, stdout.String(), stderr.String())
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	text = strings.ReplaceAll(text, here+string(filepath.Separator), "")
	for _, c := range changing {
		text = regexp.MustCompile(c.found).ReplaceAllString(text, c.written)
	}
	return strings.ReplaceAll(text, "\x1b", "\\e")
}

// Each case in testdata/explain is arguments, a line each, a line of dashes, and what is
// printed.
func TestExplainGolden(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob(filepath.Join("testdata", "explain", "*.txt"))
	if err != nil || len(cases) < 15 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			head, want, _ := strings.Cut(string(text), "\n---\n")
			got := explained(t, strings.Split(strings.TrimSuffix(head, "\n"), "\n")...)
			if *update {
				if err := os.WriteFile(file, []byte(strings.TrimSuffix(head, "\n")+"\n---\n"+got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

const ordersTemplate = "testdata/explain/orders.yaml"

// No line of text is wider than the terminal, but for words that are: these can be copied.
func TestExplainFits(t *testing.T) {
	t.Parallel()
	for width, columns := range map[string]int{"(80 columns)": 80, "(160 columns)": 160} {
		for line := range strings.Lines(explained(t, width, ordersTemplate, "--message", `{"action":"keep","text":"`+strings.Repeat("long ", 100)+`"}`)) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > columns && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("%s: %d: %s", width, n, line)
			}
		}
	}
}

// Wrong flags are told before anything else.
func TestExplainFlags(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{ordersTemplate}, "either --message or --connect"},
		{[]string{ordersTemplate, "--connect", "--message", "{}"}, "either --message or --connect"},
		{[]string{ordersTemplate, "--message", "@testdata/explain/none.json"}, "--message: stat testdata/explain/none.json"},
		{[]string{ordersTemplate, "--connect", "--header", "no colon"}, `--header "no colon" is not a header line`},
		{[]string{ordersTemplate, "--connect", "--header", "a b: c"}, "is not a header line"},
		{[]string{ordersTemplate, "--connect", "--query", "x"}, `--query "x" is not NAME=VALUE`},
		{[]string{ordersTemplate, "--connect", "--context", "=x"}, `--context "=x" is not KEY=VALUE`},
		{[]string{ordersTemplate, "--connect", "--status", "99"}, "--status 99 is none of HTTP's"},
		{[]string{ordersTemplate, "--connect", "--stage", "none"}, "there is no stage none with a deployment; there are prod"},
		{[]string{ordersTemplate, "--connect", "--api", "none"}, "there is no API none; there are Api"},
		{[]string{ordersTemplate, "--connect", "--gateway", "http://127.0.0.1:1", "--api", "x"}, "cannot be given together"},
		{[]string{"--connect", "--gateway", "http://127.0.0.1:1"}, "--gateway needs --api"},
		{[]string{"--connect", "--gateway", "nowhere", "--api", "x"}, "is not the URL of a gateway's control plane"},
	} {
		got := execute(t.Context(), strings.NewReader(""), append([]string{"explain"}, test.args...)...)
		got.expect(t, exitUsage, test.want)
		if got.stdout != "" {
			t.Errorf("%v prints %s", test.args, got.stdout)
		}
	}
	execute(t.Context(), strings.NewReader(""), "explain", "testdata/explain/none.yaml", "--connect").expect(t, exitFailure, "none.yaml")
}

// What clients and backends send cannot drive the terminal.
func TestExplainHostileText(t *testing.T) {
	t.Parallel()
	got := execute(t.Context(), strings.NewReader(""), "explain", ordersTemplate,
		"--message", "{\"action\":\"\x1b[2J\u202e\"}", "--context", "a\x1b=\x1b")
	got.expect(t, exitAbnormal)
	if strings.ContainsAny(got.stdout, "\x1b\u202e") {
		t.Errorf("%q", got.stdout)
	}
}

// A message and an answer may come from files.
func TestExplainFiles(t *testing.T) {
	t.Parallel()
	message, answer := written(t, "message.json", `{"action":"order","item":"cup"}`), written(t, "answer.json", `{"id":"o-7"}`)
	got := execute(t.Context(), strings.NewReader(""), "explain", ordersTemplate, "--json",
		"--message", "@"+message, "--answer", "@"+answer, "--context", "customer=ada")
	got.expect(t, exitOK)
	var x struct{ Reply struct{ Body string } }
	if err := json.Unmarshal([]byte(got.stdout), &x); err != nil || x.Reply.Body != `{"ordered": "o-7"}` {
		t.Errorf("%v, %s", err, got.stdout)
	}
}
