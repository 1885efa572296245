package mapping

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/stagedoor/stagedoor/internal/jsonpath"
)

const (
	// maxPaths is how many compiled paths are kept. Templates have a few; one
	// that makes paths out of messages compiles the rest each time.
	maxPaths = 256
	// maxKeptPath is the longest path that is kept, in bytes.
	maxKeptPath = 256
)

// pathCache keeps the paths that the templates of an integration ask for.
// Readers take no lock.
type pathCache struct {
	mu    sync.Mutex // guards against two writers
	paths atomic.Pointer[map[string]*jsonpath.Path]
}

func newPathCache() *pathCache {
	c := new(pathCache)
	c.paths.Store(new(map[string]*jsonpath.Path))
	return c
}

func (c *pathCache) compile(source string) (*jsonpath.Path, error) {
	if path, ok := (*c.paths.Load())[source]; ok {
		return path, nil
	}
	if len(source) <= maxKeptPath {
		source = strings.Clone(source) // it may be a part of a message
	}
	path, err := jsonpath.Compile(source)
	if err != nil {
		return nil, err
	}
	if len(source) <= maxKeptPath {
		c.keep(source, path)
	}
	return path, nil
}

func (c *pathCache) keep(source string, path *jsonpath.Path) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := *c.paths.Load()
	if len(old) >= maxPaths {
		return
	}
	paths := make(map[string]*jsonpath.Path, len(old)+1)
	maps.Copy(paths, old)
	paths[source] = path
	c.paths.Store(&paths)
}
