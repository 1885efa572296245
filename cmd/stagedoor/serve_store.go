package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/stagedoor/stagedoor/internal/administration"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/deploy"
	"github.com/stagedoor/stagedoor/internal/server"
)

// storeFlags select a store: that of a data folder or of a configuration, or
// that of a running gateway.
type storeFlags struct {
	Config  string `short:"c" placeholder:"FILE" type:"path" help:"Configuration of the gateway, in YAML; without one, the defaults."`
	Data    string `placeholder:"DIR" type:"path" help:"Data folder of a gateway that does not run."`
	Gateway string `placeholder:"URL" help:"Admin port of a gateway that runs, such as http://127.0.0.1:8081."`
	Profile string `placeholder:"NAME" help:"Profile of the AWS configuration whose credentials sign requests to the gateway."`
	Region  string `placeholder:"NAME" help:"Region of the gateway; without one, that of the AWS configuration, else us-east-1."`
	tlsFlags
}

// whichStore is the part of a command's help about storeFlags.
const whichStore = `Name a running gateway with --gateway; requests to it are signed with the
credentials that the AWS tools would use, if there are any. For a gateway that does
not run, or that keeps its configuration on NATS servers, --config or --data is
enough.`

// openStore is a store that a command works on.
type openStore struct {
	administration.Administration
	region string
	close  func()
}

// open opens the store. It makes a data folder that does not exist only if make
// is true. A damaged one is an error.
func (f *storeFlags) open(ctx context.Context, p *process, make bool) (*openStore, error) {
	return f.openOrReplace(ctx, p, make, false)
}

// openOrReplace is open, but moves a damaged store aside if replace is true.
func (f *storeFlags) openOrReplace(ctx context.Context, p *process, make, replace bool) (*openStore, error) {
	if f.Gateway != "" {
		return f.connect(ctx)
	}
	if f.Profile != "" || f.tlsFlags != (tlsFlags{}) {
		return nil, &usageError{errors.New("--profile, --ca, --cert and --key are for a gateway that runs: they need --gateway")}
	}
	source := config.Options{File: f.Config, Environ: p.environ, Flags: map[string]string{}, FlagNames: map[string]string{}}
	for _, flag := range []struct{ key, name, value string }{{"data", "--data", f.Data}, {"region", "--region", f.Region}} {
		if flag.value != "" {
			source.Flags[flag.key], source.FlagNames[flag.key] = flag.value, flag.name
		}
	}
	s, err := server.OpenStore(ctx, source, make, replace, p.stderr)
	if errors.Is(err, server.ErrInUse) {
		return nil, fmt.Errorf("%w; if that is a gateway, ask it: --gateway http://127.0.0.1:8081", err)
	}
	if err != nil {
		return nil, p.reportMistakes(err)
	}
	return &openStore{s, s.Region, s.Close}, nil
}

// connect opens the store of a running gateway.
func (f *storeFlags) connect(ctx context.Context) (*openStore, error) {
	if f.Config != "" || f.Data != "" {
		return nil, &usageError{errors.New("--gateway asks a gateway that runs: it goes with neither --config nor --data")}
	}
	identity, err := deploy.FindIdentity(ctx, f.Profile, f.Region)
	if err != nil {
		return nil, err
	}
	security, err := f.config()
	if err != nil {
		return nil, &usageError{err}
	}
	client, err := administration.NewClient(administration.ClientOptions{
		Gateway: f.Gateway, Region: identity.Region, Credentials: identity.Credentials, TLS: security,
	})
	if err != nil {
		return nil, &usageError{err}
	}
	return &openStore{client, identity.Region, client.Close}, nil
}
