//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/report"
)

// openers are how many clients open connections at a time.
const openers = 4

// slowest is the rate of handshakes in a second below which opening counts as
// having failed; it has a minute besides.
const slowest = 500

// measurement is what a run has seen.
type measurement struct {
	connections, processes int
	opening                time.Duration
	keeping                time.Duration
	before, opened, after  usage
	alive                  int
	lost                   []string
	asked, pushed          []time.Duration
}

// measure opens the connections, keeps them, and has each answer in the end.
func (f *fleet) measure(ctx context.Context, o *options) (*measurement, error) {
	m := &measurement{connections: o.connections, processes: len(f.clients)}
	var err error
	if err = wait(ctx, o.settle); err != nil {
		return nil, err
	}
	if m.before, err = f.usage(); err != nil {
		return nil, err
	}
	began := time.Now()
	limit := time.Minute + time.Duration(o.connections)*time.Second/slowest
	opened := func(n news) bool { return n.Opened }
	if err := f.order(ctx, m, openOrder, openers, limit, opened); err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	m.opening = time.Since(began)
	fmt.Printf("All are open after %s. They are kept for %v.\n", report.Duration(m.opening), o.keep)
	if err := f.keep(ctx, m, o); err != nil {
		return nil, fmt.Errorf("keeping: %w", err)
	}
	fmt.Println("Each has to answer once more.")
	checked := func(n news) bool {
		if n.Result == nil {
			return false
		}
		m.alive += n.Result.Alive
		m.asked, m.pushed = append(m.asked, n.Result.Asked...), append(m.pushed, n.Result.Pushed...)
		return true
	}
	if err := f.order(ctx, m, checkOrder, openers, limit, checked); err != nil {
		return nil, fmt.Errorf("checking: %w", err)
	}
	return m, nil
}

// order gives all clients an order, some at a time, and waits until each says that it
// is done.
func (f *fleet) order(ctx context.Context, m *measurement, order string, some int, limit time.Duration, done func(news) bool) error {
	next, under := 0, 0
	deadline := time.After(limit)
	progress := time.NewTicker(10 * time.Second)
	defer progress.Stop()
	for next < len(f.clients) || under > 0 {
		for ; next < len(f.clients) && under < some; next++ {
			if err := f.tell(next, order); err != nil {
				return err
			}
			under++
		}
		select {
		case r := <-f.news:
			if err := m.take(r); err != nil {
				return err
			}
			if done(r.news) {
				under--
			}
		case <-progress.C:
			fmt.Printf("%d of %d clients are done\n", next-under, len(f.clients))
		case <-deadline:
			return fmt.Errorf("%d of %d clients are not done within %v", len(f.clients)-next+under, len(f.clients), limit)
		case <-ctx.Done():
			return errors.New("interrupted")
		}
	}
	return nil
}

// take takes what a client says.
func (m *measurement) take(r heard) error {
	if r.news.Lost != "" {
		m.lost = append(m.lost, fmt.Sprintf("gateway %d, %s", r.client+1, r.news.Lost))
	}
	return r.err
}

// keep keeps the connections, with messages and pushes.
func (f *fleet) keep(ctx context.Context, m *measurement, o *options) (err error) {
	if err := f.hear(ctx, m, o.settle); err != nil {
		return err
	}
	if m.opened, err = f.usage(); err != nil {
		return err
	}
	began := time.Now()
	for client := range f.clients {
		if err := f.tell(client, keepOrder); err != nil {
			return err
		}
	}
	for left := o.keep; left > 0; left = o.keep - time.Since(began) {
		if err := f.hear(ctx, m, min(left, time.Minute)); err != nil {
			return err
		}
		if o.keep > time.Minute {
			fmt.Printf("%v, %d lost\n", time.Since(began).Round(time.Second), len(m.lost))
		}
	}
	m.keeping = time.Since(began)
	m.after, err = f.usage()
	return err
}

// hear takes what clients say for some time.
func (f *fleet) hear(ctx context.Context, m *measurement, d time.Duration) error {
	over := time.After(d)
	for {
		select {
		case r := <-f.news:
			if err := m.take(r); err != nil {
				return err
			}
		case <-over:
			return nil
		case <-ctx.Done():
			return errors.New("interrupted")
		}
	}
}

// wait waits for some time.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return errors.New("interrupted")
	}
}

// err returns an error if the run is none that counts: a connection was lost, or
// nothing was pushed.
func (m *measurement) err() error {
	switch {
	case len(m.lost) > 0:
		return fmt.Errorf("%d connections were lost; the first: %s", len(m.lost), m.lost[0])
	case m.alive != m.connections:
		return fmt.Errorf("%d of %d connections answered in the end", m.alive, m.connections)
	}
	return nil
}

// table prints what was measured.
func (m *measurement) table() string {
	user := m.after.gateways - m.before.gateways
	kernel := m.after.kernel - m.before.kernel
	seconds := m.keeping.Seconds()
	of := func(nanoseconds int64) string {
		return fmt.Sprintf("%.1f %%", 100*time.Duration(nanoseconds).Seconds()/seconds)
	}
	latency := func(list []time.Duration) string {
		return fmt.Sprintf("%s; 99 %%: %s; longest: %s; of %d", report.Duration(report.Percentile(list, 50)),
			report.Duration(report.Percentile(list, 99)), report.Duration(report.Percentile(list, 100)), len(list))
	}
	return report.Table([][]string{
		{"What", "Measured"},
		{"connections", fmt.Sprintf("%s, %d lost", report.Thousands(float64(m.connections)), m.connections-m.alive)},
		{"gateways", fmt.Sprint(m.processes)},
		{"opening them", fmt.Sprintf("%s, %s in a second", report.Duration(m.opening), report.Thousands(float64(m.connections)/m.opening.Seconds()))},
		{"kept for", m.keeping.Round(time.Second).String()},
		{"user memory of the gateways, a connection", perConnection(user, m.connections)},
		{"kernel memory of both ends, a connection", perConnection(kernel, m.connections)},
		{"user memory of the clients, a connection", perConnection(m.after.clients-m.before.clients, m.connections)},
		{"processor time of the gateways, of one processor", of(m.after.gatewaysTime - m.opened.gatewaysTime)},
		{"processor time of the clients, of one processor", of(m.after.clientsTime - m.opened.clientsTime)},
		{"a message and its answer, median", latency(m.asked)},
		{"a push, from the request until it is there, median", latency(m.pushed)},
	})
}
