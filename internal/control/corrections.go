package control

// corrections are applied to members for which API Gateway does not do what its
// own model says, by structure and member.
var corrections = map[string]func(*member){
	"CreateAuthorizerRequest.identitySource":  func(m *member) { m.required = false },          // section I.1
	"AccessLogSettings.format":                func(m *member) { m.limits.max = new(3 << 10) }, // section K.1
	"CreateIntegrationRequest.integrationUri": func(m *member) { m.limits.min = nil },          // "" for MOCK: section H.5
}
