//go:build linux

// Package command has what the commands that measure have in common: flags, how they
// end, and the order of what they do.
package command

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/report"
)

// Main runs a command until it returns, and ends this program. The context ends when
// somebody interrupts it.
func Main(name string, run func(context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	Exit(name, err)
}

// Exit ends this program, with 1 after an error, which it prints.
func Exit(name string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Options are flags that several commands have.
type Options struct {
	Gateway string // the program that is measured; empty: it is built
	Before  string // another build of it; empty: none
	Update  string // document to put the result in; empty: none
}

// GatewayFlag adds -gateway.
func (o *Options) GatewayFlag(flags *flag.FlagSet) {
	flags.StringVar(&o.Gateway, "gateway", "", "the gateway's `program` (default: it is built from this repository)")
}

// BeforeFlag adds -before.
func (o *Options) BeforeFlag(flags *flag.FlagSet) {
	flags.StringVar(&o.Before, "before", "", "another build of the gateway, a `program` that takes turns with it")
}

// UpdateFlag adds -update.
func (o *Options) UpdateFlag(flags *flag.FlagSet) {
	flags.StringVar(&o.Update, "update", "", "`document` to put the result in")
}

// Parse reads the flags of a set with flag.ExitOnError. It ends this program where one
// is wrong, where something else follows them, and after -help.
func Parse(flags *flag.FlagSet, arguments []string) {
	_ = flags.Parse(arguments) // it does not return an error
	if flags.NArg() > 0 {
		fmt.Fprintf(flags.Output(), "there is no %q; see -help\n", flags.Arg(0))
		os.Exit(2)
	}
}

// Run says where it measures, has a result measured in a lab, prints it, and puts it
// into a section of the document, if there is one. What there is of a result is printed
// after an error as well.
func (o *Options) Run(section string, measure func(*lab.Lab) (result string, err error)) error {
	l, err := lab.New(o.Gateway)
	if err != nil {
		return err
	}
	defer l.Close()
	machine := lab.Describe()
	fmt.Println(machine + "\n")
	result, err := measure(l)
	if result != "" {
		fmt.Println("\n" + result)
	}
	if err != nil || o.Update == "" {
		return err
	}
	return report.Update(o.Update, section, machine+"\n\n"+result)
}
