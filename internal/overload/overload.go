// Package overload keeps a gateway working when it is asked for more than it can
// do. It watches pressures, which say how far resources are used up, and takes
// actions against them: each begins at a pressure of its own, and ends when the
// pressure has fallen. Envoy calls this an overload manager.
//
// Package server decides which actions there are, and for which pressures.
package overload

import (
	"context"
	"log/slog"
	"maps"
	"math"
	"slices"
	"time"
)

// Pressure is a resource that may run out.
type Pressure struct {
	Name string
	// Read returns how far the resource is used up: 0 is not at all, 1 wholly. It
	// is called by one goroutine, once a round, and must take little time.
	Read func() float64
}

// Action is something that is done against pressures.
type Action struct {
	Name string
	// From is where the action begins, by the name of a pressure: at this value
	// of any of them. Pressures that are not in it do not count.
	From map[string]float64
	// Set is called with true when the action begins, and with false when it
	// ends. It may be nil.
	Set func(active bool)
	// Step is called once a round while the action lasts. It may be nil.
	Step func()
}

// relief is how far below Action.From each pressure must have fallen before an
// action ends. Without it, an action could begin and end in every other round.
const relief = 0.05

// Manager watches pressures and takes actions. It is used by one goroutine.
type Manager struct {
	pressures []Pressure
	actions   []Action
	active    []bool // whether the action of the same index is taken
	log       *slog.Logger
}

// New makes a manager. Actions are taken in the order given.
func New(log *slog.Logger, pressures []Pressure, actions []Action) *Manager {
	return &Manager{pressures: pressures, actions: actions, active: make([]bool, len(actions)), log: log}
}

// Run calls Round at every interval until ctx ends, and then ends all actions.
func (m *Manager) Run(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	defer m.end()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			m.Round()
		}
	}
}

// Round reads all pressures, and begins and ends actions accordingly. It logs each
// beginning and each end.
func (m *Manager) Round() {
	now := make(map[string]float64, len(m.pressures))
	for _, p := range m.pressures {
		now[p.Name] = p.Read()
	}
	for i, a := range m.actions {
		most, wanted := 0.0, ""
		for _, name := range slices.Sorted(maps.Keys(a.From)) {
			// How far the pressure is above the value at which the action begins
			// or, while it lasts, ends.
			above := now[name] - a.From[name]
			if m.active[i] {
				above += relief
			}
			if above >= most {
				most, wanted = above, name
			}
		}
		if active := wanted != ""; active != m.active[i] {
			if active {
				m.log.Warn("overloaded: "+a.Name, "pressure", wanted, "percent", math.Round(100*now[wanted]))
			} else {
				m.log.Info("no longer overloaded: ended: " + a.Name)
			}
			m.set(i, active)
		}
		if m.active[i] && a.Step != nil {
			a.Step()
		}
	}
}

// set begins or ends the action of an index.
func (m *Manager) set(i int, active bool) {
	m.active[i] = active
	if set := m.actions[i].Set; set != nil {
		set(active)
	}
}

// end ends all actions.
func (m *Manager) end() {
	for i, active := range m.active {
		if active {
			m.set(i, false)
		}
	}
}
