package dev

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/backends"
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

// load reads the template.
func (d *dev) load() (*template.Application, error) {
	return d.source.Load(d.templateOptions())
}

func (d *dev) templateOptions() template.Options {
	return template.Options{
		Parameters: d.config.Parameters, Imports: d.config.Imports, Region: d.config.Region, AccountID: d.config.AccountID, StackName: d.stackName(),
		Provided: d.config.Handlers.Provides,
	}
}

// apply puts a template into effect: first all of it is built, then it takes
// the place of what ran before. Open connections stay.
func (d *dev) apply(loaded *template.Application) (Application, error) {
	next, err := d.compile(loaded)
	if err != nil {
		return Application{}, err
	}
	if d.database != nil {
		for _, table := range loaded.Tables {
			if err := d.database.EnsureTable(table.CreateTable, table.TimeToLiveAttribute); err != nil {
				return Application{}, fmt.Errorf("table %s: %w", table.Name, err)
			}
		}
	}
	d.keys.Replace(loaded.ApiKeys, loaded.UsagePlans) // what is wrong with them was told
	handlers := d.config.Handlers
	processes := backends.Runnable(d.router.follow(handlers.Others(loaded.Functions)), d.config.CacheDir)
	d.functions.Update(append(handlers.Functions(loaded.Functions), processes...))
	for _, p := range next.plans {
		d.gateway.Deploy(p)
	}
	if before := d.running.Load(); before != nil {
		for _, p := range before.plans {
			if !next.has(p) {
				d.gateway.Remove(p.APIID, p.Name)
			}
		}
	}
	mappings := domains(loaded.Domains)
	d.domains.replace(mappings)
	d.gateway.SetDomains(mappings)
	described := d.describe(next)
	d.narrator.name(described.names())
	d.gateway.SetDefault(d.defaultStage(next))
	d.running.Store(next)
	return described, nil
}

// compile makes the plans of all stages, each on a new deployment.
func (d *dev) compile(loaded *template.Application) (*application, error) {
	if err := d.config.Handlers.Check(loaded); err != nil {
		return nil, err
	}
	next := &application{template: loaded}
	seen := map[string]bool{}
	for _, a := range loaded.APIs {
		for _, s := range a.Stages {
			if s.DeploymentId == "" {
				continue // nothing can connect to it, and a notice says so
			}
			p, problems, err := d.compiler.Compile(&apigw.Deployment{DeploymentId: s.DeploymentId, API: a.API}, s)
			if err != nil {
				return nil, err
			}
			next.plans = append(next.plans, p)
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
