package lambda

import (
	"os"
	"path/filepath"
	"time"
)

// Options configure a Host. The zero value works.
type Options struct {
	Region    string // AWS_REGION of every function; "" stands for us-east-1
	AccountID string // "" stands for 123456789012

	// Environment has variables for every function. A function's own variables
	// override them.
	Environment map[string]string

	// AccessKeyID and SecretAccessKey are credentials for functions where the
	// environment has none; "" stands for made-up ones, which AWS would refuse.
	AccessKeyID, SecretAccessKey string

	// CacheDir holds built code, the runtimes' bootstraps and SDKs. Several
	// hosts may share it. "" stands for "stagedoor" in the user's cache folder.
	CacheDir string

	// NotCode reports whether a file, given by its absolute path, is not code
	// whatever folder it is in, as the template, whose changes are watched
	// elsewhere. It may be nil.
	NotCode func(path string) bool

	// MaxProcesses is how many processes a function may have; further callers
	// wait. 0 stands for 1,000 where the system says how much memory is left, and
	// for 100 elsewhere.
	MaxProcesses int
	// IdleAfter is how long a process may be without a call before it is ended.
	// Processes beyond one for each processor have a tenth of it. 0 stands for
	// 5 min.
	IdleAfter time.Duration

	// Meter returns what is told how a function's calls go, nil for nothing. It is asked
	// once for each version of the function's code.
	Meter func(function string) Meter

	// Log gets the lines that functions print, and the host's notices. It is
	// called from many goroutines. While it blocks, the function whose line it
	// has is blocked when it prints. nil drops everything.
	Log func(LogLine)

	Redirect Redirect
}

// Meter is told how the calls of a function go. Its methods neither wait nor allocate.
type Meter interface {
	ColdStart()           // a process has started, and is ready for its first call
	Queued(time.Duration) // a call has a process now, for which it waited so long
}

// LogLine is one line of a function's output, or a notice of the host.
type LogLine struct {
	Function  string // its name; empty for a notice that concerns all functions
	RequestID string // of the invocation it was printed in; empty outside of one
	Text      string // valid UTF-8 without the line's end, at most 256 KiB
	Notice    bool   // written by the host, not by the function
}

// Redirect sends the functions' calls of some hosts of AWS to a local endpoint,
// whose certificate a local authority has signed. With the zero value no calls
// are redirected.
type Redirect struct {
	// Address is host:port of the endpoint. It speaks HTTP and TLS for the
	// hosts, and CONNECT as a proxy for functions that have no hook of ours.
	Address string
	// Hosts are patterns in which * stands for any characters, for example
	// "*.execute-api.*.amazonaws.com".
	Hosts []string
	// CAFile has the certificate of the local authority; CABundleFile has that
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
		o.MaxProcesses = defaultMaxProcesses
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

// withDefaults returns the function with AWS's defaults for what the template
// does not set.
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
