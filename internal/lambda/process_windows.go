package lambda

import (
	"os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// processGroup is a job object: the child and all processes that it starts.
// Windows ends them all when the last handle is closed, which happens also when
// the gateway dies.
type processGroup struct{ job windows.Handle }

func startGroup(command *exec.Cmd) (*processGroup, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, err
	}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{
		BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{
			LimitFlags: windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
		},
	}
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err != nil {
		windows.CloseHandle(job)
		return nil, err
	}
	// A group of its own keeps Ctrl-C in the console away from the child.
	command.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
	if err := command.Start(); err != nil {
		windows.CloseHandle(job)
		return nil, err
	}
	if err := assign(job, uint32(command.Process.Pid)); err != nil {
		command.Process.Kill()
		command.Wait()
		windows.CloseHandle(job)
		return nil, err
	}
	return &processGroup{job: job}, nil
}

func assign(job windows.Handle, pid uint32) error {
	child, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, pid)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(child)
	return windows.AssignProcessToJobObject(job, child)
}

// terminate is kill: Windows has no signal that a program may handle.
func (g *processGroup) terminate() { g.kill() }

func (g *processGroup) kill() { windows.TerminateJobObject(g.job, 1) }

func (g *processGroup) release() { windows.CloseHandle(g.job) }
