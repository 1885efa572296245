package control

import "testing"

// The ARNs that policies name, as in AWS's list of resources of API Gateway.
func TestResource(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ region, path, want string }{
		{"eu-west-1", "/v2/apis", "arn:aws:apigateway:eu-west-1::/apis"},
		{"eu-west-1", "/v2/apis/a1/stages/prod", "arn:aws:apigateway:eu-west-1::/apis/a1/stages/prod"},
		{"eu-west-1", "/usageplans/p1/keys", "arn:aws:apigateway:eu-west-1::/usageplans/p1/keys"},
		{"cn-north-1", "/v2/apis/a1", "arn:aws-cn:apigateway:cn-north-1::/apis/a1"},
		{"us-gov-west-1", "/v2/apis/a1", "arn:aws-us-gov:apigateway:us-gov-west-1::/apis/a1"},
		{
			"eu-west-1", "/v2/tags/arn:aws:apigateway:eu-west-1::/apis/a1",
			"arn:aws:apigateway:eu-west-1::/tags/arn%3Aaws%3Aapigateway%3Aeu-west-1%3A%3A%2Fapis%2Fa1",
		},
	} {
		a := &api{options: &Options{Region: tt.region}}
		if got := a.resource(tt.path); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.path, got, tt.want)
		}
	}
}
