package dev

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/template"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// application is a template compiled, ready to be put into effect.
type application struct {
	template *template.Application
	plans    []*plan.Stage
	problems []string
}

// apply puts a template into effect: first all of it is built, then it takes
// the place of what ran before. Open connections stay.
func (s *Server) apply(loaded *template.Application) (Application, error) {
	next, err := s.compile(loaded, s.compiler)
	if err != nil {
		return Application{}, err
	}
	if s.database != nil {
		for _, table := range loaded.Tables {
			if err := s.database.EnsureTable(table.CreateTable, table.TimeToLiveAttribute); err != nil {
				return Application{}, fmt.Errorf("table %s: %w", table.Name, err)
			}
		}
	}
	s.keys.Replace(loaded.ApiKeys, loaded.UsagePlans) // what is wrong with them was told
	s.runFunctions(loaded.Functions)
	s.narrator.logs(next.plans)
	for _, p := range next.plans {
		s.gateway.Deploy(p)
	}
	if before := s.running.Load(); before != nil {
		for _, p := range before.plans {
			if !next.has(p) {
				s.gateway.Remove(p.APIID, p.Name)
			}
		}
	}
	mappings := domains(loaded.Domains)
	s.domains.replace(mappings)
	s.gateway.SetDomains(mappings)
	described := s.describeRunning(next)
	s.narrator.name(described.names())
	s.gateway.SetDefault(s.defaultStage(next))
	s.running.Store(next)
	return described, nil
}

// compile makes the plans of all stages, each on a new deployment.
func (p *project) compile(loaded *template.Application, compiler *plan.Compiler) (*application, error) {
	if err := p.config.Handlers.Check(loaded); err != nil {
		return nil, err
	}
	next := &application{template: loaded}
	seen := map[string]bool{}
	for _, a := range loaded.APIs {
		for _, stage := range a.Stages {
			if stage.DeploymentId == "" {
				continue // nothing can connect to it, and a notice says so
			}
			compiled, problems, err := compiler.Compile(&apigw.Deployment{DeploymentId: stage.DeploymentId, API: a.API}, stage)
			if err != nil {
				return nil, err
			}
			next.plans = append(next.plans, compiled)
			for _, problem := range problems {
				if text := a.LogicalID + ": " + problem.String(); !seen[text] {
					seen[text] = true
					next.problems = append(next.problems, text)
				}
			}
		}
	}
	for _, problem := range usage.NewKeys(new(usage.Buckets), usage.NewLedger(nil)).Replace(loaded.ApiKeys, loaded.UsagePlans) {
		next.problems = append(next.problems, problem.Error())
	}
	return next, nil
}

func (a *application) has(p *plan.Stage) bool {
	return slices.ContainsFunc(a.plans, func(other *plan.Stage) bool {
		return other.APIID == p.APIID && other.Name == p.Name
	})
}

func domains(loaded []*apigw.DomainName) map[string][]gateway.Mapping {
	mappings := make(map[string][]gateway.Mapping, len(loaded))
	for _, domain := range loaded {
		name := strings.ToLower(domain.DomainName)
		for _, m := range domain.ApiMappings {
			mappings[name] = append(mappings[name], gateway.Mapping{Key: m.ApiMappingKey, APIID: m.ApiId, Stage: m.Stage})
		}
	}
	return mappings
}

// domainSet holds the custom domain names that are served. It may be read
// while it is replaced.
type domainSet struct {
	names atomic.Pointer[map[string][]gateway.Mapping]
}

func (s *domainSet) replace(names map[string][]gateway.Mapping) { s.names.Store(&names) }

func (s *domainSet) contains(host string) bool {
	names := s.names.Load()
	return names != nil && (*names)[host] != nil
}
