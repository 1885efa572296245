package dev

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/template"
)

// describe says what an application has, for whoever looks at the terminal. before
// is what was in effect until now, nil for nothing.
func (p *project) describe(a, before *application) Application {
	described := Application{
		Template: p.source.Name(),
		Note:     p.source.Note,
		AtRoot:   p.defaultStage(a) != nil,
		Notices:  p.notices(a.template),
		Problems: a.problems,
		Warnings: sharedPaths(a, before),
	}
	for _, w := range a.template.Warnings {
		described.Warnings = append(described.Warnings, fmt.Sprintf("line %d  %s %s: %s", w.Line, w.LogicalID, w.Property, w.Message))
	}
	for _, f := range a.template.Functions {
		id := f.LogicalID
		if p.isShort() {
			id = f.Name // the other one is written nowhere
		}
		described.Functions = append(described.Functions, Resource{id, f.Name})
	}
	for _, loaded := range a.template.APIs {
		described.APIs = append(described.APIs, describeAPI(loaded, described.names()))
	}
	return described
}

// describeRunning says also where an application is reached, and what runs for it.
func (s *Server) describeRunning(a *application) Application {
	described := s.describe(a, s.running.Load())
	if s.database != nil {
		for _, table := range a.template.Tables {
			described.Tables = append(described.Tables, Resource{table.LogicalID, table.Name})
		}
	}
	for i, loaded := range a.template.APIs {
		for _, stage := range loaded.Stages {
			if stage.DeploymentId != "" {
				described.APIs[i].URLs = append(described.APIs[i].URLs, s.connectURL(a, loaded.API.ApiId, stage.StageName))
			}
		}
	}
	return described
}

// describeAPI says which stages and routes an API has. Functions are called as
// names says.
func describeAPI(loaded *template.API, names map[string]string) API {
	api := API{ID: loaded.API.ApiId, Name: loaded.API.Name}
	for _, stage := range loaded.Stages {
		api.Stages = append(api.Stages, stage.StageName)
	}
	for _, r := range loaded.API.Routes {
		api.Routes = append(api.Routes, Route{
			Key:    r.RouteKey,
			Target: describeTarget(loaded.API.Integration(strings.TrimPrefix(r.Target, "integrations/")), names),
			TwoWay: len(r.RouteResponses) > 0,
		})
	}
	slices.SortFunc(api.Routes, compareRoutes)
	return api
}

// notices are those of a template, but for why a function cannot run here that
// is called elsewhere.
func (p *project) notices(loaded *template.Application) []Notice {
	elsewhere := map[string]bool{} // by logical id
	for _, f := range loaded.Functions {
		elsewhere[f.LogicalID] = p.config.FunctionEndpoints[f.LogicalID] != "" || p.config.FunctionEndpoints[f.Name] != ""
	}
	return slices.DeleteFunc(slices.Clone(loaded.Ignored), func(n Notice) bool {
		return elsewhere[n.LogicalID] && (n.Property == "Runtime" || n.Property == "Code")
	})
}

// names are the logical ids of the functions, by name.
func (a Application) names() map[string]string {
	names := make(map[string]string, len(a.Functions))
	for _, f := range a.Functions {
		names[f.Name] = f.LogicalID
	}
	return names
}

// connectURL is where clients connect to a stage: the short form, unless another
// API has a stage of the same name. In front of one backend there are no stages.
func (s *Server) connectURL(a *application, apiID, stage string) string {
	base := strings.Replace(s.public.URL(), "http", "ws", 1)
	if s.source.URL != "" {
		return base + "/"
	}
	if len(a.withStage(stage)) > 1 {
		return base + "/_aws/execute-api/" + apiID + "/" + url.PathEscape(stage)
	}
	return base + "/" + url.PathEscape(stage)
}

// connectURLs are the URLs of all stages that are in effect.
func (s *Server) connectURLs() (urls []string) {
	running := s.running.Load()
	if running == nil {
		return nil
	}
	for _, p := range running.plans {
		urls = append(urls, s.connectURL(running, p.APIID, p.Name))
	}
	return urls
}

// withStage are the names of the APIs that have a stage which can be connected to.
func (a *application) withStage(name string) (apis []string) {
	for _, loaded := range a.template.APIs {
		if slices.ContainsFunc(a.plans, func(p *plan.Stage) bool { return p.APIID == loaded.API.ApiId && p.Name == name }) {
			apis = append(apis, loaded.API.Name)
		}
	}
	return apis
}

// sharedPaths warns of short URLs that mean several APIs, and above all of those
// that worked with the application before, if there was one.
func sharedPaths(a, before *application) (warnings []string) {
	seen := map[string]bool{}
	for _, p := range a.plans {
		apis := a.withStage(p.Name)
		if len(apis) < 2 || seen[p.Name] {
			continue
		}
		seen[p.Name] = true
		text := fmt.Sprintf("/%s is a stage of several APIs (%s): the short URL answers 403; use the longer ones", p.Name, strings.Join(apis, ", "))
		if before != nil && len(before.withStage(p.Name)) == 1 {
			text = fmt.Sprintf("/%s worked until now and answers 403: several APIs (%s) have a stage of this name; use the longer URLs", p.Name, strings.Join(apis, ", "))
		}
		warnings = append(warnings, text)
	}
	return warnings
}

// compareRoutes puts $connect first, then the custom keys, $default and
// $disconnect: the order of a connection's life.
func compareRoutes(a, b Route) int {
	rank := map[string]int{"$connect": -1, "$default": 1, "$disconnect": 2}
	if rank[a.Key] != rank[b.Key] {
		return rank[a.Key] - rank[b.Key]
	}
	return strings.Compare(a.Key, b.Key)
}

// describeTarget says what an integration calls. Functions are called as names
// says.
func describeTarget(i *apigw.Integration, names map[string]string) string {
	if i == nil {
		return ""
	}
	switch i.Type().Calls {
	case apigw.NoBackend:
		return "mock"
	case apigw.AWSBackend:
		return describeService(i.IntegrationUri, names)
	default:
		return strings.TrimSpace(i.IntegrationMethod + " " + i.IntegrationUri)
	}
}

// describeService names a function, or what a service is asked for:
// "dynamodb PutItem".
func describeService(uri string, names map[string]string) string {
	if function, ok := apigw.FunctionOfURI(uri); ok || apigw.IsFunctionARN(uri) {
		name := apigw.QualifiedFunctionName(cmp.Or(function, uri))
		return "function " + cmp.Or(names[name], name)
	}
	u, err := awsservice.ParseURI(uri)
	if err != nil {
		return uri
	}
	return u.Service + " " + u.Action + u.Path
}
