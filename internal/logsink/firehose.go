package logsink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
)

// The limits of PutRecordBatch.
const (
	maxRecords     = 500
	maxRecordBytes = 1000 << 10
	maxBatchBytes  = 4 << 20
)

// executionStream is the delivery stream of execution logs, which no ARN names.
const executionStream = "amazon-apigateway-execution-logs"

// firehose is an output to a delivery stream of Firehose: a record for each line, with its
// line break.
type firehose struct {
	aws            AWS
	region, stream string
}

type putRecordBatch struct {
	DeliveryStreamName string
	Records            []record
}

type record struct{ Data []byte }

// batchAnswer is the answer to PutRecordBatch: what became of each record.
type batchAnswer struct {
	FailedPutCount   int
	RequestResponses []struct{ ErrorCode, ErrorMessage string }
}

// send implements output: it sends as many lines as one request may have. Those that the
// service did not take are in the rest.
func (f *firehose) send(ctx context.Context, text []byte) ([]byte, error) {
	records, rest := batch(text)
	if len(records) == 0 {
		return rest, &refused{1, fmt.Errorf("a record of more than %d bytes", maxRecordBytes)}
	}
	var answer batchAnswer
	err := call(ctx, f.aws, f.region, serviceFirehose, "PutRecordBatch", putRecordBatch{f.stream, records}, &answer)
	var failure *awsError
	switch {
	case errors.As(err, &failure) && failure.isHopeless():
		return rest, &refused{len(records), err}
	case err != nil:
		return text, err
	case answer.FailedPutCount == 0:
		return rest, nil
	}
	return f.again(records, answer, rest)
}

// again returns the lines whose records failed, before the rest.
func (f *firehose) again(records []record, answer batchAnswer, rest []byte) ([]byte, error) {
	var failed []byte
	failure := &awsError{operation: "PutRecordBatch", status: http.StatusOK}
	for i, r := range answer.RequestResponses[:min(len(answer.RequestResponses), len(records))] {
		if r.ErrorCode != "" {
			failed = append(failed, records[i].Data...)
			failure.code, failure.message = r.ErrorCode, r.ErrorMessage
		}
	}
	if len(failed) == 0 {
		return rest, nil
	}
	return append(failed, rest...), failure
}

// batch returns the records of as many lines as one request may have, and the lines behind
// them. There are none where the first line is too long for a record, which is left out of
// the rest.
func batch(text []byte) (records []record, rest []byte) {
	rest = text
	size := 0
	for line := range bytes.Lines(text) {
		if len(line) > maxRecordBytes && len(records) == 0 {
			return nil, rest[len(line):]
		}
		if size += len(line); len(line) > maxRecordBytes || len(records) == maxRecords || size > maxBatchBytes {
			break
		}
		records = append(records, record{line})
		rest = rest[len(line):]
	}
	return records, rest
}

// close implements output.
func (*firehose) close() {}
