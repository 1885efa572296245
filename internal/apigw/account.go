package apigw

import "time"

// Account holds the settings of GetAccount: there is one.
type Account struct {
	CloudwatchRoleArn string `json:",omitempty"`
}

// AccessKey is the credential of a client of the control plane or of
// @connections.
type AccessKey struct {
	AccessKeyId     string
	SecretAccessKey string `json:",omitempty"`
	// TokenHash stands in the place of a secret: the key is a bearer token, and
	// this the SHA-256 of its secret part, in hexadecimal.
	TokenHash string `json:",omitempty"`
	UserName  string
	Status    string // Active or Inactive
	// Policies are IAM policies. What none of them allows is denied.
	Policies    []string `json:",omitempty"`
	CreatedDate time.Time
	Expires     time.Time `json:",omitzero"` // the zero time stands for never
}

// VpcLink names a private network that integrations reach.
type VpcLink struct {
	VpcLinkId        string
	Name             string
	Description      string            `json:",omitempty"`
	TargetArns       []string          `json:",omitempty"`
	SubnetIds        []string          `json:",omitempty"`
	SecurityGroupIds []string          `json:",omitempty"`
	Tags             map[string]string `json:",omitempty"`
	CreatedDate      time.Time
}
