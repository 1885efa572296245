// Package administration is what an operator does with a gateway's store beside
// the control plane: backups, and the access keys in it.
//
// Local does it on a store that is open in this process. Handler offers that on
// the admin port of a running gateway, under Prefix, and Client asks for it
// there. `stagedoor backup`, `restore` and `credentials` use one of the two.
package administration

import (
	"context"
	"encoding/json"
	"io"
	"time"
)

// Administration is a store as its operator sees it.
type Administration interface {
	// Backup writes all records, and gives their number. The file holds secrets.
	Backup(ctx context.Context, to io.Writer) (records int, err error)
	// Restore puts the records of a backup into the store, and gives their
	// number. A file that is not whole changes nothing, and neither does any file
	// where the store is not empty, unless it is to be replaced.
	Restore(ctx context.Context, file io.ReadSeeker, replace bool) (records int, err error)
	// CreateAccessKey makes an access key. Its secret is given here and never
	// again.
	CreateAccessKey(ctx context.Context, k NewAccessKey) (*AccessKey, error)
	// AccessKeys gives the access keys of the store in the order of their ids,
	// without their secrets.
	AccessKeys(ctx context.Context) ([]*AccessKey, error)
	// DeleteAccessKey removes an access key. Nobody is let in with it any more.
	DeleteAccessKey(ctx context.Context, id string) error
}

// NewAccessKey is what an access key is made of.
type NewAccessKey struct {
	UserName string            `json:"userName"`
	Policies []json.RawMessage `json:"policies,omitempty"` // IAM policies; without one nothing is allowed
	Expires  time.Time         `json:"expires,omitzero"`   // the zero time stands for never
	// Bearer asks for a token that is sent as it is, in place of a secret that signs.
	Bearer bool `json:"bearer,omitempty"`
}

// Kinds of access keys.
const (
	KindAccessKey = "accessKey" // signs requests
	KindBearer    = "bearer"    // is a token, sent as Authorization: Bearer …
)

// AccessKey is an access key.
type AccessKey struct {
	AccessKeyID     string            `json:"accessKeyId"`
	Kind            string            `json:"kind"`
	Token           string            `json:"token,omitempty"`           // of a new token only
	SecretAccessKey string            `json:"secretAccessKey,omitempty"` // of a new one only
	UserName        string            `json:"userName"`
	Status          string            `json:"status"` // Active or Inactive
	Policies        []json.RawMessage `json:"policies,omitempty"`
	Created         time.Time         `json:"created"`
	Expires         time.Time         `json:"expires,omitzero"`
}

// Gateway says where clients reach a gateway that runs.
type Gateway struct {
	// Public are the URLs of its public ports; their host may be 0.0.0.0 or [::].
	Public []string `json:"public"`
	// APIEndpoint is the pattern of the URLs of APIs, with {apiId}; empty where the
	// configuration has none.
	APIEndpoint string `json:"apiEndpoint,omitempty"`
}

// The paths of Handler.
const (
	Prefix          = "/stagedoor/"
	GatewayPath     = Prefix + "gateway"
	backupPath      = Prefix + "backup"
	restorePath     = Prefix + "restore"
	credentialsPath = Prefix + "credentials"
)

// What the IAM policies of a caller must allow.
const (
	actionBackup  = "stagedoor:Backup"
	actionRestore = "stagedoor:Restore"
	actionCreate  = "stagedoor:CreateAccessKey"
	actionList    = "stagedoor:ListAccessKeys"
	actionDelete  = "stagedoor:DeleteAccessKey"
	// Who may read APIs sees their URLs.
	actionGateway = "apigateway:GET"
)

// restored is the answer to a restore.
type restored struct {
	Records int `json:"records"`
}

// accessKeyList is the answer to a list of access keys.
type accessKeyList struct {
	AccessKeys []*AccessKey `json:"accessKeys"`
}
