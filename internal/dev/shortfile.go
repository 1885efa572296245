package dev

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"reflect"
	"syscall"
	"time"

	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/shortfile"
)

// noticeRestart tells when something beside the APIs has changed that is taken
// at the start alone.
func (d *dev) noticeRestart() {
	next, err := d.source.Config(os.Environ())
	if next == nil || err != nil {
		return // a mistake was told
	}
	if !reflect.DeepEqual(Config{}.with(d.file), Config{}.with(next)) {
		d.config.Reporter.Output(LogLine{Notice: true, Text: "what has changed beside the apis takes effect with the next start"})
	}
	d.file = next
}

// isShort reports whether the application is written in the short form.
func (d *dev) isShort() bool { return d.source.IsShort() || d.source.URL != "" }

// stackName names the stack of the short form. Empty leaves the name to the
// template's folder.
func (d *dev) stackName() string {
	if d.isShort() {
		return shortfile.StackName
	}
	return ""
}

// defaultStage is the stage that clients reach without its name in the path:
// that of the only API of a short form. Nil is none.
func (d *dev) defaultStage(a *application) *gateway.Default {
	if !d.isShort() || len(a.plans) != 1 {
		return nil
	}
	return &gateway.Default{APIID: a.plans[0].APIID, Stage: a.plans[0].Name, AnyPath: d.source.URL != ""}
}

// dialTime is how long the start waits to see whether a backend is there.
const dialTime = time.Second

// backend looks whether somebody listens at the URL that gets every event.
func (d *dev) backend(ctx context.Context) *Backend {
	if d.source.URL == "" {
		return nil
	}
	b := &Backend{URL: d.source.URL}
	u, err := url.Parse(b.URL)
	if err != nil {
		b.Unreachable = err.Error()
		return b
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		b.Unreachable = unreachable(err)
		return b
	}
	_ = connection.Close() // nothing was sent
	return b
}

// unreachable says in a few words why a backend cannot be connected to.
func unreachable(err error) string {
	var name *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody listens there yet"
	case errors.As(err, &name):
		return "there is no host " + name.Name
	case errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err):
		return "it does not answer"
	}
	return err.Error()
}
