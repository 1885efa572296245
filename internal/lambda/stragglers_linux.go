package lambda

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// stragglersTime is the longest that stragglers are looked for: one that forks
// all the time may never be caught.
const stragglersTime = time.Second

// endStragglers kills processes that a function's process has started and that
// have left its process group: daemons, and others with a session of their own.
// It finds them by the address of the Runtime API in their environment, which
// is different for each process. It returns when there are none any more.
func endStragglers(address string) {
	mark := []byte("AWS_LAMBDA_RUNTIME_API=" + address)
	var killed []int
	for deadline := time.Now().Add(stragglersTime); ; time.Sleep(time.Millisecond) {
		found := marked(mark)
		for _, pid := range found {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		killed = append(killed, found...)
		if len(found) == 0 || time.Now().After(deadline) {
			break
		}
	}
	for _, pid := range killed {
		_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil) // we may be the process that reaps orphans
	}
}

// marked returns the processes that have an entry in their environment.
func marked(mark []byte) (pids []int) {
	folder, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer func() { _ = folder.Close() }()
	names, err := folder.Readdirnames(-1)
	if err != nil {
		return nil
	}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		environment, err := os.ReadFile("/proc/" + name + "/environ")
		if err != nil { // gone, or another user's
			continue
		}
		for entry := range bytes.SplitSeq(environment, []byte{0}) {
			if bytes.Equal(entry, mark) {
				pids = append(pids, pid)
				break
			}
		}
	}
	return pids
}
