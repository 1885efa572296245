package lambda

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

const (
	// terminateGrace is how long a process has between SIGTERM and SIGKILL.
	terminateGrace = 500 * time.Millisecond
	// outputGrace is how long output is still read after a process has ended,
	// if another process that it started keeps the pipe open.
	outputGrace = 500 * time.Millisecond
)

// program is what a process of a function runs, ready to be started.
type program struct {
	path string
	args []string
	dir  string
	env  []string // complete, but for the variables that differ between processes
}

// task is one invocation on its way through a process.
type task struct {
	Invocation
	requestID string
	deadline  time.Time // set when the process takes it

	answer   chan Result   // receives the one answer that the process gives; capacity 1
	returned chan struct{} // closed when the process asks for work after that
}

// process is one running copy of a function: a child process, and a Runtime API
// that only this child uses. startProcess starts it; when exited is closed it
// is gone, with all processes that it started.
type process struct {
	function  Function
	log       func(LogLine)
	available func(*process) // called each time the process asks for work

	listener net.Listener
	server   *http.Server
	command  *exec.Cmd
	output   *outputPipe
	group    *processGroup

	work   chan *task    // to the call of next that is waiting
	ready  chan struct{} // closed at the first call of next
	ending chan struct{} // closed to make the process end
	exited chan struct{} // closed when it has ended; exitError is then set

	exitError error // nil for exit status 0
	end       sync.Once

	mu        sync.Mutex
	state     state
	waiting   bool    // a call of next is waiting for work
	current   *task   // the invocation it works on, or worked on last
	initError *Result // what it reported to init/error
	reaped    bool    // the child has ended; its group may no longer be signalled

	// Guarded by the pool's mutex.
	idleSince time.Time
	task      *task // the task that the pool gave it; nil when it is idle
	returning bool  // it has answered and is about to be idle
}

// state is where the process is in the conversation of the Runtime API.
type state string

const (
	stateStarting state = "Starting"     // next was never called
	stateReady    state = "Ready"        // free for work
	stateRunning  state = "Running"      // an invocation is unanswered
	stateAnswered state = "ResponseSent" // answered, next not called yet
	stateFailed   state = "InitError"    // init/error was called
)

// startProcess starts the program. run starts the child on the right thread.
// log gets what the process prints, and available is called each time it asks
// for work.
func startProcess(f Function, prog *program, run *starter, log func(LogLine), available func(*process)) (*process, error) {
	p := &process{
		function:  f,
		log:       log,
		available: available,
		work:      make(chan *task),
		ready:     make(chan struct{}),
		ending:    make(chan struct{}),
		exited:    make(chan struct{}),
		state:     stateStarting,
	}
	var err error
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("listen for the Runtime API: %w", err)
	}
	p.server = newRuntimeAPI(p)
	if err = p.startCommand(prog, run); err != nil {
		p.listener.Close()
		return nil, err
	}
	go func() { _ = p.server.Serve(p.listener) }() // until supervise closes it
	go p.supervise()
	return p, nil
}

// startCommand starts the child. Both streams of its output share one pipe, so
// their order is kept.
func (p *process) startCommand(prog *program, run *starter) error {
	output, input, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make a pipe: %w", err)
	}
	defer input.Close()
	p.command = exec.Command(prog.path, prog.args...)
	p.command.Dir = prog.dir
	p.command.Env = append(prog.env[:len(prog.env):len(prog.env)],
		"AWS_LAMBDA_RUNTIME_API="+p.listener.Addr().String(),
		"AWS_LAMBDA_LOG_STREAM_NAME="+newLogStreamName())
	p.command.Stdout, p.command.Stderr = input, input
	if p.group, err = run.start(p.command); err != nil {
		output.Close()
		return startFailure(prog.path, err)
	}
	p.output = &outputPipe{File: output}
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
	select {
	case <-copied:
	case <-time.After(outputGrace):
	}
	p.output.Close()
	<-copied
	p.end.Do(func() { close(p.ending) })
	p.server.Close()
	p.listener.Close()
	close(p.exited)
}

// endGroup ends the processes that the child started and left behind. After
// that the group's number may be that of another process.
func (p *process) endGroup() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.group.kill()
	p.group.release()
	p.reaped = true
}

func (p *process) print(text string) {
	p.mu.Lock()
	requestID := ""
	if p.current != nil {
		requestID = p.current.requestID
	}
	p.mu.Unlock()
	p.log(LogLine{Function: p.function.Name, RequestID: requestID, Text: text})
}

// stop asks the process to end, and kills it if it has not after
// terminateGrace. It does not wait.
func (p *process) stop() {
	p.end.Do(func() {
		close(p.ending)
		p.mu.Lock()
		if !p.reaped {
			p.group.terminate()
		}
		p.mu.Unlock()
		go func() {
			select {
			case <-p.exited:
			case <-time.After(terminateGrace):
				p.killGroup()
			}
		}()
	})
}

func (p *process) killGroup() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		p.group.kill()
	}
}

// kill ends the process and all processes that it started at once, and waits
// until they are gone.
func (p *process) kill() {
	p.end.Do(func() { close(p.ending) })
	p.killGroup()
	<-p.exited
}

// awaitReady waits until the process first asks for work. If it fails to, it is
// gone when awaitReady returns false, and the result says why.
func (p *process) awaitReady(requestID string, limit time.Duration) (Result, bool) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.ready:
		return Result{}, true
	case <-p.exited:
	case <-timer.C:
		p.kill()
		return p.fail(requestID, forRequest(requestID, "Sandbox.Timedout",
			fmt.Sprintf("the function's initialization timed out after %.2f seconds", limit.Seconds()))), false
	}
	if reported, ok := p.reportedInitError(); ok {
		reported.RequestID = requestID
		return reported, false
	}
	return p.fail(requestID, exited(requestID, p.exitError)), false
}

func (p *process) reportedInitError() (Result, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.initError == nil {
		return Result{}, false
	}
	return *p.initError, true
}

// fail logs a failure for a process that has ended or hangs, and returns it as
// a result.
func (p *process) fail(requestID string, f *failure) Result {
	p.log(LogLine{Function: p.function.Name, RequestID: requestID, Text: f.Message, Notice: true})
	return f.result(requestID)
}

// errNotDelivered is returned by run when the process ended, or stopped asking
// for work, before it took the task: another process may run it.
var errNotDelivered = errors.New("the process ended before it took the invocation")

// run hands the task to the process, which must be ready, and waits for its
// end: the answer, the function's timeout, or the end of the process.
func (p *process) run(t *task, deliveryLimit time.Duration) (Result, error) {
	select {
	case p.work <- t:
	case <-p.ending:
		return Result{}, errNotDelivered
	case <-p.exited:
		return Result{}, errNotDelivered
	case <-time.After(deliveryLimit):
		p.kill()
		return Result{}, errNotDelivered
	}
	timer := time.NewTimer(p.function.Timeout)
	defer timer.Stop()
	select {
	case result := <-t.answer:
		return result, nil
	case <-timer.C:
		p.kill()
	case <-p.exited:
		select {
		case result := <-t.answer: // it answered just before its end
			return result, nil
		default:
			return p.fail(t.requestID, exited(t.requestID, p.exitError)), nil
		}
	}
	select {
	case result := <-t.answer: // it answered just before the timeout
		return result, nil
	default:
		return p.fail(t.requestID, timedOut(t.requestID, p.function.Timeout)), nil
	}
}

// settle waits until the process, having answered, asks for work again. To
// Lambda the invocation lasts until then, so the function's timeout still
// applies.
func (p *process) settle(t *task) {
	timer := time.NewTimer(time.Until(t.deadline))
	defer timer.Stop()
	select {
	case <-t.returned:
	case <-p.exited:
	case <-timer.C:
		p.kill()
	}
}
