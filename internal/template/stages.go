package template

import (
	"strconv"

	"github.com/stagedoor/stagedoor/internal/accesslog"
	"github.com/stagedoor/stagedoor/internal/apigw"
)

// deployment records a deployment. Its snapshot is the API as the template
// describes it. If it has a StageName, it is deployed on that stage.
func (b *builder) deployment(res *resource) {
	api, p := b.below(res, deploymentSchema)
	if api == nil {
		return
	}
	id := b.id(res, 6)
	api.deployments[id] = true
	if name := p.text("StageName"); name != "" {
		api.repoint[name] = stageDeployment{deployment: id, properties: p}
	}
	if len(api.Routes) == 0 {
		p.wrong("ApiId", "At least one route is required before deploying the Api")
	}
}

// stageDeployment is a deployment that names the stage on which it is deployed.
type stageDeployment struct {
	deployment string
	properties *properties
}

func (b *builder) stage(res *resource) {
	api, p := b.below(res, stageSchema)
	if api == nil {
		return
	}
	name := p.text("StageName")
	switch {
	case name != "" && !stageName.MatchString(name):
		p.wrong("StageName", "StageName has letters, digits, hyphens and underscores only, not %q", name)
	case name != "" && api.stages[name] != nil:
		p.wrong("StageName", "the API has a stage %s already, on line %d", name, api.stages[name].res.line)
		return
	}
	if name == "$default" {
		p.warn(Notice{Line: p.lines["StageName"], LogicalID: res.id, Type: res.typ, Property: "StageName", Message: apigw.WarningDefaultStage})
	}
	checkTags(p)
	checkStageVariables(p)
	stage := &apigw.Stage{
		ApiId:                api.ApiId,
		StageName:            name,
		DeploymentId:         b.deployed(api, p),
		AutoDeploy:           p.optionalBoolean("AutoDeploy"),
		Description:          p.text("Description"),
		ClientCertificateId:  p.text("ClientCertificateId"),
		StageVariables:       p.textMap("StageVariables"),
		Tags:                 p.textMap("Tags"),
		DefaultRouteSettings: routeSettings(p, "DefaultRouteSettings", p.values["DefaultRouteSettings"]),
		RouteSettings:        routeSettingsByKey(p),
		AccessLogSettings:    accessLogSettings(p),
	}
	if stage.DeploymentId == "" {
		p.ignore(res.line, "DeploymentId", "the stage has neither DeploymentId nor AutoDeploy: nothing is deployed on it")
	}
	api.stages[name] = &builtStage{Stage: stage, res: res}
	api.built.Stages = append(api.built.Stages, stage)
}

// deployed returns the id of the deployment on a stage; a stage with AutoDeploy
// gets deployments of its own.
func (b *builder) deployed(api *apiBuilder, p *properties) string {
	id := p.text("DeploymentId")
	repointed := api.repoint[p.text("StageName")]
	if id != "" && !api.deployments[id] {
		p.wrong("DeploymentId", "DeploymentId %q is no deployment of the API %s", id, api.res.id)
	}
	switch {
	case p.boolean("AutoDeploy"): // whatever DeploymentId it has
		return b.stack.id(p.res.id+".AutoDeploy", 6)
	case p.has("DeploymentId"):
		return id
	}
	return repointed.deployment
}

func checkStageVariables(p *properties) {
	if !p.isKnown("StageVariables") {
		return
	}
	variables := p.values["StageVariables"].members
	if len(variables) > 100 {
		p.wrong("StageVariables", "StageVariables has %d entries; at most 100 are allowed", len(variables))
	}
	for _, m := range variables {
		if !stageVariable.MatchString(m.key) {
			p.problem(m.line, p.res.id, "the name of the stage variable %q must have 1 to 64 letters, digits and underscores", m.key)
		}
		if m.value.isScalar() && !variableValue.MatchString(m.value.text) {
			p.problem(m.line, p.res.id, "the value of the stage variable %s must have 1 to 512 characters A-Z a-z 0-9 - . _ ~ : / ? # & = ,", m.key)
		}
	}
}

func routeSettings(p *properties, path string, v *value) *apigw.RouteSettings {
	if v == nil {
		return nil
	}
	s := p.nested(path, v, routeSettingsSchema)
	rate, err := strconv.ParseFloat(s.text("ThrottlingRateLimit"), 64)
	if err != nil {
		rate = 0
	}
	return &apigw.RouteSettings{
		DataTraceEnabled:       s.optionalBoolean("DataTraceEnabled"),
		DetailedMetricsEnabled: s.optionalBoolean("DetailedMetricsEnabled"),
		LoggingLevel:           s.text("LoggingLevel"),
		ThrottlingBurstLimit:   s.integer("ThrottlingBurstLimit"),
		ThrottlingRateLimit:    rate,
	}
}

func routeSettingsByKey(p *properties) map[string]*apigw.RouteSettings {
	if !p.isKnown("RouteSettings") || len(p.values["RouteSettings"].members) == 0 {
		return nil
	}
	settings := map[string]*apigw.RouteSettings{}
	for _, m := range p.values["RouteSettings"].members {
		settings[m.key] = routeSettings(p, "RouteSettings."+m.key, m.value)
	}
	return settings
}

// accessLogSettings reads the settings of access logs, and checks them as the control
// plane does, as far as they are known.
func accessLogSettings(p *properties) *apigw.AccessLogSettings {
	if !p.isKnown("AccessLogSettings") {
		return nil
	}
	s := p.nested("AccessLogSettings", p.values["AccessLogSettings"], accessLogSchema)
	settings := &apigw.AccessLogSettings{DestinationArn: s.text("DestinationArn"), Format: s.text("Format")}
	known := s.isKnown("DestinationArn") && s.isKnown("Format")
	switch {
	case !s.has("DestinationArn") || !s.has("Format") || known && (settings.DestinationArn == "" || settings.Format == ""):
		p.wrong("AccessLogSettings", "%v", accesslog.Check(new(apigw.AccessLogSettings)))
		return settings
	case s.isKnown("DestinationArn"):
		s.refuse("AccessLogSettings.DestinationArn", accesslog.CheckDestination(settings.DestinationArn))
	}
	if s.isKnown("Format") {
		const format = "AccessLogSettings.Format"
		s.refuse(format, accesslog.CheckFormat(settings.Format))
		for _, warning := range accesslog.Warnings(settings.Format) {
			s.warn(Notice{Line: s.lines[format], LogicalID: p.res.id, Type: p.res.typ, Property: format, Message: warning})
		}
	}
	return settings
}

// refuse reports what is wrong with a property; nil reports nothing.
func (p *properties) refuse(name string, err error) {
	if err != nil {
		p.wrong(name, "%v", err)
	}
}

// finishAPIs checks what can be checked only when all parts of an API are
// known.
func (b *builder) finishAPIs() {
	for _, built := range b.app.APIs {
		api := b.apis[built.API.ApiId]
		b.checkModels(api)
		for _, name := range sortedKeys(api.repoint) {
			if api.stages[name] == nil {
				api.repoint[name].properties.wrong("StageName", "StageName %q is no stage of the API %s", name, api.res.id)
			}
		}
		quotas := []struct {
			what  string
			n, at int
		}{
			{"routes", len(api.Routes), maxRoutes},
			{"integrations", len(api.Integrations), maxIntegrations},
			{"stages", len(built.Stages), maxStages},
			{"authorizers", len(api.Authorizers), maxAuthorizers},
		}
		for _, q := range quotas {
			if q.n > q.at {
				b.problem(api.res.line, api.res.id, "the API has %d %s; at most %d are allowed", q.n, q.what, q.at)
			}
		}
		if len(built.Stages) == 0 {
			b.notice(Notice{Line: api.res.line, LogicalID: api.res.id, Type: api.res.typ, Message: "the API has no stage: nothing can connect to it"})
		}
	}
}
