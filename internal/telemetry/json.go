package telemetry

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// AppendJSON appends a record as a JSON object: a line of `stagedoor dev --json`, without
// its end. There may be many thousands a second, so it is written without encoding/json,
// and without making garbage.
func AppendJSON(line []byte, e *Record) []byte {
	line = appendText(append(line, `{"event":`...), e.Event)
	line = append(e.Time.UTC().AppendFormat(append(line, `,"time":"`...), time.RFC3339Nano), '"')
	line = appendText(append(line, `,"apiId":`...), e.APIID)
	line = appendText(append(line, `,"stage":`...), e.Stage)
	line = appendText(append(line, `,"connectionId":`...), e.ConnectionID)
	line = appendText(append(line, `,"requestId":`...), e.RequestID)
	if e.RouteKey != "" {
		line = appendText(append(line, `,"routeKey":`...), e.RouteKey)
	}
	line = strconv.AppendInt(append(line, `,"status":`...), int64(e.Status), 10)
	if e.Reason != "" {
		line = appendText(append(line, `,"reason":`...), e.Reason)
	}
	if e.Bytes != 0 {
		line = strconv.AppendInt(append(line, `,"bytes":`...), int64(e.Bytes), 10)
	}
	line = appendMilliseconds(append(line, `,"durationMs":`...), e.Duration)
	if e.Event == EventRefused {
		line = appendText(append(line, `,"path":`...), e.Refused.Path)
		line = appendText(append(line, `,"source":`...), e.Refused.Source)
	}
	if e.Unanswered != 0 {
		line = strconv.AppendInt(append(line, `,"unanswered":`...), int64(e.Unanswered), 10)
	}
	if e.Error != "" {
		line = appendText(append(line, `,"error":`...), e.Error)
	}
	if len(e.Warnings) > 0 {
		warnings, _ := json.Marshal(e.Warnings) // texts always marshal
		line = append(append(line, `,"warnings":`...), warnings...)
	}
	return append(line, '}')
}

// appendMilliseconds appends a duration that is not negative in milliseconds, to
// the microsecond, with no digits that say nothing.
func appendMilliseconds(dst []byte, d time.Duration) []byte {
	whole, micros := d.Microseconds()/1000, d.Microseconds()%1000
	dst = strconv.AppendInt(dst, whole, 10)
	if micros == 0 {
		return dst
	}
	dst = append(dst, '.', byte('0'+micros/100), byte('0'+micros/10%10), byte('0'+micros%10))
	return bytes.TrimRight(dst, "0")
}

// appendText appends s as a JSON string.
func appendText(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c > '~' {
			text, _ := json.Marshal(s) // strings always marshal
			return append(dst, text...)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}

// ParseJSON reads what AppendJSON has written.
func ParseJSON(line []byte) (*Record, error) {
	var read struct {
		Event        string    `json:"event"`
		Time         time.Time `json:"time"`
		APIID        string    `json:"apiId"`
		Stage        string    `json:"stage"`
		ConnectionID string    `json:"connectionId"`
		RequestID    string    `json:"requestId"`
		RouteKey     string    `json:"routeKey"`
		Status       int       `json:"status"`
		Reason       string    `json:"reason"`
		Bytes        int       `json:"bytes"`
		DurationMS   float64   `json:"durationMs"`
		Path         string    `json:"path"`
		Source       string    `json:"source"`
		Unanswered   int       `json:"unanswered"`
		Error        string    `json:"error"`
		Warnings     []string  `json:"warnings"`
	}
	if err := json.Unmarshal(line, &read); err != nil {
		return nil, err
	}
	r := &Record{
		Event: read.Event, Time: read.Time, Duration: time.Duration(read.DurationMS * float64(time.Millisecond)).Round(time.Microsecond),
		APIID: read.APIID, Stage: read.Stage, ConnectionID: read.ConnectionID, RequestID: read.RequestID, RouteKey: read.RouteKey,
		Status: read.Status, Reason: read.Reason, Bytes: read.Bytes, Unanswered: read.Unanswered, Error: read.Error, Warnings: read.Warnings,
	}
	if r.Event == EventRefused {
		r.Refused = &Access{Path: read.Path, Source: read.Source}
	}
	return r, nil
}
