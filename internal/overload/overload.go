// Package overload keeps a gateway useful when there is more to do than it can:
// it watches how far resources are used up, its pressures, and takes actions,
// each from a pressure of its own on, until the pressure is gone. It is what
// Envoy calls an overload manager.
//
// Package server says which actions there are, and for which pressures.
package overload

import (
	"context"
	"log/slog"
	"maps"
	"math"
	"slices"
	"time"
)

// Pressure is a resource.
type Pressure struct {
	Name string
	// Read tells how far the resource is used up: 0 is not at all, 1 is wholly.
	// It is called by one goroutine, every round, and takes little time.
	Read func() float64
}

// Action is what is done about pressure.
type Action struct {
	Name string
	// From is the pressure from which on the action is taken, by the names of
	// pressures. Others do not matter to it.
	From map[string]float64
	// Set begins the action and ends it; nil does nothing.
	Set func(active bool)
	// Step is called every round while the action is taken; nil does nothing.
	Step func()
}

// relief is by how much each pressure must have fallen below where an action
// began before it ends, so that it does not begin and end all the time.
const relief = 0.05

// Manager watches pressures and takes actions. It is used by one goroutine.
type Manager struct {
	pressures []Pressure
	actions   []Action
	active    []bool // by action
	log       *slog.Logger
}

// New makes a manager. Actions are taken in the order given.
func New(log *slog.Logger, pressures []Pressure, actions []Action) *Manager {
	return &Manager{pressures: pressures, actions: actions, active: make([]bool, len(actions)), log: log}
}

// Run has a round at every interval until ctx ends. Then no action is taken any
// more.
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

// Round reads the pressures and does what they ask for. What begins and ends is
// told in the log, once.
func (m *Manager) Round() {
	now := make(map[string]float64, len(m.pressures))
	for _, p := range m.pressures {
		now[p.Name] = p.Read()
	}
	for i, a := range m.actions {
		most, wanted := 0.0, ""
		for _, name := range slices.Sorted(maps.Keys(a.From)) {
			// How far the pressure is above where the action begins; while it is
			// taken, above where it ends.
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

func (m *Manager) set(i int, active bool) {
	m.active[i] = active
	if set := m.actions[i].Set; set != nil {
		set(active)
	}
}

func (m *Manager) end() {
	for i, active := range m.active {
		if active {
			m.set(i, false)
		}
	}
}
