package apigw

import "testing"

// The table says of every type what it calls, and how responses are selected where
// there are any.
func TestIntegrationTypes(t *testing.T) {
	t.Parallel()
	for _, want := range IntegrationTypes {
		got, found := IntegrationTypeOf(want.Name)
		if !found || got != want || (&Integration{IntegrationType: want.Name}).Type() != want {
			t.Errorf("%s: %+v, want %+v", want.Name, got, want)
		}
		if want.Calls == 0 || want.Proxy != (want.ResponseSelection == "") {
			t.Errorf("%+v", want)
		}
	}
	if got, found := IntegrationTypeOf("aws"); found || got != (IntegrationType{}) {
		t.Errorf("aws is %+v", got)
	}
}
