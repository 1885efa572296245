package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"
)

// A backup is a file of lines, each of them a JSON object: a header, the
// records in the order of their keys, and an end with the number of records
// and a checksum of all lines before it.
//
//	{"format":"stagedoor backup","version":1,"time":"2026-01-02T15:04:05Z"}
//	{"key":"api.a1b2c3d4e5","value":{"version":1,"value":{…}}}
//	{"records":1,"sha256":"…"}
const (
	backupFormat  = "stagedoor backup"
	backupVersion = 1
)

type backupHeader struct {
	Format  string    `json:"format"`
	Version int       `json:"version"`
	Time    time.Time `json:"time"`
}

// backupRecord has one of Value and Base64: the latter for bytes that are not
// JSON as we write it, those of damaged records.
type backupRecord struct {
	Key    string          `json:"key"`
	Value  json.RawMessage `json:"value,omitempty"`
	Base64 []byte          `json:"base64,omitempty"`
}

type backupEnd struct {
	Records int    `json:"records"`
	SHA256  string `json:"sha256"`
}

// Backup writes all records of a store to w, those too that this version cannot
// decode, and returns their number. A damaged record is an error. Each record
// is as it was at some time during the call. The file holds secrets: API keys
// and access keys.
func Backup(ctx context.Context, s Store, w io.Writer) (int, error) {
	keys, err := s.Keys(ctx, "")
	if err != nil {
		return 0, err
	}
	b := backupWriter{to: bufio.NewWriter(w), sum: sha256.New()}
	b.line(backupHeader{backupFormat, backupVersion, time.Now().UTC().Truncate(time.Second)})
	records := 0
	for _, key := range keys {
		record, err := s.Get(ctx, key.Key)
		if errors.Is(err, ErrNotFound) { // removed meanwhile
			continue
		}
		if err == nil && record.Err != nil {
			err = &RecordError{record.Key, record.Revision, record.Err}
		}
		if err != nil {
			return records, err
		}
		b.line(backupOf(record))
		records++
	}
	b.line(backupEnd{records, hex.EncodeToString(b.sum.Sum(nil))})
	if b.err == nil {
		b.err = b.to.Flush()
	}
	if b.err != nil {
		return records, fmt.Errorf("writing the backup: %w", b.err)
	}
	return records, nil
}

// backupWriter writes the lines of a backup. After an error it writes nothing
// more, and keeps the error in err.
type backupWriter struct {
	to  *bufio.Writer
	sum hash.Hash
	err error
}

func (b *backupWriter) line(v any) {
	text, err := marshalLine(v)
	if b.err == nil {
		b.err = err
	}
	if b.err == nil {
		b.sum.Write(text)
		_, b.err = b.to.Write(text)
	}
}

// marshalLine is json.Marshal without the escaping of <, > and &, so that
// values stay byte for byte what they are.
func marshalLine(v any) ([]byte, error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return line.Bytes(), err
}

func backupOf(record Record) backupRecord {
	b := backupRecord{Key: record.Key, Value: record.Value}
	if line, err := marshalLine(b); err == nil {
		var back backupRecord
		if err := json.Unmarshal(line, &back); err == nil && bytes.Equal(back.Value, record.Value) {
			return b
		}
	}
	return backupRecord{Key: record.Key, Base64: record.Value}
}
