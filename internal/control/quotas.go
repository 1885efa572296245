package control

import (
	"fmt"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// Quotas are how many there may be of each resource. 0 stands for AWS's own
// quota, which the comments have.
type Quotas struct {
	APIs                 int // of an account: 600
	Routes               int // of an API: 300
	Integrations         int // of an API: 300
	IntegrationResponses int // of an integration: 300
	Models               int // of an API: 300
	Authorizers          int // of an API: 10
	Stages               int // of an API: 10
	Deployments          int // of an API: 300
	Tags                 int // of a resource: 50
	StageVariables       int // of a stage: 100
	DomainNames          int // of an account: 120
	APIMappings          int // of a domain name: 200
	VPCLinks             int // of an account: 20
	APIKeys              int // of an account: 10000
	UsagePlans           int // of an account: 300
}

func (q Quotas) withDefaults() Quotas {
	for _, quota := range []struct {
		of  *int
		aws int
	}{
		{&q.APIs, 600}, {&q.Routes, 300}, {&q.Integrations, 300}, {&q.IntegrationResponses, 300}, {&q.Models, 300},
		{&q.Authorizers, 10}, {&q.Stages, 10}, {&q.Deployments, 300}, {&q.Tags, 50}, {&q.StageVariables, 100},
		{&q.DomainNames, 120}, {&q.APIMappings, 200}, {&q.VPCLinks, 20}, {&q.APIKeys, 10000}, {&q.UsagePlans, 300},
	} {
		if *quota.of == 0 {
			*quota.of = quota.aws
		}
	}
	return q
}

// checkQuota returns an error where an owner ("API", "Integration") has as many
// of a resource as it may have. what is the resource's plural, "Routes".
func checkQuota(have, quota int, what, owner string) error {
	if have < quota {
		return nil
	}
	return apigw.TooMany(what, fmt.Sprintf("Maximum number of %s for this %s has been reached. Please contact AWS if you need additional %s.", what, owner, what))
}
