package apigw

import "testing"

func TestPartition(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{
		"us-east-1": "aws", "eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "": "aws",
	} {
		if got := Partition(region); got != want {
			t.Errorf("%q: %s, want %s", region, got, want)
		}
	}
}
