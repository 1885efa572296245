package logsink

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
	"unicode/utf8"
)

// The limits of PutLogEvents.
const (
	maxEvents      = 10_000
	maxEventsBytes = 1 << 20 // of all messages, each with eventOverhead
	eventOverhead  = 26
	maxSpan        = 24 * time.Hour // between the first event and the last
)

// cloudWatch is an output to a stream of a log group of CloudWatch Logs. Both are made
// where they are missing.
type cloudWatch struct {
	aws                   AWS
	region, group, stream string
}

// logStream names a stream in requests.
type logStream struct {
	LogGroupName  string `json:"logGroupName"`
	LogStreamName string `json:"logStreamName,omitempty"`
}

type putLogEvents struct {
	logStream
	LogEvents []logEvent `json:"logEvents"`
}

type logEvent struct {
	Timestamp int64  `json:"timestamp"` // milliseconds
	Message   string `json:"message"`
}

// putAnswer is the answer to PutLogEvents. Events before the first two indexes, and from
// the third on, were not taken.
type putAnswer struct {
	RejectedLogEventsInfo struct {
		ExpiredLogEventEndIndex  int  `json:"expiredLogEventEndIndex"`
		TooOldLogEventEndIndex   int  `json:"tooOldLogEventEndIndex"`
		TooNewLogEventStartIndex *int `json:"tooNewLogEventStartIndex"`
	} `json:"rejectedLogEventsInfo"`
}

// rejected returns how many of the events were not taken.
func (a *putAnswer) rejected(events int) int {
	info := a.RejectedLogEventsInfo
	n := max(info.ExpiredLogEventEndIndex, info.TooOldLogEventEndIndex)
	if start := info.TooNewLogEventStartIndex; start != nil {
		n += events - *start
	}
	return min(max(n, 0), events)
}

// send implements output: it sends as many lines as one request may have.
func (c *cloudWatch) send(ctx context.Context, text []byte) ([]byte, error) {
	events, rest := logEvents(text)
	answer, err := c.put(ctx, events)
	var failure *awsError
	switch {
	case err == nil:
	case errors.As(err, &failure) && failure.isHopeless():
		return rest, &refused{len(events), err}
	default:
		return text, err
	}
	if n := answer.rejected(len(events)); n > 0 {
		return rest, &refused{n, errors.New("CloudWatch Logs takes no events of that time: they are too old or too new")}
	}
	return rest, nil
}

// put sends events. Where the stream is missing it is made.
func (c *cloudWatch) put(ctx context.Context, events []logEvent) (*putAnswer, error) {
	in := &putLogEvents{logStream{c.group, c.stream}, events}
	var answer putAnswer
	err := c.call(ctx, "PutLogEvents", in, &answer)
	if isCode(err, "ResourceNotFoundException") {
		if err = c.makeStream(ctx); err == nil {
			err = c.call(ctx, "PutLogEvents", in, &answer)
		}
	}
	return &answer, err
}

// makeStream makes the stream, and where its group is missing, the group.
func (c *cloudWatch) makeStream(ctx context.Context) error {
	stream := logStream{c.group, c.stream}
	err := c.make(ctx, "CreateLogStream", stream)
	if isCode(err, "ResourceNotFoundException") {
		if err = c.make(ctx, "CreateLogGroup", logStream{LogGroupName: c.group}); err == nil {
			err = c.make(ctx, "CreateLogStream", stream)
		}
	}
	return err
}

// make creates something, unless somebody else has.
func (c *cloudWatch) make(ctx context.Context, operation string, in logStream) error {
	if err := c.call(ctx, operation, in, nil); !isCode(err, "ResourceAlreadyExistsException") {
		return err
	}
	return nil
}

func (c *cloudWatch) call(ctx context.Context, operation string, in, answer any) error {
	return call(ctx, c.aws, c.region, serviceLogs, operation, in, answer)
}

// isCode reports whether an error is one of AWS with a code.
func isCode(err error, code string) bool {
	var failure *awsError
	return errors.As(err, &failure) && failure.code == code
}

// close implements output.
func (*cloudWatch) close() {}

// logEvents returns the events of as many lines as one request may have, in the order of
// their times, and the lines behind them.
func logEvents(text []byte) (events []logEvent, rest []byte) {
	rest = text
	size := 0
	var first, last int64 // times of the events
	for e := range entries(text) {
		message := string(cut(bytes.ToValidUTF8(e.line, []byte("\uFFFD")), maxEventsBytes-eventOverhead))
		if message == "" {
			message = " " // an event must have something
		}
		at := e.time.UnixMilli()
		if len(events) == 0 {
			first, last = at, at
		}
		first, last = min(first, at), max(last, at)
		size += len(message) + eventOverhead
		if len(events) == maxEvents || size > maxEventsBytes || last-first > maxSpan.Milliseconds() {
			break
		}
		events = append(events, logEvent{at, message})
		rest = rest[len(e.raw):]
	}
	slices.SortStableFunc(events, func(a, b logEvent) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	return events, rest
}

// cut returns a valid UTF-8 text without what is beyond so many bytes.
func cut(text []byte, most int) []byte {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
