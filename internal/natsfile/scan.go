package natsfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/minio/highwayhash"
)

const (
	headSize = 4 + 8 + 8 + 2
	sumSize  = 8
	// maxRecord is the length above which the server takes a record for damaged.
	maxRecord = 32 << 20

	headerBit  = 1 << 31
	erasedBit  = 1 << 63
	removedBit = 1 << 62

	// maxGap is how many sequences may be missing between two messages. The server
	// counts them one by one.
	maxGap = 1 << 30
	// maxSubjects bounds the subjects of one Damage.
	maxSubjects = 64
	// maxSubject is the length of the longest of them.
	maxSubject = 1 << 10
	// strideOfContext is how many bytes are searched between two looks at the context.
	strideOfContext = 64 << 10
)

// headerStart and headerEnd are what a header begins and ends with.
var (
	headerStart = []byte("NATS/1.0\r\n")
	headerEnd   = []byte("\r\n\r\n")
)

// scanner goes through one block.
type scanner struct {
	file    string
	hash    *highwayhash.Digest64
	prefix  []byte
	visit   func(Message) error
	isLast  bool
	damages []Damage

	text []byte
	last uint64 // sequence of the last message, which may be of an earlier block
}

func (s *scanner) scan(ctx context.Context) error {
	if err := s.read(); err != nil {
		return err
	}
	return s.walk(ctx)
}

// walk goes through the text of the block.
func (s *scanner) walk(ctx context.Context) error {
	for at := 0; at < len(s.text); {
		if err := ctx.Err(); err != nil {
			return err
		}
		message, length := s.record(at)
		if length == 0 {
			next, err := s.search(ctx, at+1)
			if err != nil {
				return err
			}
			s.note(at, next)
			at = next
			continue
		}
		if message.Kind != Removed {
			s.last = message.Sequence
		}
		if err := s.visit(message); err != nil {
			return err
		}
		at += length
	}
	return nil
}

// read reads the block. What is longer than any block is damaged from there on.
func (s *scanner) read() error {
	file, err := os.Open(s.file)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", s.file)
	}
	if info.Size() > MaxBlock {
		s.damages = append(s.damages, Damage{File: s.file, From: MaxBlock, To: info.Size()})
	}
	s.text = make([]byte, min(info.Size(), MaxBlock))
	n, err := io.ReadFull(file, s.text)
	if s.text = s.text[:n]; errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return nil // it became shorter
	}
	return err
}

// record returns the record at a place, and its length, 0 where there is no
// whole record.
func (s *scanner) record(at int) (Message, int) {
	length, body, ok := s.bounds(at)
	if !ok {
		return Message{}, 0
	}
	head := s.text[at : at+headSize]
	sum := s.text[at+length-sumSize : at+length]
	s.hash.Reset()
	_, _ = s.hash.Write(head[4:20]) // a hash does not fail
	_, _ = s.hash.Write(body.subject)
	_, _ = s.hash.Write(body.header)
	_, _ = s.hash.Write(body.data)
	var room [highwayhash.Size64]byte
	if !bytes.Equal(s.hash.Sum(room[:0]), sum) {
		return Message{}, 0
	}
	sequence := binary.LittleEndian.Uint64(head[4:])
	m := Message{Sequence: sequence &^ (erasedBit | removedBit), Subject: string(body.subject), Header: body.header, Data: body.data}
	switch {
	case sequence&removedBit != 0:
		m.Kind = Removed
	case sequence&erasedBit != 0 || sequence == 0:
		m.Kind = Erased
	case s.last > 0 && m.Sequence > s.last+maxGap:
		return Message{}, 0
	}
	return m, length
}

// body has the parts of a record.
type body struct{ subject, header, data []byte }

// bounds returns the length and the parts of what may be a record, and false
// where they are not within the block.
func (s *scanner) bounds(at int) (length int, b body, ok bool) {
	if at+headSize+sumSize > len(s.text) {
		return 0, b, false
	}
	head := s.text[at : at+headSize]
	word := binary.LittleEndian.Uint32(head)
	length, subject := int(word&^headerBit), int(binary.LittleEndian.Uint16(head[20:]))
	if length > maxRecord || length > len(s.text)-at || headSize+subject+sumSize > length {
		return 0, b, false
	}
	rest := s.text[at+headSize : at+length-sumSize]
	b.subject, rest = rest[:subject], rest[subject:]
	if word&headerBit != 0 {
		if len(rest) < 4 {
			return 0, b, false
		}
		size := binary.LittleEndian.Uint32(rest)
		if rest = rest[4:]; uint64(size) > uint64(len(rest)) {
			return 0, b, false
		}
		// The checksum covers neither this length nor that of the subject.
		// Where they lead to a well-formed header, both are right.
		if b.header, rest = rest[:size:size], rest[size:]; !bytes.HasPrefix(b.header, headerStart) || bytes.Index(b.header, headerEnd) != len(b.header)-len(headerEnd) {
			return 0, b, false
		}
	}
	b.data = rest
	return length, b, true
}

// search returns the place of the next record, or the end of the block. Only
// what begins like one is looked at more closely.
func (s *scanner) search(ctx context.Context, from int) (int, error) {
	for at := from; at+headSize+sumSize <= len(s.text); at++ {
		if (at-from)%strideOfContext == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		isMessage := bytes.HasPrefix(s.text[at+headSize:], s.prefix)
		isMark := s.text[at+20] == 0 && s.text[at+21] == 0 && binary.LittleEndian.Uint64(s.text[at+4:])&(erasedBit|removedBit) != 0
		if !isMessage && !isMark {
			continue
		}
		if _, length := s.record(at); length > 0 {
			return at, nil
		}
	}
	return len(s.text), nil
}

// note records a damaged part.
func (s *scanner) note(from, to int) {
	d := Damage{File: s.file, From: int64(from), To: int64(to), Before: s.last, Subjects: s.subjects(from, to)}
	if to == len(s.text) {
		d.Torn = s.isLast && s.isTorn(from)
	}
	s.damages = append(s.damages, d)
}

// isTorn reports whether the end of the block looks like a write that was cut
// off: shorter than it says it is, or zeros.
func (s *scanner) isTorn(from int) bool {
	rest := s.text[from:]
	if len(bytes.TrimLeft(rest, "\x00")) == 0 || len(rest) < headSize+sumSize {
		return true
	}
	length := binary.LittleEndian.Uint32(rest) &^ headerBit
	return length <= maxRecord && int(length) > len(rest)
}

// subjects returns what looks like subjects in a part of the block.
func (s *scanner) subjects(from, to int) []string {
	var found []string
	seen := make(map[string]bool)
	for part := s.text[from:to]; len(found) < maxSubjects; {
		i := bytes.Index(part, s.prefix)
		if i < 0 || len(s.prefix) == 0 {
			break
		}
		part = part[i:]
		length := bytes.IndexFunc(part[:min(len(part), maxSubject)], func(r rune) bool { return r <= ' ' || r > '~' })
		// The subject's length stands before it. Where that is damaged, the
		// subject ends where the first byte of the header or the value shows.
		if at := len(s.text[from:to]) - len(part) + from - 2; at >= from {
			if n := int(binary.LittleEndian.Uint16(s.text[at:])); n >= len(s.prefix) && (length < 0 || n <= length) && n <= len(part) {
				length = n
			}
		}
		if length > len(s.prefix) {
			if subject := string(part[:length]); !seen[subject] {
				seen[subject] = true
				found = append(found, subject)
			}
		}
		part = part[len(s.prefix):]
	}
	return found
}
