package identity

import "testing"

// ARNs of users and of what they may do are in the region's partition, so that
// the policies that somebody has for AWS there hold here.
func TestPartitions(t *testing.T) {
	t.Parallel()
	for region, partition := range map[string]string{"eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"} {
		d := New(Options{Region: region, Account: account})
		of := "arn:" + partition + ":execute-api:" + region + ":" + account + ":abc123/prod/"
		c := credential("KEY", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"execute-api:*","Resource":"`+of+`*"}}`)
		if err := d.Replace(Configuration, []Credential{c}); err != nil {
			t.Fatal(err)
		}
		id := (*d.current.Load())["KEY"].identity
		if want := "arn:" + partition + ":iam::" + account + ":user/" + c.User; id.ARN != want {
			t.Errorf("%s: the user is %s, want %s", region, id.ARN, want)
		}
		for want, needed := range map[string]Permission{
			of + "$connect":                         d.ConnectPermission("abc123", "prod"),
			of + "POST/@connections/{connectionId}": d.ManagePermission("abc123", "prod", "POST"),
		} {
			if needed.Resource != want {
				t.Errorf("%s: %s, want %s", region, needed.Resource, want)
			}
			decision := d.Authorize(id, needed.Action, needed.Resource, Circumstances{})
			if err := decision.Err(); err != nil {
				t.Errorf("%s: %v", region, err)
			}
		}
	}
}
