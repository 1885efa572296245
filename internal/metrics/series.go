package metrics

import (
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// Labels are those of a series.
type Labels struct {
	APIID, API, Stage string
	// Route is a route key; empty for all that has no series of its own: the whole stage
	// where detailed metrics are off.
	Route string
}

// Series are the six numbers that API Gateway has of a stage or a route.
type Series struct {
	Labels
	connects, messages                               atomic.Uint64
	events                                           atomic.Uint64 // of all kinds: CloudWatch has a sample for each
	clientErrors, executionErrors, integrationErrors atomic.Uint64
	latency                                          *Histogram
}

// overflow are the labels of the series that counts for all stages and routes beyond
// Options.MostSeries.
var overflow = Labels{APIID: "other", API: "other", Stage: "other"}

// stages has the series. One lives as long as a plan has it, so that a new plan of a
// stage goes on with the numbers of the one before, and a stage that is gone leaves
// nothing.
type stages struct {
	most int

	mu     sync.Mutex
	series map[Labels]weak.Pointer[Series] // guarded by mu
	others *Series                         // guarded by mu; nil: there never were too many
}

const defaultMost = 10_000

func newStages(most int) stages {
	if most == 0 {
		most = defaultMost
	}
	return stages{most: most, series: make(map[Labels]weak.Pointer[Series])}
}

// get returns the series with some labels, a new one where nobody has it.
func (s *stages) get(l Labels) *Series {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry, known := s.series[l]
	if series := entry.Value(); series != nil {
		return series
	}
	if !known && len(s.series) >= s.most {
		if s.others == nil {
			s.others = newSeries(overflow)
		}
		return s.others
	}
	made := newSeries(l)
	s.series[l] = weak.Make(made)
	runtime.AddCleanup(made, s.forget, l)
	return made
}

// forget removes the entry of a series that nobody has, unless there is a new one with its
// labels.
func (s *stages) forget(l Labels) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.series[l].Value() == nil {
		delete(s.series, l)
	}
}

func newSeries(l Labels) *Series { return &Series{Labels: l, latency: NewHistogram()} }

// all returns the series that there are.
func (s *stages) all() []*Series {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Series, 0, len(s.series)+1)
	for _, entry := range s.series {
		if series := entry.Value(); series != nil {
			list = append(list, series)
		}
	}
	if s.others != nil {
		list = append(list, s.others)
	}
	return list
}

// Stage are the series of a stage. A plan keeps it. Nil counts nothing.
type Stage struct {
	metrics  *Metrics
	labels   Labels
	detailed func(routeKey string) bool
	whole    *Series // of events of no route, and of all routes where there are no details

	// Unrouted counts messages for which there is no route; Connect and Disconnect count
	// those events where the API has no such route.
	Unrouted, Connect, Disconnect telemetry.Meter
	post, get, delete             telemetry.Meter
}

// connectionsPath is the end of the route keys of calls of @connections.
const connectionsPath = " /@connections/{connectionId}"

// Stage returns the series of a stage, all of which exist from now on. detailed reports
// for which route keys there are series of their own. Beyond Options.MostSeries, one
// series with the labels "other" counts for all.
func (m *Metrics) Stage(apiID, api, stage string, detailed func(routeKey string) bool) *Stage {
	s := &Stage{metrics: m, labels: Labels{APIID: apiID, API: strings.ToValidUTF8(api, "?"), Stage: stage}, detailed: detailed}
	s.whole = m.stages.get(s.labels)
	s.Unrouted = &meter{series: s.whole}
	s.Connect, s.Disconnect = s.Route("$connect", false), s.Route("$disconnect", false)
	s.post = s.Route(http.MethodPost+connectionsPath, false)
	s.get = s.Route(http.MethodGet+connectionsPath, false)
	s.delete = s.Route(http.MethodDelete+connectionsPath, false)
	return s
}

// Route returns what counts the events of a route. outside says that its backend is an
// HTTP endpoint or an AWS service, and no function: whose failures are
// IntegrationErrors.
func (s *Stage) Route(key string, outside bool) telemetry.Meter {
	series := s.whole
	if s.detailed(key) {
		l := s.labels
		l.Route = strings.ToValidUTF8(key, "?")
		series = s.metrics.stages.get(l)
	}
	return &meter{series: series, outside: outside}
}

// Call returns what counts the calls of @connections with a method; nil for methods
// that it does not have.
func (s *Stage) Call(method string) telemetry.Meter {
	if s == nil {
		return nil
	}
	switch method {
	case http.MethodPost:
		return s.post
	case http.MethodGet:
		return s.get
	case http.MethodDelete:
		return s.delete
	}
	return nil
}
