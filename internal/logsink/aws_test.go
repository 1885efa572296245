package logsink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// fakeAWS is CloudWatch Logs and Firehose, which refuse what AWS refuses.
type fakeAWS struct {
	t *testing.T

	mu      sync.Mutex // guards what follows
	calls   []string
	groups  map[string]map[string][]logEvent
	streams map[string][]string
	// fail answers calls in the place of the services; nil, or an answer of 0, for none.
	fail func(operation string) answer
}

type answer struct {
	status int // 0: no answer, and the error
	body   string
	err    error
}

// refusal is an error of AWS.
func refusal(status int, code string) answer {
	return answer{status, fmt.Sprintf(`{"__type":"com.amazonaws.logs.v20140328#%s","message":"because"}`, code), nil}
}

// Call implements AWS.
func (f *fakeAWS) Call(ctx context.Context, region, service, operation string, body []byte) (int, []byte, error) {
	if region != "eu-central-1" {
		f.t.Errorf("region %q", region)
	}
	f.mu.Lock()
	f.calls = append(f.calls, service+"."+operation)
	fail := f.fail
	f.mu.Unlock()
	if fail != nil {
		if a := fail(operation); a.status != 0 || a.err != nil {
			if errors.Is(a.err, errHang) {
				<-ctx.Done()
				a.err = ctx.Err()
			}
			return a.status, []byte(a.body), a.err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.serve(operation, body)
	return a.status, []byte(a.body), a.err
}

// failWith has calls answered in the place of the services.
func (f *fakeAWS) failWith(fail func(operation string) answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = fail
}

// errHang has a call hang until it is given up.
var errHang = errors.New("hang")

// serve does an operation.
func (f *fakeAWS) serve(operation string, body []byte) answer {
	var in struct {
		LogGroupName, LogStreamName, DeliveryStreamName string
		LogEvents                                       []logEvent
		Records                                         []record
	}
	if err := json.Unmarshal(body, &in); err != nil {
		f.t.Error(err)
	}
	group := f.groups[in.LogGroupName]
	switch operation {
	case "CreateLogGroup":
		f.groups[in.LogGroupName] = map[string][]logEvent{}
	case "CreateLogStream":
		if group == nil {
			return refusal(400, "ResourceNotFoundException")
		}
		if group[in.LogStreamName] != nil {
			return refusal(400, "ResourceAlreadyExistsException")
		}
		group[in.LogStreamName] = []logEvent{}
	case "PutLogEvents":
		if group == nil || group[in.LogStreamName] == nil {
			return refusal(400, "ResourceNotFoundException")
		}
		if err := checkEvents(in.LogEvents); err != nil {
			f.t.Error(err)
		}
		if strings.Contains(in.LogEvents[0].Message, "poison") {
			return refusal(400, "InvalidParameterException")
		}
		group[in.LogStreamName] = append(group[in.LogStreamName], in.LogEvents...)
	case "PutRecordBatch":
		return f.putRecords(in.DeliveryStreamName, in.Records)
	}
	return answer{status: 200, body: "{}"}
}

// checkEvents returns what AWS refuses of events.
func checkEvents(events []logEvent) error {
	size := 0
	for _, e := range events {
		size += len(e.Message) + 26
		if e.Message == "" || !utf8.ValidString(e.Message) {
			return fmt.Errorf("the message %.20q", e.Message)
		}
	}
	sorted := slices.IsSortedFunc(events, func(a, b logEvent) int { return int(a.Timestamp - b.Timestamp) })
	if n := len(events); n == 0 || n > 10_000 || size > 1<<20 || !sorted || events[n-1].Timestamp-events[0].Timestamp > 24*3600*1000 {
		return fmt.Errorf("%d events of %d bytes, sorted: %v, from %d to %d", n, size, sorted, events[0].Timestamp, events[n-1].Timestamp)
	}
	return nil
}

// putRecords refuses those with the word "busy", the first time.
func (f *fakeAWS) putRecords(stream string, records []record) answer {
	type result struct{ RecordId, ErrorCode, ErrorMessage string }
	out := struct {
		FailedPutCount   int
		RequestResponses []result
	}{}
	size := 0
	for _, r := range records {
		size += len(r.Data)
		text := string(r.Data)
		if strings.Contains(text, "busy") && !slices.Contains(f.calls, text) {
			f.calls = append(f.calls, text)
			out.FailedPutCount++
			out.RequestResponses = append(out.RequestResponses, result{"", "ServiceUnavailableException", "Slow down."})
			continue
		}
		f.streams[stream] = append(f.streams[stream], text)
		out.RequestResponses = append(out.RequestResponses, result{"1", "", ""})
	}
	if n := len(records); n == 0 || n > 500 || size > 4<<20 {
		f.t.Errorf("%d records of %d bytes", n, size)
	}
	body, err := json.Marshal(out)
	if err != nil {
		f.t.Error(err)
	}
	return answer{status: 200, body: string(body)}
}

func newAWS(t *testing.T) *fakeAWS {
	return &fakeAWS{t: t, groups: map[string]map[string][]logEvent{}, streams: map[string][]string{}}
}

// openAWS opens logs to services.
func openAWS(t *testing.T, aws *fakeAWS, p Place) *opened {
	return open(t, Options{Access: everything(p), Execution: p, AWS: aws, Stream: "host/1"})
}

// messages are those of a log group, in the stream of the gateway.
func (f *fakeAWS) messages(group string) (all []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.groups[group]["host/1"] {
		all = append(all, e.Message)
	}
	return all
}

// called returns the calls.
func (f *fakeAWS) called() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// Lines go to the log group of the ARN, and those of execution logs to the group that they
// have at AWS. Groups and streams are made where they are missing.
func TestCloudWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		aws := newAWS(t)
		aws.groups["chat"] = map[string][]logEvent{}
		l := openAWS(t, aws, Place{CloudWatch: true})
		write(l.Access(chatARN), "first", "")
		write(l.Execution("a1", "prod"), "(r1) line")
		time.Sleep(remoteDelay)
		synctest.Wait()
		write(l.Access(chatARN+":*"), "last \xff")
		l.Close()
		if diff := cmp.Diff([]string{"first", " ", "last \uFFFD"}, aws.messages("chat")); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"(r1) line"}, aws.messages("/aws/apigateway/a1/prod")); diff != "" {
			t.Error(diff)
		}
		if got := aws.groups["chat"]["host/1"][0].Timestamp; got != noon.UnixMilli() {
			t.Errorf("the time is %d", got)
		}
		calls := aws.called()
		slices.Sort(calls)
		want := []string{"logs.CreateLogGroup", "logs.CreateLogStream", "logs.CreateLogStream", "logs.CreateLogStream",
			"logs.PutLogEvents", "logs.PutLogEvents", "logs.PutLogEvents", "logs.PutLogEvents", "logs.PutLogEvents"}
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Error(diff)
		}
	})
}

// However many lines there are, however long and whatever their times: no request is
// beyond AWS's limits (which fakeAWS checks), and each line is sent.
func TestPutLogEventsWithinLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		aws := newAWS(t)
		l := openAWS(t, aws, Place{CloudWatch: true})
		sink := l.Access(chatARN)
		const many = 25_000
		for range many {
			write(sink, "x")
		}
		long := strings.Repeat("ä", 300_000)
		write(sink, long, long, long)
		for _, hours := range []int{0, 23, 5, 30, 54, 1} {
			sink.Write(Entry{noon.Add(time.Duration(hours) * time.Hour), []byte("later")})
		}
		l.Close()
		all := aws.messages("chat")
		if len(all) != many+3+6 || all[many] != long || all[many+2] != long {
			t.Errorf("%d messages", len(all))
		}
		if n := l.dropped("cloudwatch"); n != 0 {
			t.Errorf("%d were dropped", n)
		}
	})
}

// What is longer than an event may be is cut, at a character.
func TestLongEventIsCut(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "x"} {
		events, rest := logEvents([]byte("1 " + prefix + strings.Repeat("ä", 1<<20) + "\n2 next\n"))
		if len(events) != 1 || len(rest) != len("2 next\n") || checkEvents(events) != nil || len(events[0].Message) < maxEventsBytes-eventOverhead-1 {
			t.Errorf("%d events, %d bytes of rest, %v", len(events), len(rest), checkEvents(events))
		}
	}
}

// A service that throttles, fails, hangs or is not there gets the same lines later, in
// their order and once. That is told once, and the end of it as well.
func TestCloudWatchFails(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]answer{
		"throttled":   refusal(400, "ThrottlingException"),
		"unavailable": refusal(503, "ServiceUnavailableException"),
		"a page":      {502, "<html>", nil},
		"no answer":   {0, "", errors.New("connection refused")},
		"hanging":     {0, "", errHang},
		"no key":      refusal(403, "AccessDeniedException"),
		"nonsense":    {200, "<html>", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				aws := newAWS(t)
				fails := true
				aws.fail = func(string) answer {
					aws.mu.Lock()
					defer aws.mu.Unlock()
					if fails {
						return failure
					}
					return answer{}
				}
				l := openAWS(t, aws, Place{CloudWatch: true})
				l.sinks["cloudwatch"].budget.limit = 1000
				sink := l.Access(chatARN)
				for i := range 100 {
					write(sink, fmt.Sprintf("line %02d", i)) // 26 bytes with its time
				}
				time.Sleep(5 * time.Minute)
				synctest.Wait()
				kept := 1000 / len("1796040000000000 line 00\n")
				if got := l.dropped("cloudwatch"); got != uint64(100-kept) {
					t.Errorf("%d were dropped, %d are to be kept", got, kept)
				}
				if l.told("log lines cannot be written") != 1 || l.told("target=chat") != 1 {
					t.Errorf("the log has\n%s", l.own)
				}
				aws.mu.Lock()
				fails = false
				calls := len(aws.calls)
				aws.mu.Unlock()
				if calls < 10 || calls > 50 {
					t.Errorf("%d calls in five minutes", calls)
				}
				time.Sleep(lastBackoff + callTimeout)
				synctest.Wait()
				if got := aws.messages("chat"); len(got) != kept || got[0] != "line 00" || !slices.IsSorted(got) {
					t.Errorf("%d lines: %q", len(got), got)
				}
				if l.told("log lines are written again") != 1 {
					t.Errorf("the log has\n%s", l.own)
				}
				write(sink, "room again")
				l.Close()
				if got := aws.messages("chat"); got[len(got)-1] != "room again" {
					t.Errorf("the last line is %q", got[len(got)-1])
				}
			})
		})
	}
}

// What AWS never takes is dropped and told, and what comes after it is sent.
func TestCloudWatchRefuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		aws := newAWS(t)
		l := openAWS(t, aws, Place{CloudWatch: true})
		sink := l.Access(chatARN)
		write(sink, "poison", "with it")
		time.Sleep(remoteDelay)
		synctest.Wait()
		write(sink, "good")
		time.Sleep(remoteDelay)
		synctest.Wait()
		aws.failWith(func(string) answer {
			return answer{200, `{"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}}`, nil}
		})
		write(sink, "old", "good", "new")
		l.Close()
		if got := aws.messages("chat"); len(got) != 1 || got[0] != "good" {
			t.Errorf("%q", got)
		}
		if l.dropped("cloudwatch") != 4 || l.told("log lines were refused") != 1 || l.told("InvalidParameterException: because") != 1 {
			t.Errorf("%d dropped; the log has\n%s", l.dropped("cloudwatch"), l.own)
		}
	})
}

// A log group that fails holds up no other one.
func TestLogGroupsAreApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		aws := newAWS(t)
		aws.groups["chat"] = map[string][]logEvent{}
		aws.fail = func(operation string) answer {
			if operation == "CreateLogGroup" {
				return refusal(http.StatusBadRequest, "AccessDeniedException")
			}
			return answer{}
		}
		l := openAWS(t, aws, Place{CloudWatch: true})
		write(l.Access(strings.Replace(chatARN, "chat", "other", 1)), "lost")
		time.Sleep(time.Minute)
		write(l.Access(chatARN), "line")
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := aws.messages("chat"); len(got) != 1 || l.told("target=other") != 1 {
			t.Errorf("%q; the log has\n%s", got, l.own)
		}
		l.Close()
		if l.dropped("cloudwatch") != 1 {
			t.Errorf("%d lines were dropped", l.dropped("cloudwatch"))
		}
	})
}

const firehoseARN = "arn:aws:firehose:eu-central-1:123456789012:deliverystream/amazon-apigateway-chat"

// Lines are records with their line breaks, at most 500 of at most 4 MiB in a request
// (which fakeAWS checks). Those that are not taken are sent again, and nothing else.
func TestFirehose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		aws := newAWS(t)
		l := openAWS(t, aws, Place{Firehose: true})
		sink := l.Access(firehoseARN)
		for i := range 1200 {
			write(sink, fmt.Sprint("line ", i))
		}
		write(sink, "busy 1", "between", "busy 2")
		long := strings.Repeat("x", 1_000_000)
		for range 9 {
			write(sink, long)
		}
		write(sink, strings.Repeat("y", 1<<20), "after it")
		write(l.Execution("a1", "prod"), "(r1) line")
		time.Sleep(time.Minute)
		synctest.Wait()
		got := aws.streams["amazon-apigateway-chat"]
		slices.Sort(got)
		if len(got) != 1200+3+9+1 || got[0] != "after it\n" || got[1] != "between\n" || got[2] != "busy 1\n" || got[3] != "busy 2\n" || got[4] != "line 0\n" {
			t.Errorf("%d records", len(got))
		}
		if got := aws.streams[executionStream]; len(got) != 1 || got[0] != "2026-11-30T12:00:00.123Z (r1) line\n" {
			t.Errorf("execution logs: %q", got)
		}
		if l.dropped("firehose") != 1 || l.told("log lines were refused") != 1 || l.told("cannot be written") != 0 {
			t.Errorf("%d dropped; the log has\n%s", l.dropped("firehose"), l.own)
		}
		for _, failure := range []answer{refusal(400, "InvalidArgumentException"), refusal(500, "ServiceUnavailableException")} {
			aws.failWith(func(string) answer { return failure })
			write(sink, "lost")
			time.Sleep(time.Minute)
		}
		l.Close()
		if l.dropped("firehose") != 3 {
			t.Errorf("%d dropped; the log has\n%s", l.dropped("firehose"), l.own)
		}
	})
}
