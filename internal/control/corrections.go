package control

// corrections are where API Gateway does not do what its own model says, by
// structure and member.
var corrections = map[string]func(*member){
	"CreateAuthorizerRequest.identitySource":  func(m *member) { m.required = false },          // spec I.1
	"AccessLogSettings.format":                func(m *member) { m.limits.max = new(3 << 10) }, // spec K.1
	"CreateIntegrationRequest.integrationUri": func(m *member) { m.limits.min = nil },          // "" for MOCK: spec H.5
}
