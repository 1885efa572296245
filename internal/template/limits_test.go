package template

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/mistake"
)

// TestBounds gives templates that would cost too much time or memory if they
// were taken at their word. Each must be refused with one clear message.
func TestBounds(t *testing.T) {
	t.Parallel()
	function := func(variable string) string {
		return "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      Code: {ZipFile: x}\n" +
			"      Handler: h\n      Runtime: nodejs22.x\n      Environment: {Variables: {VALUE: " + variable + "}}\n"
	}
	doubled := "xxxxxxxx"
	for range 25 {
		doubled = `!Sub ["${a}${a}", {a: ` + doubled + `}]`
	}
	tests := []struct {
		name, source, want string
	}{
		{"alias bomb", aliasBomb(), "the template has more than 250000 values once its aliases are expanded"},
		{"alias in itself", "Resources: &r\n  A: *r\n", "the alias *r contains itself"},
		{"nested lists", "Resources: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "the template is nested deeper than 100 levels"},
		{"nested past the parser", strings.Repeat("{a: ", 20000) + strings.Repeat("}", 20000), "exceeded max depth"},
		{"nested JSON", strings.Repeat(`{"a":`, 3000) + "1" + strings.Repeat("}", 3000), "the template is nested deeper than 100 levels"},
		{"doubled string", function(doubled), "makes too much"},
		{"repeated mapping", mappingBomb(function), "makes too much"},
		{"chain of aliases", aliasChain(), ""},
		{"loops of loops", loopBomb("{Type: \"AWS::SQS::Queue\"}"), "the loops of the template make more than"},
		{"loops of texts", loopBomb(`{Type: "AWS::SQS::Queue", Properties: {QueueName: "` + strings.Repeat("${I0}", 5000) + `"}}`), "the loops of the template make more than"},
		{"loops over a long parameter", "Transform: AWS::LanguageExtensions\nParameters:\n  P: {Type: CommaDelimitedList, Default: \"" + strings.TrimSuffix(repeat(2000, "%d,"), ",") + "\"}\n" +
			"Resources:\n  Fn::ForEach::A: [A, !Ref P, {\"Fn::ForEach::B\": [B, !Ref P, {\"Fn::ForEach::C\": [C, !Ref P, {}]}]}]\n", "the loops of the template make more than"},
		{"loop of resources", "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::L: [I, [" + strings.TrimSuffix(repeat(501, "i%d,"), ",") + "], {\"Q${I}\": {Type: \"AWS::SQS::Queue\"}}]\n",
			"the template has 501 resources; CloudFormation accepts at most 500"},
		{"many resources", manyResources(501), "the template has 501 resources; CloudFormation accepts at most 500"},
		{"many problems", "Resources:\n" + repeat(400, "  A%d: {Type: \"AWS::SQS::Queue\", Properties: {QueueName: !Ref Missing}}\n"), "more than 199 problems"},
		{"long names", function("!Ref " + strings.Repeat("x", 400_000)), "which is neither a parameter nor a resource"},
		{"deep conditions", deepConditions(), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := loadSource(test.source, Options{})
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %.300v, want %q", err, test.want)
			}
		})
	}
}

// loopBomb is nine loops in each other over ten values: what is in the innermost
// is there a billion times.
func loopBomb(body string) string {
	items := "[" + strings.TrimSuffix(repeat(10, "value%d,"), ",") + "]"
	key := "K"
	for i := range 9 {
		key += fmt.Sprintf("${I%d}", i)
	}
	inner := fmt.Sprintf("%q: %s", key, body)
	for i := range 9 {
		inner = fmt.Sprintf("Fn::ForEach::L%d: [I%d, %s, {%s}]", i, i, items, inner)
	}
	return "Transform: AWS::LanguageExtensions\nResources:\n  " + inner + "\n"
}

// aliasBomb is ten lines that stand for ten to the power of nine values.
func aliasBomb() string {
	var s strings.Builder
	s.WriteString("Metadata:\n  a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&s, "  a%d: &a%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10))
	}
	return s.String()
}

// mappingBomb joins a long string many times.
func mappingBomb(function func(string) string) string {
	long := "Mappings: {M: {a: {b: " + strings.Repeat("x", 500_000) + "}}}\n"
	return long + function(`!Join ["", [`+strings.Repeat(`!FindInMap [M, a, b],`, 1000)+`x]]`)
}

// aliasChain has aliases that each name the one before twice.
func aliasChain() string {
	var s strings.Builder
	s.WriteString("Resources:\n  A0: {Type: \"AWS::Lambda::Function\", Properties: {Code: {ZipFile: x}, Handler: h, Runtime: nodejs22.x, FunctionName: f}}\n")
	for i := 1; i < 200; i++ {
		fmt.Fprintf(&s, "  A%d: {Type: \"AWS::SQS::Queue\", Properties: {QueueName: !Select [0, [!Ref A%d, !Ref A%d, !GetAtt A%d.Arn]]}}\n", i, i-1, i-1, i-1)
	}
	s.WriteString("  Z: {Type: \"AWS::Lambda::Function\", Properties: {Code: {ZipFile: x}, Handler: h, Runtime: nodejs22.x, Environment: {Variables: {LAST: !Select [0, [!Ref A199, !GetAtt A199.Arn]]}}}}\n")
	return s.String()
}

// deepConditions has conditions that each ask for the one before twice.
func deepConditions() string {
	return "Conditions:\n  C0: !Equals [a, b]\n" +
		repeat(2000, "  C%d: !Or [!Condition C%[2]d, !Condition C%[2]d]\n") +
		"Resources: {Q: {Type: \"AWS::SQS::Queue\", Condition: C2000}}\n"
}

func manyResources(n int) string {
	return "Resources:\n" + repeat(n, "  A%d: {Type: \"AWS::SQS::Queue\"}\n")
}

// repeat writes a line n times, with 1 to n and with the number before each.
func repeat(n int, format string) string {
	var s strings.Builder
	for i := 1; i <= n; i++ {
		line := fmt.Sprintf(format, i, i-1)
		line, _, _ = strings.Cut(line, "%!(EXTRA")
		s.WriteString(strings.TrimSuffix(line, "\n") + "\n")
	}
	return s.String()
}

// TestLargeFile checks that a file over CloudFormation's limit is not read.
func TestLargeFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(file, []byte("Resources: # "+strings.Repeat("x", 10<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	want := file + ": the template has 10485773 bytes; CloudFormation accepts at most 1048576"
	for name, read := range map[string]func() error{
		"Load":   func() error { _, err := Load(file, Options{}); return err },
		"Expand": func() error { _, err := Expand(file, Options{}); return err },
	} {
		var problems mistake.List
		if err := read(); !errors.As(err, &problems) || err.Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}
