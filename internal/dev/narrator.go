package dev

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/telemetry"
)

const (
	// refusalsTold is how many refused URLs are told of in refusalPeriod: a
	// scanner must not push everything else off the terminal.
	refusalsTold  = 10
	refusalPeriod = 10 * time.Second
)

// narrator hands the gateway's records on to a Reporter, with what helps a
// developer at the first time that something happens.
type narrator struct {
	reporter Reporter
	urls     func() []string // where clients connect
	// deliberate: routes that do not answer are written so, with answer: false.
	deliberate bool

	sideBySide atomic.Bool // it was told that messages of a connection run side by side

	mu         sync.Mutex
	silent     map[string]bool   // guarded by mu: routes whose answers were told to go to nobody
	period     time.Time         // guarded by mu: when the refusals began to be counted
	refusals   int               // guarded by mu: since then
	functionOf map[string]string // guarded by mu: what to call functions, by name
	accessLogs doubtful          // guarded by mu
}

func newNarrator(reporter Reporter, urls func() []string) *narrator {
	return &narrator{reporter: reporter, urls: urls, silent: map[string]bool{}, accessLogs: doubtful{}}
}

// Record implements telemetry.Recorder.
func (n *narrator) Record(e *Record) {
	switch e.Event {
	case telemetry.EventRefused:
		n.refused(e)
		return
	case telemetry.EventMessage, telemetry.EventConnect, telemetry.EventDisconnect:
		if warnings := n.warnings(e); len(warnings) > 0 {
			more := *e
			more.Warnings = append(more.Warnings[:len(more.Warnings):len(more.Warnings)], warnings...)
			e = &more
		}
	}
	n.reporter.Record(e)
}

// logs takes the access logs of new plans.
func (n *narrator) logs(plans []*plan.Stage) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.accessLogs.add(plans)
}

// ofAccessLog is what the first event of a stage shows of its access log; empty for
// others.
func (n *narrator) ofAccessLog(e *Record) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.accessLogs.warning(e)
}

// warnings are what an event shows for the first time.
func (n *narrator) warnings(e *Record) (list []string) {
	if warning := n.ofAccessLog(e); warning != "" {
		list = append(list, warning)
	}
	if e.Unanswered > 0 && !n.deliberate && n.first(e.APIID+" "+e.RouteKey) {
		list = append(list, fmt.Sprintf("%d B of the answer go to nobody: the route has no RouteResponse", e.Unanswered))
	}
	if e.SideBySide && !n.sideBySide.Swap(true) {
		list = append(list, "messages of one connection may overtake each other, as at AWS", "the tag stagedoor:ordered: true keeps their order")
	}
	return list
}

// first reports whether it is called with a route for the first time.
func (n *narrator) first(route string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	told := n.silent[route]
	n.silent[route] = true
	return !told
}

// refused tells of a URL that leads nowhere, with those that lead somewhere.
func (n *narrator) refused(e *Record) {
	told := n.countRefusal(e.Time)
	if told > refusalsTold {
		return
	}
	more := *e
	if e.Refused.Result == apigw.ErrForbidden.Type { // the URL itself, not who asked by it
		more.Error += "; " + whereTo(n.urls())
	}
	if told == refusalsTold {
		more.Warnings = []string{fmt.Sprintf("more URLs that are refused in these %d seconds are not shown", refusalPeriod/time.Second)}
	}
	n.reporter.Record(&more)
}

// countRefusal is how many refusals there have been in this period.
func (n *narrator) countRefusal(now time.Time) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now.Sub(n.period) >= refusalPeriod {
		n.period, n.refusals = now, 0
	}
	n.refusals++
	return n.refusals
}

// whereTo says where there is something: "there is ws://…/dev".
func whereTo(urls []string) string {
	const shown = 3
	switch {
	case len(urls) == 0:
		return "the template has no stage to connect to"
	case len(urls) == 1:
		return "there is " + urls[0]
	case len(urls) > shown:
		return fmt.Sprintf("there are %s and %d more", strings.Join(urls[:shown], ", "), len(urls)-shown)
	}
	last := len(urls) - 1
	return "there are " + strings.Join(urls[:last], ", ") + " and " + urls[last]
}

// name sets what functions are called, by their names in AWS.
func (n *narrator) name(functions map[string]string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.functionOf = functions
}

// Output hands a line of a function on, under the name that the developer knows.
func (n *narrator) Output(l LogLine) {
	n.mu.Lock()
	if name := n.functionOf[l.Function]; name != "" {
		l.Function = name
	}
	n.mu.Unlock()
	n.reporter.Output(l)
}
