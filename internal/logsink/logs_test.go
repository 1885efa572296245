package logsink

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/outputtest"
)

// Lines go where the first entry says that fits; those that none fits are records of the
// gateway's own log, which says so once.
func TestDestinations(t *testing.T) {
	t.Parallel()
	var out outputtest.Buffer
	l := open(t, Options{Stdout: &out, Access: []Rule{
		{"arn:aws:logs:*:*:log-group:chat*", Place{Stdout: true}},
		{"*", Place{Firehose: true}},
	}})
	for range 2 {
		write(l.Access(chatARN), "first")
		write(l.Access(chatARN+":*"), "second")
		write(l.Access("arn:aws:logs:eu-central-1:123456789012:log-group:other"), `{"line": 3}`)
		write(l.Execution("a1", "prod"), "(r1) line")
	}
	l.Close()
	if got := strings.Count(out.String(), "first\n") + strings.Count(out.String(), "second\n"); got != 4 {
		t.Errorf("standard output has\n%s", &out)
	}
	if l.told("no entry of logs.access fits") != 1 || l.told("log-group:other") != 1 ||
		l.told(`time=2026-11-30T12:00:00.123Z level=INFO msg=access line="{\"line\": 3}"`) != 2 ||
		l.told(`msg=execution line="(r1) line"`) != 2 {
		t.Errorf("the log has\n%s", l.own)
	}
	write(l.Access(chatARN), "late")
	if strings.Contains(out.String(), "late") {
		t.Error("a line was written after the end")
	}
}

// A star stands for any characters.
func TestFits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"*", "", true}, {"*", "a", true}, {"", "", true}, {"", "a", false},
		{"a", "a", true}, {"a", "ab", false}, {"a*", "a", true}, {"a*", "ab", true}, {"a*", "ba", false},
		{"*a", "ba", true}, {"*a", "ab", false}, {"a*a", "a", false}, {"a*a", "aa", true}, {"a**a", "aa", true},
		{"a*b*c", "a-b-b-c", true}, {"a*b*c", "a-c-b", false}, {"*aa*aa", "aaa", false}, {"*aab", "aaab", true},
		{"arn:aws:logs:*:*:log-group:chat*", chatARN, true},
		{"arn:aws:logs:*:*:log-group:chat*", strings.Replace(chatARN, "logs", "firehose", 1), false},
	} {
		if got := fits(test.pattern, test.text); got != test.want {
			t.Errorf("fits(%q, %q) = %v", test.pattern, test.text, got)
		}
	}
}

// Log groups go to CloudWatch Logs and delivery streams to Firehose, whatever fits else.
func TestServicesTakeTheirOwn(t *testing.T) {
	t.Parallel()
	const stream = "arn:aws:firehose:us-east-1:123456789012:deliverystream/amazon-apigateway-chat"
	rules := []Rule{{"*", Place{Firehose: true}}, {"*", Place{CloudWatch: true}}, {"*", Place{Stdout: true}}}
	for arn, want := range map[string]int{stream: 0, chatARN: 1, chatARN + ":*": 1, "arn:aws:sqs:us-east-1:1:q": 2, "": 2} {
		d := parseDestination(arn)
		for i := range rules {
			if got := rules[i].fits(arn, d); got != (i == want || i == 2) {
				t.Errorf("rule %d fits %q: %v", i, arn, got)
			}
		}
	}
	if rule := (Rule{chatARN + ":*", Place{CloudWatch: true}}); !rule.fits(chatARN, parseDestination(chatARN)) {
		t.Error("an ARN with all of its streams is another")
	}
}

// As many log groups have a queue as may have one, and none keeps memory when its lines are
// sent. Lines for others are records of the gateway's own log, which says so once.
func TestTooManyLogGroups(t *testing.T) { // not parallel: it measures memory
	aws := newAWS(t)
	aws.failWith(func(string) answer { return answer{status: 200, body: "{}"} }) // and keep no line
	l := openAWS(t, aws, Place{CloudWatch: true})
	before := heap()
	line := strings.Repeat("x", 6<<10) // all of them fit into the budget
	for n := range maxTargets {
		write(l.Access(fmt.Sprint(chatARN, n)), line)
	}
	for n := range 3 {
		write(l.Access(fmt.Sprint(chatARN, maxTargets+n)), fmt.Sprint("other-", n))
	}
	if n := len(l.queues); n != maxTargets+1 {
		t.Errorf("there are %d queues", n)
	}
	eventually(t, func() error {
		if waiting := l.sinks["cloudwatch"].budget.used.Load(); waiting > 0 || l.told("msg=access line=other-") != 3 {
			return fmt.Errorf("%d bytes wait; the log has\n%s", waiting, l.own)
		}
		return nil
	})
	var each uint64
	eventually(t, func() error {
		if each = (heap() - before) / maxTargets; each > 3<<10 {
			return fmt.Errorf("each queue takes %d bytes", each)
		}
		return nil
	})
	t.Logf("each queue takes %d bytes", each)
	if n := len(aws.called()); n != maxTargets || l.dropped("cloudwatch") != 0 {
		t.Errorf("%d calls; %d lines were dropped", n, l.dropped("cloudwatch"))
	}
	if l.told("there are too many log groups") != 1 {
		t.Errorf("the log has\n%s", l.own)
	}
}

// heap is how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // the first leaves what is in pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
