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
	"io"
)

// ErrNotEmpty means that the store has records, which the backup would replace.
var ErrNotEmpty = errors.New("the configuration store is not empty")

// BackupError means that a backup file is not whole or not a backup.
type BackupError struct {
	Line int // from 1
	Err  error
}

func (e *BackupError) Error() string { return fmt.Sprintf("line %d of the backup: %v", e.Line, e.Err) }

func (e *BackupError) Unwrap() error { return e.Err }

// Restore puts the records of a backup into a store, and returns their number.
// It reads the file twice: the first time to see that it is whole, so that the
// store is not changed where the error is a *BackupError.
//
// For a store that is not empty the error is ErrNotEmpty, unless replace is
// true: then the store has exactly the backup's records afterwards. Restore is
// not atomic. If the storage fails on the way, some of the records are written;
// the error has their number, and restoring again with replace makes the store
// whole. With replace, a record that others write at the same time is
// overwritten; without, that is an error.
func Restore(ctx context.Context, s Store, file io.ReadSeeker, replace bool) (int, error) {
	present, err := s.Keys(ctx, "")
	if err != nil {
		return 0, err
	}
	if len(present) > 0 && !replace {
		return 0, fmt.Errorf("%w: it holds %d records", ErrNotEmpty, len(present))
	}
	for _, record := range present {
		if record.Err != nil {
			return 0, &RecordError{record.Key, record.Revision, record.Err}
		}
	}
	inBackup := make(map[string]bool)
	if err := readBackup(file, func(r Record) error { inBackup[r.Key] = true; return nil }); err != nil {
		return 0, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return 0, fmt.Errorf("reading the backup again: %w", err)
	}
	revisions := make(map[string]uint64, len(present))
	for _, record := range present {
		revisions[record.Key] = record.Revision
	}
	written := 0
	// In the order of keys, APIs and deployments come before the stages that
	// refer to them, so a node that watches the store never finds one missing.
	err = readBackup(file, func(r Record) error {
		if err := putRestored(ctx, s, r, revisions[r.Key], replace); err != nil {
			return fmt.Errorf("%d of %d records are restored, then %s: %w", written, len(inBackup), r.Key, err)
		}
		written++
		return nil
	})
	if err != nil {
		return written, err
	}
	for _, record := range present {
		if inBackup[record.Key] {
			continue
		}
		if err := deleteReplaced(ctx, s, record); err != nil {
			return written, fmt.Errorf("all records are restored, but %s, which the backup does not hold, is not removed: %w", record.Key, err)
		}
	}
	return written, nil
}

// maxRaces is how often a write is tried again that another write preceded.
const maxRaces = 100

// putRestored writes a record of a backup.
func putRestored(ctx context.Context, s Store, r Record, revision uint64, replace bool) error {
	for range maxRaces {
		_, err := s.Put(ctx, r.Key, r.Value, revision)
		if !replace || !errors.Is(err, ErrConflict) {
			return err
		}
		present, err := s.Get(ctx, r.Key)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		revision = present.Revision // 0 where there is none
	}
	return ErrConflict
}

// deleteReplaced removes a record that the backup does not hold.
func deleteReplaced(ctx context.Context, s Store, r Record) error {
	for range maxRaces {
		_, err := s.Delete(ctx, r.Key, r.Revision)
		if errors.Is(err, ErrConflict) {
			r, err = s.Get(ctx, r.Key)
			if err == nil {
				continue
			}
		}
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	}
	return ErrConflict
}

// CheckBackup reads a backup to its end, and returns the number of its records.
// For a file that is not whole the error is a *BackupError.
func CheckBackup(file io.Reader) (records int, err error) {
	err = readBackup(file, func(Record) error { records++; return nil })
	return records, err
}

// readBackup calls record for every record of a file. It is known only at the
// end, when it returns nil, that the file is whole.
func readBackup(file io.Reader, record func(Record) error) error {
	r := &backupReader{lines: bufio.NewReader(file)}
	text, err := r.next()
	if err != nil {
		return err
	}
	var header backupHeader
	if err := json.Unmarshal(text, &header); err != nil || header.Format != backupFormat {
		return r.mistake(errors.New("this is no backup of Stagedoor"))
	}
	if header.Version != backupVersion {
		return r.mistake(fmt.Errorf("the backup's version is %d; this Stagedoor reads version %d", header.Version, backupVersion))
	}
	sum := sha256.New()
	last := ""
	for records := 0; ; records++ {
		sum.Write(append(text, '\n'))
		if text, err = r.next(); err != nil {
			return err
		}
		var line struct {
			backupRecord
			backupEnd
		}
		if err := decodeStrictly(text, &line); err != nil {
			return r.mistake(fmt.Errorf("this is no record: %w", err))
		}
		if line.SHA256 != "" {
			return r.checkEnd(line.backupEnd, records, hex.EncodeToString(sum.Sum(nil)))
		}
		if err := checkKey(line.Key); err != nil {
			return r.mistake(err)
		}
		if line.Key <= last {
			return r.mistake(fmt.Errorf("%s comes after %s", line.Key, last))
		}
		last = line.Key
		if err := record(Record{Key: line.Key, Value: append(line.Base64, line.Value...)}); err != nil {
			return err
		}
	}
}

// backupReader reads lines and counts them.
type backupReader struct {
	lines *bufio.Reader
	line  int
}

func (r *backupReader) mistake(err error) error { return &BackupError{r.line, err} }

// next returns a line without its end.
func (r *backupReader) next() ([]byte, error) {
	r.line++
	text, err := r.lines.ReadBytes('\n')
	switch {
	case errors.Is(err, io.EOF):
		return nil, r.mistake(errors.New("the backup is cut off"))
	case err != nil:
		return nil, r.mistake(err)
	}
	return bytes.TrimSuffix(text, []byte("\n")), nil
}

func (r *backupReader) checkEnd(end backupEnd, records int, sum string) error {
	switch {
	case end.Records != records:
		return r.mistake(fmt.Errorf("%d records should be before the end, there are %d", end.Records, records))
	case end.SHA256 != sum:
		return r.mistake(errors.New("the checksum is wrong: the backup was changed or damaged"))
	}
	if rest, err := io.ReadAll(io.LimitReader(r.lines, 1)); err != nil || len(rest) > 0 {
		r.line++
		return r.mistake(errors.New("there is more after the end"))
	}
	return nil
}
