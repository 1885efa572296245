package lambda

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

const (
	// terminateGrace is how long a process has between SIGTERM and SIGKILL.
	terminateGrace = 500 * time.Millisecond
	// outputGrace is how long output, and answers, are still read after a process
	// has ended, if another process that it started keeps the other end open.
	outputGrace = 500 * time.Millisecond
)

// program is what a process of a function runs, ready to be started.
type program struct {
	path string
	args []string
	ours bool // it is a bootstrap of ours, which speaks by a channel
	dir  string
	env  []string // complete, but for the variables that differ between processes
}

// process is one running copy of a function: a child process, and a Runtime API
// or a channel that only this child uses. When exited is closed it is gone, with
// all processes that it started.
type process struct {
	function Function
	pool     *pool

	listener net.Listener
	channel  net.Conn // nil where the child did not inherit one
	dials    bool     // the child opens a channel to the listener
	command  *exec.Cmd
	output   *outputPipe
	speakers sync.WaitGroup // the connections of the Runtime API, and the channel
	writers  sync.WaitGroup // events that are being written
	exited   chan struct{}  // closed when it has ended; exitError is then set

	exitError error // nil for exit status 0
	end       sync.Once

	mu          sync.Mutex
	state       state
	taker       taker         // the request for work that waits; nil: none does
	current     *task         // the invocation it works on, or worked on last
	since       time.Time     // when it got that
	used        usage         // since it was last asked for
	ran, queued time.Duration // its threads, when that was
	due         time.Time     // when what it has to do next must be done; zero: whenever
	watch       *time.Timer
	watchedAt   time.Time // when watch goes off; zero: it is not set
	late        bool      // it was killed because it was not in time
	cut         bool      // its channel has ended
	untaken     bool      // it ended with an event in its channel that it had not read
	initError   *Result   // what it reported as the failure of its initialization
	group       *processGroup
	ended       bool              // it is ending, or has ended; it gets no more work
	told        bool              // by stop
	reaped      bool              // the child has ended; its group may no longer be signalled
	conns       map[net.Conn]bool // to the Runtime API

	// Guarded by the pool's mutex.
	launched   time.Time
	starting   bool // it has not asked for work yet
	idleSince  time.Time
	returning  bool // it has answered, and is about to ask for work
	answeredAt time.Time
}

func newProcess(p *pool) *process {
	w := &process{function: p.function, pool: p, exited: make(chan struct{}), state: stateStarting, starting: true, launched: time.Now(), conns: map[net.Conn]bool{}}
	w.watch = time.AfterFunc(time.Hour, w.checkTime)
	w.watch.Stop()
	return w
}

// start starts the program. The process is gone when it returns an error.
func (p *process) start(prog *program) (err error) {
	defer func() {
		if err != nil {
			p.closeConnections()
			close(p.exited)
		}
	}()
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return fmt.Errorf("listen for the Runtime API: %w", err)
	}
	if err = p.startCommand(prog); err != nil {
		return err
	}
	p.speakers.Go(p.serveConnections)
	if p.channel != nil {
		p.speakers.Go(func() { p.serveChannel(p.channel, bufio.NewReaderSize(p.channel, 16<<10)) })
	}
	p.mu.Lock()
	if p.state == stateStarting && p.due.IsZero() {
		p.expectLocked(p.launched.Add(p.pool.host.initLimit))
	}
	p.mu.Unlock()
	p.pool.host.background.Go(p.supervise)
	return nil
}

// startCommand starts the child. Both streams of its output share one pipe, so
// their order is kept.
func (p *process) startCommand(prog *program) error {
	output, input, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make a pipe: %w", err)
	}
	defer func() { _ = input.Close() }()
	p.command = exec.Command(prog.path, prog.args...)
	p.command.Dir = prog.dir
	p.command.Env = append(prog.env[:len(prog.env):len(prog.env)],
		"AWS_LAMBDA_RUNTIME_API="+p.listener.Addr().String(),
		"AWS_LAMBDA_LOG_STREAM_NAME="+newLogStreamName())
	p.command.Stdout, p.command.Stderr = input, input
	p.dials = prog.ours && p.pool.host.channelArgument() == ""
	if prog.ours && !p.dials {
		inherited := (*os.File)(nil)
		if p.channel, inherited, err = channelPair(); err != nil {
			_ = output.Close()
			return err
		}
		defer func() { _ = inherited.Close() }()
		p.command.ExtraFiles = []*os.File{inherited}
	}
	group, err := p.pool.host.starter.start(p.command)
	if err != nil {
		_ = output.Close()
		return startFailure(prog.path, err)
	}
	p.output = newOutputPipe(output)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.group = group
	if p.ended {
		group.kill()
	}
	return nil
}

func startFailure(path string, err error) error {
	if errors.Is(err, syscall.ENOEXEC) {
		return failuref("Runtime.InvalidEntrypoint",
			"%s can't run on this machine: it is built for another system or processor, or is a script without a #! line", path)
	}
	return failuref("Runtime.InvalidEntrypoint", "start %s: %v", path, err)
}

// supervise waits for the child, ends the processes that it left behind, and
// closes exited.
func (p *process) supervise() {
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		copyLines(p.output, p.print)
	}()
	p.exitError = p.command.Wait()
	p.endGroup()
	endStragglers(p.listener.Addr().String())
	await(copied, outputGrace)
	p.output.Close()
	<-copied
	p.awaitSpeakers()
	p.watch.Stop()
	close(p.exited)
	p.pool.gone(p)
}

// awaitSpeakers waits until all that the process said was heard, and closes its
// connections.
func (p *process) awaitSpeakers() {
	_ = p.listener.Close()
	silent := make(chan struct{})
	go func() {
		defer close(silent)
		p.speakers.Wait()
	}()
	await(silent, outputGrace)
	p.closeConnections()
	<-silent
	p.writers.Wait()
}

func await(done <-chan struct{}, limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// serveChannel reads the process's side of the conversation until the channel
// ends. The process cannot be talked to after that.
func (p *process) serveChannel(conn net.Conn, in *bufio.Reader) {
	c := newChannel(p, conn, in)
	err := c.serve()
	p.withdraw(c)
	p.mu.Lock()
	p.cut, p.untaken = true, isUntaken(err)
	p.expectLocked(time.Now().Add(terminateGrace)) // it should be about to end
	p.mu.Unlock()
}

// endGroup ends the processes that the child started and left behind. After
// that the group's number may be that of another process.
func (p *process) endGroup() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.group.kill()
	p.group.release()
	p.reaped, p.ended = true, true
}

func (p *process) print(text string) {
	p.mu.Lock()
	requestID := ""
	if p.current != nil {
		requestID = p.current.requestID
	}
	p.mu.Unlock()
	p.pool.host.options.Log(LogLine{Function: p.function.Name, RequestID: requestID, Text: text})
}

// stop asks the process to end, and kills it if it has not after
// terminateGrace. It does not wait.
func (p *process) stop() {
	p.end.Do(func() {
		p.mu.Lock()
		p.ended, p.told = true, true
		if p.group != nil && !p.reaped {
			p.group.terminate()
		}
		p.mu.Unlock()
		go func() {
			timer := time.NewTimer(terminateGrace)
			defer timer.Stop()
			select {
			case <-p.exited:
			case <-timer.C:
				p.killGroup()
			}
		}()
	})
}

func (p *process) killGroup() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.group != nil && !p.reaped {
		p.group.kill()
	}
}

// kill ends the process and all processes that it started at once. It does not
// wait.
func (p *process) kill() {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	p.killGroup()
}

// toldToEnd reports whether the process was told to end, or killed.
func (p *process) toldToEnd() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.told
}

func (p *process) pidLocked() int {
	if p.group == nil || p.reaped {
		return 0
	}
	return p.command.Process.Pid
}

// lost returns the invocation that the process was given and did not answer, if
// there is one, when it has ended, and whether it never took it.
func (p *process) lost() (t *task, untaken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != stateRunning {
		return nil, false
	}
	return p.current, p.untaken && !p.late
}

// failure is why a process that has ended did not answer an invocation, or was
// never ready for one.
func (p *process) failure(requestID string) Result {
	p.mu.Lock()
	initError, starting, late := p.initError, p.state == stateStarting, p.late
	p.mu.Unlock()
	switch {
	case initError != nil:
		reported := *initError
		reported.RequestID = requestID
		return reported
	case starting && late:
		return p.fail(requestID, forRequest(requestID, "Sandbox.Timedout",
			fmt.Sprintf("the function's initialization timed out after %.2f seconds", p.pool.host.initLimit.Seconds())))
	case late:
		return p.fail(requestID, timedOut(requestID, p.function.Timeout))
	}
	return p.fail(requestID, exited(requestID, p.exitError))
}

// fail logs a failure, and returns it as a result.
func (p *process) fail(requestID string, f *failure) Result {
	p.pool.host.options.Log(LogLine{Function: p.function.Name, RequestID: requestID, Text: f.Message, Notice: true})
	return f.result(requestID)
}
