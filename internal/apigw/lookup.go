package apigw

// The functions of this file return a part of an API by its id, or nil where
// there is none.

// Route returns the route with the given id.
func (a *API) Route(id string) *Route {
	return find(a.Routes, func(r *Route) bool { return r.RouteId == id })
}

// Integration returns the integration with the given id.
func (a *API) Integration(id string) *Integration {
	return find(a.Integrations, func(i *Integration) bool { return i.IntegrationId == id })
}

// Model returns the model with the given id.
func (a *API) Model(id string) *Model {
	return find(a.Models, func(m *Model) bool { return m.ModelId == id })
}

// ModelByName returns the model with the given name, by which routes refer to it.
func (a *API) ModelByName(name string) *Model {
	return find(a.Models, func(m *Model) bool { return m.Name == name })
}

// Authorizer returns the authorizer with the given id.
func (a *API) Authorizer(id string) *Authorizer {
	return find(a.Authorizers, func(z *Authorizer) bool { return z.AuthorizerId == id })
}

// RouteResponse returns the route response with the given id.
func (r *Route) RouteResponse(id string) *RouteResponse {
	return find(r.RouteResponses, func(response *RouteResponse) bool { return response.RouteResponseId == id })
}

// IntegrationResponse returns the integration response with the given id.
func (i *Integration) IntegrationResponse(id string) *IntegrationResponse {
	return find(i.IntegrationResponses, func(response *IntegrationResponse) bool { return response.IntegrationResponseId == id })
}

func find[T any](all []*T, is func(*T) bool) *T {
	for _, one := range all {
		if is(one) {
			return one
		}
	}
	return nil
}
