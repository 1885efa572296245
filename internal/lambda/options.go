package lambda

import (
	"os"
	"path/filepath"
	"time"
)

// Options are what a Host is made with. The zero value works.
type Options struct {
	Region    string // AWS_REGION of every function; "" stands for us-east-1
	AccountID string // "" stands for 123456789012

	// Environment is given to every function. A function's own variables win
	// over it.
	Environment map[string]string

	// AccessKeyID and SecretAccessKey are credentials for functions where the
	// environment has none; "" stands for some that are good for nothing.
	AccessKeyID, SecretAccessKey string

	// CacheDir holds built code, the runtimes' bootstraps and SDKs. Several
	// hosts may share it. "" stands for "stagedoor" in the user's cache folder.
	CacheDir string

	// NotCode reports whether a file, by its absolute path, is no code, whatever
	// folder it is in: the template, whose changes are somebody else's to follow.
	// nil: none is.
	NotCode func(path string) bool

	MaxProcesses int           // per function; further callers wait; 0 stands for 10
	IdleAfter    time.Duration // a process that had no call for so long is ended; 0 stands for 5 min

	// Log receives what functions print and what the host has to say about
	// them. It is called from many goroutines; while it blocks, the function
	// whose line it holds is held up when it prints. nil drops everything.
	Log func(LogLine)

	Redirect Redirect
}

// LogLine is one line of a function's output, or a notice of the host.
type LogLine struct {
	Function  string // its name; empty for a notice that concerns all functions
	RequestID string // of the invocation it was printed in; empty outside of one
	Text      string // valid UTF-8 without the line's end, at most 256 KiB
	Notice    bool   // said by the host, not printed by the function
}

// Redirect turns the functions' calls to some hosts of AWS to a local
// endpoint, whose certificate a local authority has signed. The zero value
// leaves all calls alone.
type Redirect struct {
	// Address is host:port of the endpoint. It speaks HTTP and TLS for the
	// hosts, and CONNECT as a proxy for functions that have no hook of ours.
	Address string
	// Hosts are patterns in which * stands for any characters, for example
	// "*.execute-api.*.amazonaws.com".
	Hosts []string
	// CAFile holds the certificate of the local authority, CABundleFile that
	// and the system's own roots. Both are PEM.
	CAFile, CABundleFile string
}

func (o Options) withDefaults() Options {
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.AccountID == "" {
		o.AccountID = "123456789012"
	}
	if o.CacheDir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			base = os.TempDir()
		}
		o.CacheDir = filepath.Join(base, "stagedoor")
	}
	if o.MaxProcesses <= 0 {
		o.MaxProcesses = 10
	}
	if o.IdleAfter <= 0 {
		o.IdleAfter = 5 * time.Minute
	}
	if o.NotCode == nil {
		o.NotCode = func(string) bool { return false }
	}
	if o.Log == nil {
		o.Log = func(LogLine) {}
	}
	return o
}

// withDefaults fills in what AWS assumes when a template is silent.
func (f Function) withDefaults(o Options) Function {
	if f.ARN == "" {
		f.ARN = "arn:aws:lambda:" + o.Region + ":" + o.AccountID + ":function:" + f.Name
	}
	if f.MemoryMB == 0 {
		f.MemoryMB = 128
	}
	if f.Timeout == 0 {
		f.Timeout = 3 * time.Second
	}
	return f
}
