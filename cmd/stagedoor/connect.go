package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/terminal"
)

// ConnectCmd is "stagedoor connect". docs/connect.md describes it.
type ConnectCmd struct {
	URL string `arg:"" help:"Server, for example ws://localhost:8080/dev. Without a scheme it is ws://."`

	Header       []string `short:"H" sep:"none" placeholder:"'NAME: VALUE'" help:"Header to send with the handshake. Repeatable."`
	Subprotocol  []string `short:"s" placeholder:"NAME" help:"Subprotocol to offer. Repeatable."`
	Execute      []string `short:"x" sep:"none" placeholder:"MESSAGE" help:"Send a message, wait for answers, close. Repeatable."`
	Wait         float64  `short:"w" default:"2" placeholder:"SECONDS" help:"Time to wait for answers when everything is sent. Negative: until the server closes. Default: ${default}."`
	Check        bool     `negatable:"" default:"true" help:"Verify the server's TLS certificate."`
	CA           string   `name:"ca" type:"path" placeholder:"FILE" help:"PEM file with certificate authorities to trust besides the system's."`
	JSON         *bool    `name:"json" negatable:"" help:"Indent messages that are JSON. Default: on a terminal."`
	ShowPingPong bool     `short:"P" help:"Show ping and pong frames."`
}

// Run talks to the server until either side is done.
func (c *ConnectCmd) Run(ctx context.Context, p *process) error {
	client, err := c.client(p)
	if err != nil {
		return &usageError{err}
	}
	restore, err := c.openInput(client, p)
	if err != nil {
		return err
	}
	err = client.Run(ctx)
	restore()
	return connectOutcome(client.Printer, err)
}

// client builds the client that the flags describe. Every error is a mistake of
// the user's.
func (c *ConnectCmd) client(p *process) (*terminal.Client, error) {
	url, err := terminal.NormalizeURL(c.URL)
	if err != nil {
		return nil, err
	}
	header, err := parseHeaders(c.Header)
	if err != nil {
		return nil, err
	}
	if header.Get("User-Agent") == "" {
		header.Set("User-Agent", "stagedoor/"+version)
	}
	tlsConfig, err := c.tlsConfig()
	if err != nil {
		return nil, err
	}
	pretty := p.isTerminal(p.stdout)
	if c.JSON != nil {
		pretty = *c.JSON
	}
	return &terminal.Client{
		URL:          url,
		Header:       header,
		Subprotocols: c.Subprotocol,
		TLS:          tlsConfig,
		Execute:      c.Execute,
		Wait:         time.Duration(c.Wait * float64(time.Second)),
		Printer: &terminal.Printer{
			Messages:  p.stdout,
			Status:    p.stderr,
			Terminal:  p.isTerminal(p.stdout),
			Pretty:    pretty,
			Color:     p.color(p.stdout),
			PingPongs: c.ShowPingPong,
		},
	}, nil
}

// openInput opens the client's input: the terminal, where both ends are one,
// else the lines of standard input. The function that it returns undoes what it
// did to the terminal.
func (c *ConnectCmd) openInput(client *terminal.Client, p *process) (restore func(), err error) {
	if len(c.Execute) > 0 {
		return func() {}, nil
	}
	if !p.isTerminal(p.stdin) || !p.isTerminal(p.stdout) {
		client.Input = terminal.PipedInput(p.stdin)
		return func() {}, nil
	}
	screen, err := terminal.NewScreen(p.stdin.(*os.File), p.stdout.(*os.File))
	if err != nil {
		return nil, err
	}
	client.Input = screen
	client.Wait = 0
	client.Printer.Messages = screen
	client.Printer.Status = screen
	return func() {
		screen.Close() //nolint:errcheck // the terminal may be gone
		client.Printer.Messages = p.stdout
		client.Printer.Status = p.stderr
	}, nil
}

// connectOutcome prints how a conversation ended, and returns an error with the
// exit code for that.
func connectOutcome(printer *terminal.Printer, err error) error {
	var refused *terminal.RefusedError
	var closed *terminal.ClosedError
	switch {
	case errors.As(err, &refused):
		printer.Refused(refused)
		return &exitError{exitFailure, err}
	case errors.As(err, &closed):
		return &exitError{exitAbnormal, err}
	}
	return err
}

// parseHeaders reads header lines as they stand in a request.
func parseHeaders(lines []string) (http.Header, error) {
	header := make(http.Header)
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		name = strings.TrimSpace(name)
		if !ok || name == "" || strings.ContainsAny(line, "\r\n") {
			return nil, fmt.Errorf("%q is not a header: write 'Name: value'", line)
		}
		header.Add(name, strings.TrimSpace(value))
	}
	return header, nil
}

// tlsConfig returns the configuration for verifying a server's certificate.
func (c *ConnectCmd) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{InsecureSkipVerify: !c.Check} //nolint:gosec // asked for with --no-check
	if c.CA == "" {
		return config, nil
	}
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, err
	}
	if config.RootCAs, err = x509.SystemCertPool(); err != nil {
		return nil, fmt.Errorf("read the system's certificate authorities: %w", err)
	}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no PEM certificate", c.CA)
	}
	return config, nil
}
