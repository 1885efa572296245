//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/process"
)

// fleet is the gateways, and a client for each. It is used by one goroutine.
type fleet struct {
	gateways []*lab.Gateway
	clients  []*clientProcess
	news     chan heard
	closed   bool
}

// heard is what a client says.
type heard struct {
	client int
	news   news
	err    error // it has ended
}

// clientProcess is a process that holds connections.
type clientProcess struct {
	command *exec.Cmd
	orders  io.WriteCloser
	ended   chan struct{}
}

// startFleet starts gateways, each with an API whose messages are answered with the
// ids of their connections, and clients, which open nothing yet.
func startFleet(ctx context.Context, l *lab.Lab, o *options, plan []int) (f *fleet, err error) {
	f = &fleet{news: make(chan heard, len(plan))}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	env := []string{"STAGEDOOR_LIMITS_IDLE=none", "STAGEDOOR_LIMITS_LIFETIME=none"}
	if o.ping != "" {
		env = append(env, "STAGEDOOR_LIMITS_PING="+o.ping)
	}
	for i, connections := range plan {
		g, err := l.Serve(ctx, fmt.Sprint("data", i), env...)
		if err != nil {
			return nil, err
		}
		f.gateways = append(f.gateways, g)
		path, err := answerIDs(ctx, g)
		if err != nil {
			return nil, fmt.Errorf("making an API: %w\n%s", err, g.Tail())
		}
		err = f.startClient(i, hold{
			Address: g.Public, Path: path, Connections: connections,
			Source: [2]byte{byte(1 + i/200), byte(1 + i%200)}, Rate: o.rate * float64(connections) / float64(o.connections),
		})
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}

// answerIDs makes the API, and returns where clients connect.
func answerIDs(ctx context.Context, g *lab.Gateway) (string, error) {
	defer g.Plane.Close()
	api, err := g.Plane.Create(ctx, 2)
	if err != nil {
		return "", err
	}
	if err := api.SetAnswer(ctx, "$context.connectionId"); err != nil {
		return "", err
	}
	return api.Path(), api.Deploy(ctx)
}

// startClient starts this program once more, to hold connections.
func (f *fleet) startClient(number int, h hold) error {
	spec, err := json.Marshal(h)
	if err != nil {
		return err
	}
	c := &clientProcess{command: exec.Command("/proc/self/exe", holderCommand, string(spec)), ended: make(chan struct{})}
	c.command.Stderr = os.Stderr
	if c.orders, err = c.command.StdinPipe(); err != nil {
		return err
	}
	out, err := c.command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.command.Start(); err != nil {
		return fmt.Errorf("starting a client: %w", err)
	}
	f.clients = append(f.clients, c)
	go func() {
		defer close(c.ended)
		for lines := json.NewDecoder(bufio.NewReader(out)); ; {
			var n news
			if err := lines.Decode(&n); err != nil {
				break // it has ended
			}
			f.news <- heard{client: number, news: n}
		}
		_ = c.command.Wait() // what it says of its end is in the state
		f.news <- heard{client: number, err: fmt.Errorf("the client of gateway %d ended: %s", number+1, c.command.ProcessState)}
	}()
	return nil
}

// tell gives a client an order.
func (f *fleet) tell(client int, order string) error {
	_, err := io.WriteString(f.clients[client].orders, order+"\n")
	return err
}

// close ends all processes: the clients first, which lets go of the connections at
// once, and the gateways without a farewell, for which there is nobody left.
// It may be called again.
func (f *fleet) close() {
	if f.closed {
		return
	}
	f.closed = true
	go func() {
		for range f.news { // so that nobody who has something to say waits
		}
	}()
	for _, c := range f.clients {
		_ = c.orders.Close()
		_ = c.command.Process.Kill() // it may have ended
	}
	for _, c := range f.clients {
		<-c.ended
	}
	var all sync.WaitGroup
	for _, g := range f.gateways {
		all.Go(g.Kill)
	}
	all.Wait()
	close(f.news)
}

// sum adds what read says of each of some processes.
func sum[N ~int64](pids []int, read func(pid int) (N, error)) (total N, err error) {
	for _, pid := range pids {
		n, err := read(pid)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// pids are the processes of the gateways, and those of the clients.
func (f *fleet) pids() (gateways, clients []int) {
	for _, g := range f.gateways {
		gateways = append(gateways, g.PID)
	}
	for _, c := range f.clients {
		clients = append(clients, c.command.Process.Pid)
	}
	return gateways, clients
}

// usage is what the processes and the kernel use.
type usage struct {
	gateways, clients, kernel int64 // bytes
	gatewaysTime, clientsTime int64 // nanoseconds
}

func (f *fleet) usage() (u usage, err error) {
	gateways, clients := f.pids()
	for _, of := range []struct {
		to   *int64
		pids []int
		read func(int) (int64, error)
	}{
		{&u.gateways, gateways, process.Memory},
		{&u.clients, clients, process.Memory},
		{&u.gatewaysTime, gateways, processorTime},
		{&u.clientsTime, clients, processorTime},
	} {
		if *of.to, err = sum(of.pids, of.read); err != nil {
			return u, err
		}
	}
	u.kernel, err = kernelMemory()
	return u, err
}

func processorTime(pid int) (int64, error) {
	t, err := process.ProcessorTime(pid)
	return int64(t), err
}
