package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// Times of a connection to servers elsewhere.
const (
	reconnectWait = 100 * time.Millisecond
	pingInterval  = 5 * time.Second
)

// dial connects to the NATS server of this process, or to those elsewhere. It
// does not wait for them: the client tries to connect until it succeeds, now
// and after a connection is lost. It calls reconnected each time that it
// succeeds, failed each time that it does not, and denied for each request that
// the user of the connection may not make.
func dial(options Options, server *embeddedServer, reconnected func(), failed, denied func(error)) (*nats.Conn, error) {
	list := []nats.Option{
		nats.Name("stagedoor"),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // the credentials may be made known to a server later
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectBufSize(-1), // a write fails at once; it must not be sent later, when its caller has gone
		nats.Timeout(options.Timeout),
		nats.PingInterval(pingInterval),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { failed(err) }),
		nats.ConnectHandler(func(*nats.Conn) { reconnected() }),
		nats.ReconnectHandler(func(*nats.Conn) {
			options.Log.Info("The connection to the configuration store is back")
			reconnected()
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil { // nil: it was closed here
				options.Log.Warn("The connection to the configuration store is lost", "error", err)
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if isRefusal(err) {
				failed(err)
				return
			}
			if errors.Is(err, nats.ErrPermissionViolation) {
				denied(err)
			}
			options.Log.Warn("The configuration store's connection has an error", "error", err)
		}),
	}
	if server != nil {
		return nats.Connect("", append(list, nats.InProcessServer(server))...)
	}
	identity, err := identify(options)
	if err != nil {
		return nil, err
	}
	return nats.Connect(options.URL, append(list, identity...)...)
}

// identify returns the connection's options for the client's credentials and
// for the certificate authorities that it trusts.
func identify(options Options) ([]nats.Option, error) {
	var list []nats.Option
	switch {
	case options.CredentialsFile != "":
		list = append(list, nats.UserCredentials(options.CredentialsFile))
	case options.NKeyFile != "":
		key, err := nats.NkeyOptionFromSeed(options.NKeyFile)
		if err != nil {
			return nil, fmt.Errorf("the NKey in %s: %w", options.NKeyFile, err)
		}
		list = append(list, key)
	case options.User != "":
		list = append(list, nats.UserInfo(options.User, options.Password))
	case options.Token != "":
		list = append(list, nats.Token(options.Token))
	}
	if options.CAFile != "" {
		list = append(list, nats.RootCAs(options.CAFile))
	}
	if options.CertFile != "" {
		list = append(list, nats.ClientCert(options.CertFile, options.KeyFile))
	}
	return list, nil
}
