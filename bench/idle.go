//go:build linux

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/command"
	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/process"
	"github.com/stagedoor/stagedoor/bench/internal/report"
)

// memoryCommand makes this program measure idle connections of "stagedoor serve", with and
// without TLS.
const memoryCommand = "memory"

// memoryOptions are the flags of the command.
type memoryOptions struct {
	command.Options
	tls     bool
	records string
	idle    int
	size    int
	settle  time.Duration
}

// runMemory measures what an idle connection takes of the gateway, and ends this program.
func runMemory(args []string) {
	o := &memoryOptions{}
	flags := flag.NewFlagSet("bench "+memoryCommand, flag.ExitOnError)
	flags.BoolVar(&o.tls, "tls", false, "connect over TLS")
	flags.StringVar(&o.records, "records", "standard", "the `layer` of TLS 1.3: standard or compact")
	flags.IntVar(&o.idle, "idle", 5000, "idle connections")
	flags.IntVar(&o.size, "size", 128, "bytes of the message that each has had answered before")
	flags.DurationVar(&o.settle, "settle", 15*time.Second, "memory is read when it has not shrunk for this long")
	o.GatewayFlag(flags)
	command.Parse(flags, args)
	command.Main("bench", func(ctx context.Context) error { return measureMemory(ctx, o) })
}

func measureMemory(ctx context.Context, o *memoryOptions) error {
	if o.idle < 1 {
		return errors.New("-idle must be at least 1")
	}
	if err := lab.RaiseFileLimit(uint64(o.idle) + 1000); err != nil {
		return err
	}
	return o.Run(memoryCommand, func(l *lab.Lab) (string, error) { return heapAndMemory(ctx, l, o) })
}

// held are connections that are kept open.
type held interface {
	Exchange() error
	Close()
}

// heapAndMemory measures what an idle connection takes of the gateway: of its heap, which
// Go's runtime tells at each collection, and of the system's memory.
func heapAndMemory(ctx context.Context, l *lab.Lab, o *memoryOptions) (string, error) {
	config, err := certificates(l.Folder, o.records)
	if err != nil {
		return "", err
	}
	g, err := l.ServeConfigured(ctx, "memory", filepath.Join(l.Folder, "stagedoor.yaml"), "GODEBUG=gctrace=1")
	if err != nil {
		return "", err
	}
	defer g.Stop()
	defer g.Plane.Close()
	api, err := g.Plane.Create(ctx, 2)
	if err != nil {
		return "", err
	}
	protocol := load.NewWebSocket(g.Public, api.Path(), load.Message("call", "", o.size)).AnsweredBy([]byte("0 0"))
	open := func(count int) (held, error) {
		if o.tls {
			return load.OpenSecure(g.Public, config, protocol, count)
		}
		return load.Open(g.Public, protocol, count)
	}
	fmt.Printf("Waiting until memory has not shrunk for %v, before and after %d connections\n", o.settle, o.idle)
	before, after, err := around(open, o.idle, func() (memoryUse, error) { return usage(ctx, g.Process, o.settle) })
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, g.Tail())
	}
	each := func(after, before int64) float64 { return float64(after-before) / float64(o.idle) / (1 << 10) }
	over := "without TLS"
	if o.tls {
		over = "over TLS with " + o.records + " records"
	}
	return fmt.Sprintf("%d idle connections %s: %.2f KiB of heap and %.2f KiB of user memory each (%.1f MiB of heap and %.1f MiB with them).\n",
		o.idle, over, each(after.heap, before.heap), each(after.resident, before.resident), report.Mebibytes(after.heap), report.Mebibytes(after.resident)), nil
}

// around reads what a gateway uses, without connections and while count of them are open,
// each of which has had a message answered. What the gateway allocates once, at the first
// of them, is not counted: some others went before.
func around[T any](open func(count int) (held, error), count int, read func() (T, error)) (before, after T, err error) {
	if err := once(open, 100); err != nil {
		return before, after, err
	}
	if before, err = read(); err != nil {
		return before, after, err
	}
	conns, err := open(count)
	if err != nil {
		return before, after, fmt.Errorf("%d idle connections: %w", count, err)
	}
	defer conns.Close()
	if err := conns.Exchange(); err != nil {
		return before, after, fmt.Errorf("a message on each of %d connections: %w", count, err)
	}
	if after, err = read(); err != nil {
		return before, after, err
	}
	// All connections must still be open, or the measurement is of fewer.
	if err := conns.Exchange(); err != nil {
		return before, after, fmt.Errorf("idle connections afterwards: %w", err)
	}
	return before, after, nil
}

// once opens connections, has a message answered on each, and closes them.
func once(open func(int) (held, error), count int) error {
	conns, err := open(count)
	if err != nil {
		return err
	}
	defer conns.Close()
	return conns.Exchange()
}

// memoryUse is what a program takes, in bytes.
type memoryUse struct{ heap, resident int64 }

// collection is the line of Go's runtime about one: the heap when it began, when it ended,
// and what of it is in use, in MB.
var collection = regexp.MustCompile(`(?m)^gc \d+ @.* (\d+)->(\d+)->(\d+) MB, `)

// usage is what a program takes once it has settled. Its heap is that of a collection
// afterwards: there is one every two minutes at least.
func usage(ctx context.Context, p *process.Process, settle time.Duration) (u memoryUse, err error) {
	if u.resident, err = p.Settled(ctx, settle); err != nil {
		return u, err
	}
	seen := len(collection.FindAllString(p.Log(), -1))
	for tick := time.NewTicker(time.Second); ; {
		select {
		case <-ctx.Done():
			return u, ctx.Err()
		case <-tick.C:
		}
		if all := collection.FindAllStringSubmatch(p.Log(), -1); len(all) > seen {
			megabytes, err := strconv.ParseInt(all[len(all)-1][3], 10, 64)
			if err != nil {
				return u, err
			}
			u.heap = megabytes << 20
			return u, nil
		}
	}
}

// certificates writes a certificate, its key and a configuration that names them and a record layer into a folder, and
// returns what clients need to accept it.
func certificates(folder, records string) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	for name, text := range map[string][]byte{
		"tls.pem":        pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		"tls.key":        pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		"stagedoor.yaml": []byte("tls:\n  certificates: [{cert: tls.pem, key: tls.key}]\n  records: " + records + "\n"),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			return nil, err
		}
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &tls.Config{RootCAs: roots, ServerName: "localhost"}, nil
}
