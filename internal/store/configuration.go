package store

import "github.com/stagedoor/stagedoor/internal/apigw"

// Configuration is the typed side of a Store: a collection for each kind of
// record.
//
// A stage is served as long as its API exists. So removing an API takes one
// write; what it leaves behind has no effect: see DeleteAPI.
type Configuration struct {
	Store Store

	APIs        *Collection[apigw.API]        // by API
	Deployments *Collection[apigw.Deployment] // by API and deployment
	Stages      *Collection[apigw.Stage]      // by API and stage
	DomainNames *Collection[apigw.DomainName] // by domain name
	VpcLinks    *Collection[apigw.VpcLink]    // by VPC link
	ApiKeys     *Collection[apigw.ApiKey]     // by API key's id
	UsagePlans  *Collection[apigw.UsagePlan]  // by usage plan
	Usage       *Collection[apigw.Usage]      // by usage plan and API key's id
	AccessKeys  *Collection[apigw.AccessKey]  // by access key's id
	Account     *Collection[apigw.Account]    // one: AccountID
}

// AccountID is the id of the only record of Configuration.Account.
const AccountID = "settings"

// NewConfiguration returns the typed side of a store. report is called with the
// error of each record that cannot be read, once for each, from any goroutine;
// it may be nil.
func NewConfiguration(s Store, report func(*RecordError)) *Configuration {
	r := &reports{to: report}
	return &Configuration{
		Store: s,
		APIs:  newCollection(s, r, "api", func(a *apigw.API) []string { return []string{a.ApiId} }),
		Deployments: newCollection(s, r, "deployment", func(d *apigw.Deployment) []string {
			if d.API == nil {
				return []string{"", d.DeploymentId} // of no API
			}
			return []string{d.API.ApiId, d.DeploymentId}
		}),
		Stages:      newCollection(s, r, "stage", func(s *apigw.Stage) []string { return []string{s.ApiId, s.StageName} }),
		DomainNames: newCollection(s, r, "domain", func(d *apigw.DomainName) []string { return []string{d.DomainName} }),
		VpcLinks:    newCollection(s, r, "vpclink", func(l *apigw.VpcLink) []string { return []string{l.VpcLinkId} }),
		ApiKeys:     newCollection(s, r, "apikey", func(k *apigw.ApiKey) []string { return []string{k.Id} }),
		UsagePlans:  newCollection(s, r, "usageplan", func(p *apigw.UsagePlan) []string { return []string{p.Id} }),
		Usage:       newCollection(s, r, "usage", func(u *apigw.Usage) []string { return []string{u.UsagePlanId, u.KeyId} }),
		AccessKeys:  newCollection(s, r, "accesskey", func(k *apigw.AccessKey) []string { return []string{k.AccessKeyId} }),
		Account:     newCollection(s, r, "account", func(*apigw.Account) []string { return []string{AccountID} }),
	}
}
