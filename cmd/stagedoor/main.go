// Command stagedoor is a gateway for WebSocket APIs, compatible with Amazon API
// Gateway. Each of its commands is a struct in a file of its own, which has the
// flags and calls the package that does the work.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes of every command. They are a contract with scripts.
const (
	exitOK       = 0
	exitFailure  = 1 // the command could not do its work
	exitUsage    = 2 // wrong flags or arguments
	exitAbnormal = 3 // connect: the server closed with an error code, or without a close frame
)

// commandLine is the grammar of the command line. Kong derives parsing and
// help from it.
type commandLine struct {
	Serve       ServeCmd       `cmd:"" help:"Run a gateway that is configured over the network."`
	Deploy      DeployCmd      `cmd:"" help:"Apply a template to a running gateway."`
	Dev         DevCmd         `cmd:"" help:"Run an application on this machine, or put WebSockets in front of a URL."`
	Init        InitCmd        `cmd:"" help:"Write the files of a new application."`
	Check       CheckCmd       `cmd:"" help:"Validate a template without running it."`
	Explain     ExplainCmd     `cmd:"" help:"Say what would become of a message or a handshake."`
	Connect     ConnectCmd     `cmd:"" help:"Talk to a WebSocket server from the terminal."`
	Tail        TailCmd        `cmd:"" help:"Watch the events of a gateway as they happen."`
	Backup      BackupCmd      `cmd:"" help:"Write the configuration of a gateway's APIs into a file."`
	Restore     RestoreCmd     `cmd:"" help:"Put a backup into a gateway."`
	Credentials CredentialsCmd `cmd:"" help:"Access keys: who may use a gateway's control plane and @connections."`
	Version     VersionCmd     `cmd:"" help:"Print the version."`
}

func main() {
	tuneCollector()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	code := run(ctx, newProcess())
	stop()
	os.Exit(code)
}

// run parses the arguments, runs the command and returns the exit code. The
// command ends in an orderly way when ctx ends.
func run(ctx context.Context, p *process) int {
	exited := -1 // set when --help printed and wants to end
	parser, err := kong.New(grammar(p.args),
		kong.Name("stagedoor"),
		kong.Description("A gateway for WebSocket APIs, compatible with Amazon API Gateway."),
		kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.WithHyphenPrefixedParameters(true), // a value may be -1
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		panic(err) // the grammar itself is wrong
	}
	command, err := parser.Parse(p.args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		return p.fail(&usageError{err})
	}
	return p.fail(command.Run(p))
}

// grammar returns a pointer to a struct of the commands that the arguments may mean:
// all of them, or the one that the first argument names. Kong reads every flag of every
// command that it is given, which takes as long as the rest of a short command.
func grammar(args []string) any {
	all := reflect.TypeFor[commandLine]()
	for i := range all.NumField() {
		if command := all.Field(i); len(args) > 0 && args[0] == strings.ToLower(command.Name) {
			return reflect.New(reflect.StructOf([]reflect.StructField{command})).Interface()
		}
	}
	return &commandLine{}
}

// usageError is a mistake in the flags or arguments.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// exitError is an error that was already printed, with its exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// fail prints err, unless that was done, and returns its exit code.
func (p *process) fail(err error) int {
	var exit *exitError
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &usage):
		fmt.Fprintf(p.stderr, "stagedoor: %v\nRun \"stagedoor --help\" for the commands and their flags.\n", err)
		return exitUsage
	}
	fmt.Fprintf(p.stderr, "stagedoor: %v\n", err)
	return exitFailure
}
