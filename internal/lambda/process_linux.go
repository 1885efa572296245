package lambda

import (
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

const bytesWaiting = unix.TIOCINQ // the request that other systems call FIONREAD

// groupAttributes makes the kernel kill the child when the gateway dies, even
// by SIGKILL.
func groupAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// starter starts child processes from one thread that lives as long as the
// host: the kernel kills a child when the thread ends that started it, not when
// the process ends.
type starter struct {
	jobs chan func()
	done chan struct{}
}

func newStarter() *starter {
	s := &starter{jobs: make(chan func()), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for job := range s.jobs {
			job()
		}
	}()
	return s
}

func (s *starter) start(command *exec.Cmd) (*processGroup, error) {
	var group *processGroup
	var err error
	started := make(chan struct{})
	s.jobs <- func() {
		defer close(started)
		group, err = startGroup(command)
	}
	<-started
	return group, err
}

// close ends the thread. No start may be under way, and no child alive.
func (s *starter) close() {
	close(s.jobs)
	<-s.done
}
