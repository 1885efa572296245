package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/stagedoor/stagedoor/internal/administration"
	"github.com/stagedoor/stagedoor/internal/deploy"
	"github.com/stagedoor/stagedoor/internal/dev"
	"github.com/stagedoor/stagedoor/internal/eventstream"
	"github.com/stagedoor/stagedoor/internal/lines"
	"github.com/stagedoor/stagedoor/internal/terminal"
)

// TailCmd is "stagedoor tail". docs/tail.md describes it.
type TailCmd struct {
	Gateway    string   `default:"http://127.0.0.1:8081" placeholder:"URL" help:"Admin port of the gateway (${default})."`
	API        []string `name:"api" placeholder:"ID" help:"Only events of this API."`
	Stage      []string `placeholder:"NAME" help:"Only events of this stage."`
	Route      []string `sep:"none" placeholder:"KEY" help:"Only events of this route, such as send or '$$connect'."`
	Connection []string `placeholder:"ID" help:"Only events of this connection."`
	Status     []string `placeholder:"STATUS" help:"Only events with this status or close code; x stands for any digit, as in 4xx."`
	Failed     bool     `help:"Only events that failed."`
	Payload    bool     `help:"Show what clients sent and got: the beginning of it, without the values of what is named like a secret."`
	JSON       bool     `help:"Print one JSON object per line, with the keys of \"stagedoor dev --json\"."`
	Profile    string   `placeholder:"NAME" help:"Profile of the AWS configuration whose credentials sign the request."`
	Region     string   `placeholder:"NAME" help:"Region of the gateway; without one, that of the AWS configuration, else us-east-1."`
	tlsFlags
}

// Help is the second half of "stagedoor tail --help".
func (TailCmd) Help() string {
	return `Prints the events of a gateway as they happen: connections, messages, pushes, URLs
that lead nowhere. The filters work in the gateway; all that are given have to fit.
A filter may be repeated, or have several values separated by commas (but for
--route): then one of them has to fit.

Where events came faster than they were read, or the gateway was away, a notice
stands in their place. A gateway that restarts is waited for.

Requests are signed with the credentials that the AWS tools would use, if there are
any, and require the permission stagedoor:Tail; "stagedoor dev", and a gateway that
runs with --open, need none.

Exit codes: 0 stopped by Ctrl-C, 1 the gateway could not be watched, 2 wrong flags.`
}

// query is what the flags ask for.
func (c *TailCmd) query() eventstream.Query {
	return eventstream.Query{
		APIs: c.API, Stages: c.Stage, Routes: c.Route, Connections: c.Connection, Statuses: c.Status,
		Failed: c.Failed, Payload: c.Payload,
	}
}

// Validate is called by kong. It returns an error for a filter that cannot be meant.
func (c *TailCmd) Validate() error {
	query := c.query()
	return query.Check()
}

// Run prints events until ctx ends.
func (c *TailCmd) Run(ctx context.Context, p *process) error {
	identity, err := deploy.FindIdentity(ctx, c.Profile, c.Region)
	if err != nil {
		return err
	}
	security, err := c.config()
	if err != nil {
		return &usageError{err}
	}
	gateway, err := administration.NewClient(administration.ClientOptions{
		Gateway: c.Gateway, Region: identity.Region, Credentials: identity.Credentials, TLS: security,
	})
	if err != nil {
		return &usageError{err}
	}
	defer gateway.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var show func(event []byte)
	out := lines.New(p.stdout, lines.Options{Limit: maxUnwritten, Delay: 10 * time.Millisecond, Unread: cancel, Lost: func(n int) {
		show(fmt.Appendf(nil, `{"event":"notice","text":"%s lost here: nobody read the output in time"}`, were(n, "line")))
	}})
	defer out.Close()
	if show = prettyEvents(p, out); c.JSON {
		show = jsonEvents(out)
	}
	client := &eventstream.Client{
		Gateway: gateway, Query: c.query(), Event: show,
		Status: func(text string) { _, _ = fmt.Fprintf(p.stderr, "stagedoor: %s: %s\n", c.Gateway, visible(text)) },
	}
	return client.Run(ctx)
}

func were(n int, noun string) string {
	if n == 1 {
		return count(n, noun) + " was"
	}
	return count(n, noun) + " were"
}

// jsonEvents prints events as they come.
func jsonEvents(out io.Writer) func(event []byte) {
	out = terminal.EscapeControls(out)
	return func(event []byte) {
		if json.Valid(event) {
			_, _ = out.Write(append(bytes.Clone(event), '\n'))
		}
	}
}

// prettyEvents prints events as "stagedoor dev" does.
func prettyEvents(p *process, out io.Writer) func(event []byte) {
	r := newTextReporter(out, p.color(p.stdout), false, time.Now())
	r.ready = true // nothing is waited for
	r.width = func() int { return p.width(p.stdout) }
	return func(line []byte) {
		e, err := eventstream.ParseEvent(line)
		switch {
		case err != nil:
			r.Output(dev.LogLine{Notice: true, Text: "what the gateway sent is no event: " + err.Error()})
		case e.Notice != "":
			r.Output(dev.LogLine{Notice: true, Text: e.Notice})
		default:
			r.watched(e)
		}
	}
}
