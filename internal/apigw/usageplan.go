package apigw

import "time"

// ApiKey identifies a client that usage plans limit.
type ApiKey struct {
	Id              string
	Value           string // what clients send
	Name            string `json:",omitempty"`
	CustomerId      string `json:",omitempty"`
	Description     string `json:",omitempty"`
	Enabled         bool
	StageKeys       []string          `json:",omitempty"` // "{apiId}/{stage}"
	Tags            map[string]string `json:",omitempty"`
	CreatedDate     time.Time
	LastUpdatedDate time.Time
}

// UsagePlan is the aggregate of what the owners of some API keys may use.
type UsagePlan struct {
	Id          string
	Name        string
	Description string            `json:",omitempty"`
	ProductCode string            `json:",omitempty"`
	ApiStages   []*PlanStage      `json:",omitempty"`
	Throttle    *Throttle         `json:",omitempty"`
	Quota       *Quota            `json:",omitempty"`
	KeyIds      []string          `json:",omitempty"` // the plan's API keys
	Tags        map[string]string `json:",omitempty"`
}

// PlanStage is a stage that the API keys of a usage plan may use.
type PlanStage struct {
	ApiId    string
	Stage    string
	Throttle map[string]*Throttle `json:",omitempty"` // by route key
}

// Throttle is a rate in requests per second, with a burst.
type Throttle struct {
	RateLimit  float64
	BurstLimit int
}

// Quota is a number of requests per period.
type Quota struct {
	Limit  int
	Offset int    `json:",omitempty"` // day on which a period begins: 0 to 6 for WEEK, from Sunday; 0 to 27 for MONTH
	Period string // DAY, WEEK or MONTH
}

// Usage counts what an API key used of a usage plan. Days are written
// 2006-01-02, in UTC.
type Usage struct {
	UsagePlanId string
	KeyId       string
	Used        map[string]int64 `json:",omitempty"` // requests, by day
	// Granted is what an operator added to the quota, by the first day of its period.
	Granted map[string]int64 `json:",omitempty"`
}
