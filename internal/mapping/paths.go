package mapping

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/stagedoor/stagedoor/internal/jsonpath"
)

// maxPaths is how many compiled paths are kept. Templates have a few; one that
// makes paths out of messages compiles the rest each time.
const maxPaths = 256

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
	path, err := jsonpath.Compile(source)
	if err != nil {
		return nil, err
	}
	c.keep(source, path)
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
