package template

import (
	"encoding/hex"
	"strconv"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/spelling"
)

var apiKeySchema = []property{
	{name: "CustomerId", form: textForm},
	{name: "Description", form: textForm},
	{name: "Enabled", form: booleanForm},
	{name: "GenerateDistinctId", form: booleanForm},
	{name: "Name", form: textForm},
	{name: "StageKeys", form: listForm, kept: true},
	{name: "Tags", form: listForm},
	{name: "Value", form: textForm, min: 20, max: 128},
}

var usagePlanSchema = []property{
	{name: "ApiStages", form: listForm},
	{name: "Description", form: textForm},
	{name: "Quota", form: objectForm},
	{name: "Tags", form: listForm},
	{name: "Throttle", form: objectForm},
	{name: "UsagePlanName", form: textForm},
}

var planStageSchema = []property{
	{name: "ApiId", form: textForm, required: true},
	{name: "Stage", form: textForm, required: true},
	{name: "Throttle", form: objectForm},
}

var quotaSchema = []property{
	{name: "Limit", form: integerForm},
	{name: "Offset", form: integerForm, max: 27},
	{name: "Period", form: textForm, oneOf: []string{"DAY", "WEEK", "MONTH"}},
}

var throttleSchema = []property{
	{name: "BurstLimit", form: integerForm},
	{name: "RateLimit", form: decimalForm},
}

var usagePlanKeySchema = []property{
	{name: "KeyId", form: textForm, required: true},
	{name: "KeyType", form: textForm, required: true, oneOf: []string{"API_KEY"}},
	{name: "UsagePlanId", form: textForm, required: true},
}

// apiKey makes an API key. As in CloudFormation, it is disabled unless the
// template enables it.
func (b *builder) apiKey(res *resource) {
	p := b.read(res, apiKeySchema)
	key := &apigw.ApiKey{
		Id: b.id(res, 10), Name: p.text("Name"), Value: p.text("Value"), CustomerId: p.text("CustomerId"),
		Description: p.text("Description"), Enabled: p.boolean("Enabled"),
	}
	if !p.has("Value") {
		hash := b.stack.hash(res.id)
		key.Value = hex.EncodeToString(hash[:20])
		b.app.ValuelessKeys[key.Id] = true
		p.ignore(res.line, "Value", "the key has no Value; here it is "+key.Value)
	}
	b.app.ApiKeys = append(b.app.ApiKeys, key)
}

func (b *builder) usagePlan(res *resource) {
	p := b.read(res, usagePlanSchema)
	plan := &apigw.UsagePlan{
		Id: b.id(res, 6), Name: p.text("UsagePlanName"), Description: p.text("Description"), Throttle: throttle(p, "Throttle", p.values["Throttle"]),
	}
	if p.isKnown("Quota") {
		q := p.nested("Quota", p.values["Quota"], quotaSchema)
		plan.Quota = &apigw.Quota{Limit: q.integer("Limit"), Offset: q.integer("Offset"), Period: q.text("Period")}
		if !q.has("Period") {
			p.wrong("Quota", "a Quota needs a Period: DAY, WEEK or MONTH")
		}
	}
	if p.isKnown("ApiStages") {
		for i, item := range p.values["ApiStages"].items {
			b.planStage(p, plan, "ApiStages["+strconv.Itoa(i)+"]", item)
		}
	}
	b.plans[plan.Id] = plan
	b.app.UsagePlans = append(b.app.UsagePlans, plan)
}

// planStage adds a stage to a plan. It may be the stage of an API that is not
// in the template.
func (b *builder) planStage(p *properties, plan *apigw.UsagePlan, path string, v *value) {
	s := p.nested(path, v, planStageSchema)
	if !s.isKnown("ApiId") || !s.isKnown("Stage") {
		return
	}
	stage := &apigw.PlanStage{ApiId: s.text("ApiId"), Stage: s.text("Stage")}
	if api := b.apis[stage.ApiId]; api != nil && api.stages[stage.Stage] == nil {
		p.wrong("ApiStages", "%s: Stage %q is no stage of the API %s%s", path, stage.Stage, api.res.id, spelling.Hint(stage.Stage, sortedKeys(api.stages)))
	}
	if s.isKnown("Throttle") {
		for _, m := range s.values["Throttle"].members {
			if stage.Throttle == nil {
				stage.Throttle = map[string]*apigw.Throttle{}
			}
			stage.Throttle[m.key] = throttle(p, path+".Throttle."+m.key, m.value)
		}
	}
	plan.ApiStages = append(plan.ApiStages, stage)
}

func throttle(p *properties, path string, v *value) *apigw.Throttle {
	if v == nil || v.kind == unknown {
		return nil
	}
	t := p.nested(path, v, throttleSchema)
	rate, err := strconv.ParseFloat(t.text("RateLimit"), 64)
	if err != nil {
		rate = 0 // reported
	}
	return &apigw.Throttle{RateLimit: rate, BurstLimit: t.integer("BurstLimit")}
}

func (b *builder) usagePlanKey(res *resource) {
	p := b.read(res, usagePlanKeySchema)
	if !p.isKnown("UsagePlanId") || !p.isKnown("KeyId") {
		return
	}
	plan := b.plans[p.text("UsagePlanId")]
	if plan == nil {
		p.wrong("UsagePlanId", "UsagePlanId %q is no usage plan of this template", p.text("UsagePlanId"))
		return
	}
	plan.KeyIds = append(plan.KeyIds, p.text("KeyId"))
}
