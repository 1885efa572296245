package store

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// The manifest is a file beside the storage's own that lists what must be
// there: a line for each record, written after the record and before the writer
// is answered. It is read when the store is opened, so that a record is noticed
// that is gone, or back after it was removed. A line is a checksum of the rest
// of it, a word, a revision, the record's checksum, and its key:
//
//	9ae0daaf put 17 5f70bf18… api.a1b2c3d4e5
//
// The lines up to the line "all" are all records at some time; that line has
// their number. The lines behind it are changes since.
const (
	manifestName   = "manifest"
	manifestHeader = "stagedoor manifest 1"

	wordPut       = "put"
	wordRemoved   = "removed"
	wordUncertain = "uncertain" // a write to the record failed, and it is not known whether it was done
	wordLost      = "lost"      // the record is damaged, and not repaired yet
	wordAll       = "all"

	// maxManifest bounds the manifest that is read, in bytes.
	maxManifest = 1 << 30
)

// writeManifest writes a manifest with the given entries, as a whole or not at
// all.
func writeManifest(path string, entries map[string]entry, last uint64) error {
	var text bytes.Buffer
	text.WriteString(manifestHeader + "\n")
	for key, e := range entries {
		appendLine(&text, key, e)
	}
	text.Write(manifestLine(wordAll, last, strconv.Itoa(len(entries)), "-"))
	return writeFile(path, text.Bytes())
}

func appendLine(text *bytes.Buffer, key string, e entry) {
	word, sum := wordPut, e.Sum
	if sum == "" {
		sum = "-"
	}
	switch {
	case e.Lost:
		word = wordLost
	case e.isRemoval():
		word = wordRemoved
	}
	text.Write(manifestLine(word, e.Revision, sum, key))
	if e.Uncertain {
		text.Write(manifestLine(wordUncertain, e.Revision, "-", key))
	}
}

func manifestLine(word string, revision uint64, sum, key string) []byte {
	rest := fmt.Sprintf("%s %d %s %s", word, revision, sum, key)
	return []byte(manifestCheck(rest) + " " + rest + "\n")
}

// manifestCheck is the checksum at the beginning of a line.
func manifestCheck(rest string) string {
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(rest)))
}

// manifestText is the content of a manifest's file.
type manifestText struct {
	entries map[string]entry
	last    uint64
	// exists is set where there is such a file, and whole where it lists all
	// records and no line is damaged. The last line may be cut off.
	exists, whole bool
	size          int64 // up to the end of its last line
	lines         int   // behind "all"
}

// readManifest reads the manifest in a file, as far as it can be read.
func readManifest(path string) (manifestText, error) {
	m := manifestText{entries: make(map[string]entry)}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	defer file.Close()
	m.exists = true
	lines := bufio.NewReader(io.LimitReader(file, maxManifest))
	header, _ := lines.ReadString('\n')
	m.size = int64(len(header))
	complete, whole, read := false, header == manifestHeader+"\n", 0
	for {
		text, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break // a line without its end was being written
		}
		if err != nil {
			return m, err
		}
		m.size += int64(len(text))
		if complete {
			m.lines++
		}
		word, revision, sum, key, ok := parseManifestLine(strings.TrimSuffix(text, "\n"))
		switch {
		case !ok:
			whole = false
			continue
		case word == wordAll:
			complete = !complete && sum == strconv.Itoa(read)
		case word != wordUncertain:
			read++
		}
		m.take(word, revision, sum, key)
	}
	m.whole = whole && complete
	return m, nil
}

// take adds a line.
func (m *manifestText) take(word string, revision uint64, sum, key string) {
	m.last = max(m.last, revision)
	if word == wordAll {
		return
	}
	e, known := m.entries[key]
	switch {
	case word == wordUncertain:
		if known {
			e.Uncertain = true
			m.entries[key] = e
		}
		return
	case known && e.Revision > revision:
		return
	}
	if sum == "-" {
		sum = ""
	}
	m.entries[key] = entry{Revision: revision, Sum: sum, Lost: word == wordLost}
}

func parseManifestLine(text string) (word string, revision uint64, sum, key string, ok bool) {
	check, rest, _ := strings.Cut(text, " ")
	fields := strings.Split(rest, " ")
	if check != manifestCheck(rest) || len(fields) != 4 {
		return "", 0, "", "", false
	}
	revision, err := strconv.ParseUint(fields[1], 10, 64)
	return fields[0], revision, fields[2], fields[3], err == nil
}
