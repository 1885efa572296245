package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/dev"
	"github.com/stagedoor/stagedoor/internal/lines"
	"github.com/stagedoor/stagedoor/internal/mistake"
	"github.com/stagedoor/stagedoor/internal/source"
)

// DevCmd is "stagedoor dev".
type DevCmd struct {
	Template     string            `arg:"" optional:"" default:"." name:"source" help:"SAM or CloudFormation template, a stagedoor.yaml with apis, or the folder of one; or the URL of an HTTP backend."`
	Listen       string            `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address of WebSocket connections and @connections; port 0 picks a free one (${default})."`
	Admin        string            `default:"127.0.0.1:8081" placeholder:"HOST:PORT" help:"Address of health checks, of the Lambda Invoke API and of events to watch (${default})."`
	Parameter    map[string]string `short:"p" placeholder:"KEY=VALUE" mapsep:"none" help:"Value of a parameter of the template; may be repeated."`
	Import       map[string]string `placeholder:"NAME=VALUE" mapsep:"none" help:"Value that another stack exports, for Fn::ImportValue; may be repeated."`
	Endpoint     map[string]string `name:"aws-endpoint" placeholder:"SERVICE=URL" help:"Where functions and integrations find an AWS service, for example dynamodb=http://localhost:8000; may be repeated."`
	Function     map[string]string `placeholder:"NAME=URL" help:"Where a function is called by Lambda's Invoke operation instead of being run here; may be repeated."`
	VPCLink      map[string]string `name:"vpc-link" placeholder:"ID=HOST:PORT" help:"Address of the load balancer behind a VPC link; may be repeated."`
	CA           string            `name:"ca" placeholder:"FILE" type:"existingfile" help:"Certificates of authorities (PEM) to trust for HTTP backends, beside the system's."`
	Host         []string          `placeholder:"NAME" help:"Name by which the ports are reached, beside addresses and localhost, for example from containers; may be repeated."`
	AccessLog    string            `placeholder:"FILE" help:"Append the access logs of all stages to a file, or print them: -."`
	ExecutionLog string            `placeholder:"FILE" help:"Append the execution logs of all stages whose LoggingLevel is not OFF to a file, or print them: -."`
	Limits       limitFlags        `embed:""`
	Verbose      bool              `short:"v" help:"Shorten nothing: list all that is not acted on, with lines, and print whole names."`
	Detached     bool              `help:"Go on when the process that started it ends, such as a shell or a test runner."`
	JSON         bool              `help:"Print one JSON object per line."`
}

// limitFlags are the limits of each connection. An empty one stands for the
// default in its help.
type limitFlags struct {
	Idle     string `placeholder:"DURATION" help:"Close connections after that long without data, or none (10m)."`
	Lifetime string `placeholder:"DURATION" help:"Close connections after that long, or none (2h)."`
	Frame    string `placeholder:"SIZE" help:"Largest frame that a client may send, such as 64KiB, or none (32KiB)."`
	Message  string `placeholder:"SIZE" help:"Largest message that a client may send, or none (128KiB)."`
	Ping     string `placeholder:"DURATION" help:"Ping clients that often, so that proxies keep silent connections, or none (30s)."`
}

// Validate is called by kong. It returns an error for a value that cannot be
// read.
func (f *limitFlags) Validate() error { return f.set(new(dev.ConnectionLimits)) }

// set changes the limits for which a flag is given. Tags of the template
// override these.
func (f *limitFlags) set(l *dev.ConnectionLimits) error {
	for _, flag := range []struct{ name, text string }{
		{"idle", f.Idle}, {"lifetime", f.Lifetime}, {"frame", f.Frame}, {"message", f.Message}, {"ping", f.Ping},
	} {
		if flag.text == "" {
			continue
		}
		if err := config.SetConnectionLimit(l, flag.name, flag.text); err != nil {
			return fmt.Errorf("--%s: %w", flag.name, err)
		}
	}
	return nil
}

// Help is the second half of "stagedoor dev --help".
func (DevCmd) Help() string {
	return `Runs the WebSocket APIs of a template with their functions as local processes and
their tables in a built-in DynamoDB. Saving a function or the template takes
effect at once; connections stay open. A folder "public" beside the template is
served at /.

With a URL, such as http://localhost:8000, no template is needed: every event of
every connection is a POST to that backend, and its answer is the reply.
A stagedoor.yaml has a URL for each route.

It ends with the process that started it, such as a test runner or a shell that is
killed, unless it is started with --detached, nohup or setsid.

Exit codes: 0 stopped by Ctrl-C, 1 the template or the addresses could not be
used, 2 wrong flags.`
}

// expandSource turns an argument into an absolute path, unless it is a URL.
func expandSource(written string) string {
	if source.IsURL(written) {
		return written
	}
	return kong.ExpandPath(written)
}

// maxUnwritten is how many bytes of lines wait for an output that stands still.
const maxUnwritten = 16 << 20

// Run runs until ctx ends.
func (c *DevCmd) Run(ctx context.Context, p *process) error {
	var reporter dev.Reporter
	options := lines.Options{Limit: maxUnwritten, Delay: 10 * time.Millisecond, Lost: func(n int) {
		reporter.Output(dev.LogLine{Notice: true, Text: were(n, "line") + " lost here: nobody read the output in time"})
	}}
	if p.whole {
		var end func()
		ctx, options.Unread, end = c.lifetime(ctx, p)
		defer end()
	}
	out := lines.New(p.stdout, options)
	defer out.Close()
	text := newTextReporter(out, p.color(p.stdout), c.Verbose, time.Now())
	text.width = func() int { return p.width(p.stdout) }
	reporter = text
	if c.JSON {
		reporter = newJSONReporter(out)
	}
	accessLog, closeAccessLog, err := openLog("--access-log", c.AccessLog, out, reporter)
	if err != nil {
		return err
	}
	defer closeAccessLog()
	executionLog, closeExecutionLog, err := openLog("--execution-log", c.ExecutionLog, out, reporter)
	if err != nil {
		return err
	}
	defer closeExecutionLog()
	defer p.reclaim(ctx)()
	err = dev.Run(ctx, dev.Config{
		Template: expandSource(c.Template), Listen: c.Listen, Admin: c.Admin,
		Parameters: c.Parameter, Imports: c.Import, Endpoints: c.Endpoint, FunctionEndpoints: c.Function,
		VPCLinks: c.VPCLink, CAFile: c.CA, Hosts: c.Host, AccessLog: accessLog, ExecutionLog: executionLog, Reporter: reporter,
		Limits: func(l *dev.ConnectionLimits) { _ = c.Limits.set(l) }, // Validate has checked them
	})
	return p.reportProblems(err)
}

// openLog opens where the lines of a log go, given by a flag: stdout for "-", nil for
// nothing.
func openLog(flag, path string, stdout io.Writer, reporter dev.Reporter) (out io.Writer, end func(), err error) {
	switch path {
	case "":
		return nil, func() {}, nil
	case "-":
		return stdout, func() {}, nil
	}
	file, err := os.OpenFile(kong.ExpandPath(path), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", flag, err)
	}
	w := lines.New(file, lines.Options{Limit: maxUnwritten, Delay: 10 * time.Millisecond, Lost: func(n int) {
		reporter.Output(dev.LogLine{Notice: true, Text: fmt.Sprintf("%s lost: %s %s did not take them", were(n, "line"), flag, path)})
	}})
	return w, func() {
		w.Close()
		_ = file.Close()
	}, nil
}

// lifetime returns a context that ends when the command must end: when its
// terminal goes away, when nobody reads its output any more, which unread is to be
// called for, and, unless it is detached, when the process ends that started it. The
// last function ends the processes that are left below this one.
func (c *DevCmd) lifetime(ctx context.Context, p *process) (_ context.Context, unread, end func()) {
	endOrphans := adoptOrphans()
	ctx, cancel := withHangUp(ctx)
	var watching sync.WaitGroup
	if !c.Detached && !staysByItself() {
		watching.Go(func() {
			if awaitParent(ctx) {
				_, _ = fmt.Fprintln(p.stderr, "stagedoor: the process that started dev has ended, so dev ends too (--detached prevents that)")
				cancel()
			}
		})
	}
	return ctx, cancel, func() {
		cancel()
		watching.Wait()
		endOrphans()
	}
}

// reportProblems prints the mistakes of a template, a line each. It returns any
// other error as it is.
func (p *process) reportProblems(err error) error {
	var problems mistake.List
	if !errors.As(err, &problems) {
		return err
	}
	for _, problem := range problems {
		_, _ = fmt.Fprintln(p.stderr, problem)
	}
	what := "template"
	if config.IsConfiguration(problems[0].File) {
		what = "configuration"
	}
	_, _ = fmt.Fprintf(p.stderr, "stagedoor: %s in the %s\n", count(len(problems), "mistake"), what)
	return &exitError{exitFailure, err}
}

// count returns a number with its noun: "2 mistakes".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
