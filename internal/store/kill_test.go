package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// writerVariable makes the test binary a process that writes to the data
// directory that it names, until it is killed.
const writerVariable = "STAGEDOOR_TEST_WRITER"

const (
	writersOfChild = 3
	apisOfWriter   = 3
	// removeEvery is which of an API's writes is a removal.
	removeEvery = 7
)

// writeUntilKilled says what the store holds, and then of every write that it
// was answered, in lines that killTest.line reads. A store that is too slow for
// its own time limits ends it as well: nothing was answered then.
func writeUntilKilled(dir string) error {
	began := time.Now()
	s, err := Open(context.Background(), Options{Dir: dir, BackupKeep: 2, backupQuiet: time.Millisecond})
	if err != nil {
		return err
	}
	var mu sync.Mutex // guards standard output
	say := func(format string, v ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf(format+"\n", v...)
	}
	say("open %d", time.Since(began).Microseconds())
	var damaged *RecordError
	c := NewConfiguration(s, func(e *RecordError) { damaged = e })
	entries, err := c.APIs.List(context.Background())
	if err = errors.Join(err, asError(damaged)); err != nil {
		return err
	}
	revisions, numbers := map[string]uint64{}, map[string]int{}
	for _, entry := range entries {
		number, err := numberOf(entry.Value)
		if err != nil {
			return err
		}
		revisions[entry.Value.ApiId], numbers[entry.Value.ApiId] = entry.Revision, number
		say("has %s %d %d", entry.Value.ApiId, number, entry.Revision)
	}
	say("ready")
	failures := make(chan error)
	for writer := range writersOfChild {
		mine := map[string]int{}
		for i := range apisOfWriter {
			id := fmt.Sprintf("w%d-%d", writer, i)
			mine[id] = numbers[id]
		}
		go func() { failures <- write(c, maps.Clone(revisions), mine, say) }()
	}
	return <-failures
}

func asError(e *RecordError) error {
	if e == nil {
		return nil
	}
	return e
}

// write changes the APIs with the given ids in turn, for ever.
func write(c *Configuration, revisions map[string]uint64, numbers map[string]int, say func(string, ...any)) error {
	ctx := context.Background()
	for {
		for _, id := range slices.Sorted(maps.Keys(numbers)) {
			var err error
			numbers[id]++
			say("tries %s %d", id, numbers[id])
			if numbers[id]%removeEvery == 0 && revisions[id] > 0 {
				if _, err = c.APIs.Delete(ctx, revisions[id], id); err != nil {
					return fmt.Errorf("removing %s: %w", id, err)
				}
				revisions[id] = 0
				say("removed %s %d", id, numbers[id])
				continue
			}
			if revisions[id], err = c.APIs.Put(ctx, numberedAPI(id, numbers[id]), revisions[id]); err != nil {
				return fmt.Errorf("writing %s: %w", id, err)
			}
			say("wrote %s %d %d", id, numbers[id], revisions[id])
		}
	}
}

// numberedAPI is an aggregate of a size of its own whose every part has the number.
func numberedAPI(id string, number int) *apigw.API {
	api := &apigw.API{ApiId: id, Version: fmt.Sprint(number)}
	for i := range number * 37 % 200 {
		api.Routes = append(api.Routes, &apigw.Route{RouteId: fmt.Sprint(i), OperationName: fmt.Sprint(number)})
	}
	return api
}

func numberOf(api *apigw.API) (int, error) {
	var number int
	if _, err := fmt.Sscan(api.Version, &number); err != nil {
		return 0, fmt.Errorf("API %s: %w", api.ApiId, err)
	}
	half := slices.ContainsFunc(api.Routes, func(r *apigw.Route) bool { return r.OperationName != api.Version })
	if half || len(api.Routes) != number*37%200 {
		return 0, fmt.Errorf("API %s is half written", api.ApiId)
	}
	return number, nil
}

// killTest is what the parent knows of the writes.
type killTest struct {
	t        *testing.T
	answered map[string]state // by API
	tried    map[string]int   // the number of the last write, answered or not
	found    map[string]state
	opened   []time.Duration
	writes   int
	backups  int // at most, at a time
}

// state is an API after a write. One that was removed has no revision.
type state struct {
	number   int
	revision uint64
}

// A process is killed again and again at any point of a stream of writes, and
// of its start. Every write that was answered is there afterwards, and no
// aggregate is half written; and neither is any automatic backup.
func TestKill(t *testing.T) {
	t.Parallel()
	rounds := 200
	if testing.Short() {
		rounds = 20
	}
	k := &killTest{t: t, answered: map[string]state{}, tried: map[string]int{}}
	dir := t.TempDir()
	for range rounds {
		if k.round(dir); t.Failed() {
			return
		}
	}
	slices.Sort(k.opened)
	t.Logf("killed %d times in %d answered writes, with up to %d backups; opened in %v, 95%% within %v, at most %v",
		rounds, k.writes, k.backups, k.opened[len(k.opened)/2], k.opened[len(k.opened)*95/100], k.opened[len(k.opened)-1])
}

// round runs a process, kills it, and looks at what it said.
func (k *killTest) round(dir string) {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), writerVariable+"="+dir)
	var stderr strings.Builder
	child.Stderr = &stderr
	output, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		k.t.Fatal(err)
	}
	kill := func() { _ = child.Process.Kill() } // it may have failed, which its output shows
	if rand.IntN(8) == 0 {
		time.AfterFunc(rand.N(60*time.Millisecond), kill) // while it starts, or soon after
	}
	k.found = map[string]state{}
	lines, left := bufio.NewReader(output), 1+rand.IntN(20)
	for {
		line, err := lines.ReadString('\n')
		if err != nil { // what is after the last end of a line was not said
			break
		}
		if k.line(strings.Fields(line)); left > 0 && strings.HasPrefix(line, "wrote") {
			if left--; left == 0 {
				time.AfterFunc(rand.N(3*time.Millisecond), kill)
			}
		}
	}
	_, _ = io.Copy(io.Discard, output)
	_ = child.Wait() // killed
	k.checkBackups(dir)
	if stderr.Len() > 0 {
		k.t.Errorf("the process said: %s", stderr.String())
	}
}

// checkBackups looks whether all automatic backups are whole.
func (k *killTest) checkBackups(dir string) {
	list, err := backupsIn(filepath.Join(dir, "backups"))
	if err != nil || len(list) > 3 { // the process may end before it removes one
		k.t.Errorf("%d backups, %v", len(list), err)
	}
	for _, b := range list {
		if err := b.read(func(Record) {}); err != nil {
			k.t.Errorf("%s is not whole: %v", b.path, err)
		}
	}
	k.backups = max(k.backups, len(list))
}

// line takes in what the process said.
func (k *killTest) line(words []string) {
	var id string
	var said state
	if len(words) > 2 {
		id = words[1]
		_, _ = fmt.Sscan(strings.Join(words[2:], " "), &said.number, &said.revision) // a missing revision stays 0
	}
	switch words[0] {
	case "open":
		var micros int64
		_, _ = fmt.Sscan(words[1], &micros)
		k.opened = append(k.opened, time.Duration(micros)*time.Microsecond)
	case "has":
		k.found[id] = said
	case "ready":
		k.compare()
	case "tries":
		k.tried[id] = said.number
	case "wrote", "removed":
		k.answered[id] = said
		k.writes++
	}
}

// compare holds what was found against what was answered. The write that was
// under way may be there or not.
func (k *killTest) compare() {
	for id, tried := range k.tried {
		answered, found := k.answered[id], k.found[id]
		pending := tried > answered.number
		switch {
		case found == answered, found.revision == 0 && answered.revision == 0:
		case pending && found.number == tried && found.revision > answered.revision:
		case pending && found.revision == 0 && tried%removeEvery == 0:
		default:
			k.t.Errorf("API %s: found %+v, answered was %+v, tried %d", id, found, answered, tried)
		}
		// The process goes on from what it found.
		k.answered[id] = found
		k.tried[id] = found.number
	}
	for id := range k.found {
		if _, known := k.tried[id]; !known {
			k.t.Errorf("API %s was never written", id)
		}
	}
}
