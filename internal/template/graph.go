package template

import "strings"

// graph holds which names refer to which, with the line of the first reference.
type graph struct {
	edges map[string][]edge
	known map[[2]string]bool
}

type edge struct {
	to   string
	line int
}

func newGraph() *graph {
	return &graph{edges: map[string][]edge{}, known: map[[2]string]bool{}}
}

func (g *graph) add(from, to string, line int) {
	pair := [2]string{from, to}
	if g.known[pair] {
		return
	}
	g.known[pair] = true
	g.edges[from] = append(g.edges[from], edge{to: to, line: line})
}

// cycle is a closed path of references; the first name is also the last.
type cycle struct {
	path []string
	line int // of the reference that closes it
}

func (c cycle) String() string { return strings.Join(c.path, " → ") }

// cycles returns the closed paths, walking from the names in the order given:
// one for each reference that leads back.
func (g *graph) cycles(names []string) []cycle {
	w := walker{graph: g, position: map[string]int{}, done: map[string]bool{}}
	for _, name := range names {
		w.visit(name)
	}
	return w.found
}

// walker is a depth-first walk over a graph.
type walker struct {
	graph    *graph
	path     []string
	position map[string]int // in path
	done     map[string]bool
	found    []cycle
}

func (w *walker) visit(name string) {
	if w.done[name] {
		return
	}
	w.position[name] = len(w.path)
	w.path = append(w.path, name)
	for _, e := range w.graph.edges[name] {
		if start, open := w.position[e.to]; open {
			path := append([]string(nil), w.path[start:]...)
			w.found = append(w.found, cycle{path: append(path, e.to), line: e.line})
			continue
		}
		w.visit(e.to)
	}
	w.path = w.path[:len(w.path)-1]
	delete(w.position, name)
	w.done[name] = true
}
