package plan

import (
	"runtime"
	"slices"
	"sync"
	"weak"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/model"
)

// modelSets keeps the compiled models of the plans that are in use, for the
// next plan of the same API: most changes leave the models as they are, and
// compiling them is the larger part of making a plan.
type modelSets struct {
	mu    sync.Mutex
	byAPI map[string]modelSet // guarded by mu
}

// modelSet is the compiled models of an API. The pointer is weak: plans keep
// them alive.
type modelSet struct {
	models []*apigw.Model
	set    weak.Pointer[model.Set]
}

// compile compiles the models of an API, or finds them compiled.
func (s *modelSets) compile(apiID string, models []*apigw.Model) *model.Set {
	s.mu.Lock()
	known := s.byAPI[apiID]
	s.mu.Unlock()
	if set := known.set.Value(); set != nil && slices.EqualFunc(known.models, models, sameModel) {
		return set
	}
	set := model.Compile(apiID, models)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byAPI == nil {
		s.byAPI = map[string]modelSet{}
	}
	s.byAPI[apiID] = modelSet{models, weak.Make(set)}
	runtime.AddCleanup(set, s.forget, apiID)
	return set
}

// forget lets go of the models of an API that no plan uses any more.
func (s *modelSets) forget(apiID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byAPI[apiID].set.Value() == nil {
		delete(s.byAPI, apiID)
	}
}

func sameModel(a, b *apigw.Model) bool { return a == b || a.Name == b.Name && a.Schema == b.Schema }
