// Package natsfile reads the files in which a NATS server keeps a stream, as
// they are on the disk: which messages are whole, and where the bytes are that
// are not a message. It looks at every byte once, within a bound on memory, and
// never waits or fails because of what the bytes are. The configuration's store
// calls it before it lets the server at the files.
//
// A block is a row of records, all numbers little-endian:
//
//	length(4) sequence(8) time(8) subject length(2) subject
//	[header length(4) header] data checksum(8)
//
// The highest bit of the length says that there is a header. The checksum is
// HighwayHash-64 of sequence, time, subject, header and data, under a key made
// of the stream's name and the block's number. In a message without a header it
// does not show where the subject ends.
package natsfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/minio/highwayhash"
)

// Message is a record of a block. Its bytes are valid until the function that
// was given it returns.
type Message struct {
	Kind     Kind
	Sequence uint64
	Subject  string // empty unless Kind is Stored
	Header   []byte // as on the wire; nil for none
	Data     []byte
}

// Kind is what a record stands for.
type Kind int

// Kinds of records.
const (
	Stored  Kind = iota // a message
	Removed             // the mark that the message with this sequence was removed
	Erased              // takes the place of a message
)

// Damage is a part of a file that is not a record.
type Damage struct {
	File     string // its path
	From, To int64  // the bytes, To excluded
	// Subjects are the subjects that can still be read in it. Some may be
	// wrong.
	Subjects []string
	// Before is the sequence of the message before it, 0 for none. Those behind it
	// have higher ones.
	Before uint64
	// Torn is set where it is the end of the last block and looks like a write
	// that was cut off: the last record is longer than the file, or empty.
	Torn bool
}

func (d Damage) String() string {
	return fmt.Sprintf("%s, bytes %d to %d", filepath.Base(d.File), d.From, d.To)
}

// MaxBlock is the size of the largest block that is read, in bytes. A server
// with its default settings does not make blocks half as large.
const MaxBlock = 64 << 20

// Scan calls visit for every whole record of the stream with a name in its
// folder, in the order of the blocks, and returns the damaged parts. Subjects
// begin with prefix, those of damaged parts as well. A folder without blocks
// has neither. The error is that of ctx, of the file system, or of visit.
func Scan(ctx context.Context, dir, stream, prefix string, visit func(Message) error) ([]Damage, error) {
	blocks, err := blocksOf(dir)
	if err != nil {
		return nil, err
	}
	var damages []Damage
	last := uint64(0)
	for i, number := range blocks {
		s := scanner{file: blockFile(dir, number), prefix: []byte(prefix), visit: visit, isLast: i == len(blocks)-1, last: last}
		if s.hash, err = newHash(stream + "-" + strconv.FormatUint(uint64(number), 10)); err != nil {
			return damages, err
		}
		err := s.scan(ctx)
		damages, last = append(damages, s.damages...), s.last
		if err != nil {
			return damages, err
		}
	}
	return damages, nil
}

func blockFile(dir string, number uint32) string {
	return filepath.Join(dir, "msgs", fmt.Sprintf("%d.blk", number))
}

// blocksOf returns the numbers of the blocks in their order.
func blocksOf(dir string) ([]uint32, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "msgs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var numbers []uint32
	for _, e := range entries {
		name, isBlock := strings.CutSuffix(e.Name(), ".blk")
		if n, err := strconv.ParseUint(name, 10, 32); isBlock && err == nil {
			numbers = append(numbers, uint32(n))
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// CheckMeta returns an error unless a stream's description has its checksum,
// which the server insists on. Where there is no description, the error wraps
// fs.ErrNotExist.
func CheckMeta(dir, stream string) error {
	text, err := os.ReadFile(filepath.Join(dir, "meta.inf"))
	if err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(dir, "meta.sum"))
	if err != nil {
		return err
	}
	hash, err := newHash(stream)
	if err != nil {
		return err
	}
	_, _ = hash.Write(text) // a hash does not fail
	if hex.EncodeToString(hash.Sum(nil)) != string(sum) {
		return fmt.Errorf("%s does not have its checksum", filepath.Join(dir, "meta.inf"))
	}
	return nil
}

func newHash(key string) (*highwayhash.Digest64, error) {
	sum := sha256.Sum256([]byte(key))
	return highwayhash.NewDigest64(sum[:])
}
