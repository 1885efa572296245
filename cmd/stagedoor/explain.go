package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/deploy"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/explain"
	"github.com/stagedoor/stagedoor/internal/mistake"
	"github.com/stagedoor/stagedoor/internal/source"
	"github.com/stagedoor/stagedoor/internal/template"
	"github.com/stagedoor/stagedoor/internal/terminal"
)

// ExplainCmd is "stagedoor explain".
type ExplainCmd struct {
	Template  string            `arg:"" optional:"" name:"template" help:"SAM or CloudFormation template, a stagedoor.yaml with apis, or the folder of one (.). Not with --gateway."`
	Message   *string           `placeholder:"TEXT|@FILE" help:"Explain this message of a client."`
	Connect   bool              `help:"Explain the handshake of a client."`
	Header    []string          `sep:"none" placeholder:"'NAME: VALUE'" help:"Header line of the handshake; may be repeated."`
	Query     []string          `sep:"none" placeholder:"NAME=VALUE" help:"Query parameter of the handshake; may be repeated."`
	Context   []string          `sep:"none" placeholder:"KEY=VALUE" help:"What the authorizer returns in its context, or principalId; may be repeated."`
	Answer    *string           `placeholder:"TEXT|@FILE" help:"What the backend answers, to see the way back: a body, or what a function returns."`
	Status    int               `placeholder:"N" help:"Status of the backend's answer (200)."`
	API       string            `name:"api" placeholder:"ID" help:"Id of the API in the gateway; in a template, its logical id, where there are several."`
	Stage     string            `placeholder:"NAME" help:"The stage, where there are several."`
	Gateway   string            `placeholder:"URL" help:"Control plane of a running gateway, whose API is explained instead of a template's."`
	Parameter map[string]string `short:"p" placeholder:"KEY=VALUE" mapsep:"none" help:"Value of a parameter of the template; may be repeated."`
	Import    map[string]string `placeholder:"NAME=VALUE" mapsep:"none" help:"Value that another stack exports, for Fn::ImportValue; may be repeated."`
	Profile   string            `placeholder:"NAME" help:"Profile of the AWS configuration whose credentials sign requests to the gateway."`
	Region    string            `placeholder:"NAME" help:"Region of the API; without one, that of the AWS configuration with --gateway, else us-east-1."`
	JSON      bool              `help:"Print one JSON object."`
	tlsFlags
}

// Help is the second half of "stagedoor explain --help".
func (ExplainCmd) Help() string {
	return `Says what would become of a message, or of a handshake: the route and why, who
may connect, the model and what does not fit, what templates make of it, what the
backend would be sent, and what the client would get. Nothing is sent to anybody.

  stagedoor explain template.yaml --message '{"action": "join"}'
  stagedoor explain template.yaml --connect --header 'Origin: https://example.com'

Exit codes: 0 it would be served, 1 the template has mistakes, 2 wrong flags,
3 it would be refused or fail.`
}

// Run explains one event.
func (c *ExplainCmd) Run(ctx context.Context, p *process) error {
	in, err := c.input()
	if err != nil {
		return &usageError{err}
	}
	subject, notes, err := c.subject(ctx)
	var problems mistake.List
	var choice *explain.ChoiceError
	switch {
	case errors.As(err, &problems):
		return c.print(p, explain.OfMistakes(problems))
	case errors.As(err, &choice):
		return &usageError{err}
	case err != nil:
		return err
	}
	explained, err := explain.Explain(subject, in)
	if err != nil {
		return err
	}
	explained.Notes = append(notes, explained.Notes...)
	return c.print(p, explained)
}

// print prints an explanation, and returns an error for the exit code that it means.
func (c *ExplainCmd) print(p *process, x *explain.Explanation) error {
	if c.JSON {
		encoder := json.NewEncoder(terminal.EscapeControls(p.stdout))
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(x); err != nil {
			return err
		}
	} else {
		out := p.stdout
		if x.Event == "" { // mistakes, and nothing that was explained
			out = p.stderr
		}
		if err := newExplainer(p, out).explain(x); err != nil {
			return err
		}
	}
	switch x.Result {
	case explain.Served:
		return nil
	case explain.Mistaken:
		return &exitError{exitFailure, errors.New("the template has mistakes")}
	}
	return &exitError{exitAbnormal, errors.New("it would not be served")}
}

// textWidth is how many columns there are for text: those that the variable COLUMNS says, or
// those of the terminal.
func (p *process) textWidth(stream any) int {
	const least, most = 40, 1000
	if width, err := strconv.Atoi(p.env("COLUMNS")); err == nil && width >= least && width <= most {
		return width
	}
	if width := p.width(stream); width >= least {
		return width
	}
	return columns
}

// input reads the flags that describe the event.
func (c *ExplainCmd) input() (*explain.Input, error) {
	in := &explain.Input{Connect: c.Connect, Query: url.Values{}}
	switch {
	case c.Connect == (c.Message != nil):
		return nil, errors.New("either --message or --connect says what is to be explained")
	case c.Status != 0 && (c.Status < 100 || c.Status > 599):
		return nil, fmt.Errorf("--status %d is none of HTTP's, from 100 to 599", c.Status)
	}
	var err error
	if c.Message != nil {
		if in.Message, err = textOrFile("--message", *c.Message); err != nil {
			return nil, err
		}
	}
	if c.Answer != nil || c.Status != 0 {
		in.Answer = &explain.Answer{Status: c.Status}
		if c.Answer != nil {
			body, err := textOrFile("--answer", *c.Answer)
			if err != nil {
				return nil, err
			}
			in.Answer.Body = string(body)
		}
	}
	for _, line := range c.Header {
		name, value, found := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !found || !isHeaderName(name) || strings.ContainsAny(value, "\r\n") {
			return nil, fmt.Errorf("--header %q is not a header line, Name: value", line)
		}
		in.Header = append(in.Header, event.Parameter{Name: name, Value: strings.TrimSpace(value)})
	}
	for _, pair := range c.Query {
		name, value, found := strings.Cut(pair, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("--query %q is not NAME=VALUE", pair)
		}
		in.Query.Add(name, value)
	}
	for _, pair := range c.Context {
		name, value, found := strings.Cut(pair, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("--context %q is not KEY=VALUE", pair)
		}
		in.Context = append(in.Context, event.Parameter{Name: name, Value: value})
	}
	return in, nil
}

// isHeaderName reports whether a text can be the name of a header: a token of RFC 9110.
func isHeaderName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return name != "" && http.CanonicalHeaderKey(name) != ""
}

// maxEventFile is how many bytes of a file can be a message or an answer.
const maxEventFile = 10 << 20

// textOrFile returns the value of a flag: a text or, behind an @, the content of a file.
func textOrFile(flag, value string) ([]byte, error) {
	file, isFile := strings.CutPrefix(value, "@")
	if !isFile {
		return []byte(value), nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	if info.Size() > maxEventFile {
		return nil, fmt.Errorf("%s: %s has more than %d MiB", flag, file, maxEventFile>>20)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return text, nil
}

// subject reads the API, from the template or from the gateway.
func (c *ExplainCmd) subject(ctx context.Context) (s *explain.Subject, notes []string, err error) {
	switch {
	case c.Gateway != "" && c.Template != "":
		return nil, nil, &usageError{errors.New("a template and --gateway cannot be given together")}
	case c.Gateway != "" && c.API == "":
		return nil, nil, &usageError{errors.New("--gateway needs --api, the id of the API")}
	case c.Gateway != "":
		return c.fromGateway(ctx)
	case c.Template == "":
		c.Template = "."
	}
	from, err := source.Find(expandSource(c.Template))
	if err != nil {
		return nil, nil, err
	}
	if from.Note != "" {
		notes = append(notes, from.Note)
	}
	s, err = explain.FromSource(from, template.Options{Parameters: c.Parameter, Imports: c.Import, Region: c.Region}, c.API, c.Stage)
	return s, notes, err
}

// fromGateway reads the API of a running gateway.
func (c *ExplainCmd) fromGateway(ctx context.Context) (*explain.Subject, []string, error) {
	identity, err := deploy.FindIdentity(ctx, c.Profile, c.Region)
	if err != nil {
		return nil, nil, err
	}
	security, err := c.config()
	if err != nil {
		return nil, nil, &usageError{err}
	}
	client, err := deploy.NewClient(deploy.ClientOptions{
		Gateway: c.Gateway, Region: identity.Region, Credentials: identity.Credentials, TLS: security,
	})
	if err != nil {
		return nil, nil, &usageError{err}
	}
	defer client.Close()
	e, err := deploy.Export(ctx, client, c.API)
	if err != nil {
		return nil, nil, err
	}
	stage, err := explain.ChooseStage(e.Stages, c.Stage)
	if err != nil {
		return nil, nil, err
	}
	var notes []string
	if !stage.AutoDeploys() {
		notes = append(notes, "This is the API as it is now; what is deployed on the stage may be older.")
	}
	for _, kind := range e.Hidden {
		notes = append(notes, "The credentials do not allow "+kind+" to be read: none is known here.")
	}
	return &explain.Subject{
		API: e.API, Stage: stage, Keys: e.Keys, Plans: e.Plans, Region: identity.Region, AccountID: defaultAccount,
	}, notes, nil
}

// defaultAccount is the account of a gateway that is told no other.
const defaultAccount = "123456789012"
