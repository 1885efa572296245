// Package administration has the operations on a gateway's store that are an
// operator's, and not part of AWS's control plane: backups, and access keys.
//
// Local does them on a store that is open in this process. NewHandler serves
// them on the admin port of a running gateway, under Prefix, and Client calls
// them there. `stagedoor backup`, `restore` and `credentials` use Local or
// Client.
package administration

import (
	"context"
	"encoding/json"
	"io"
	"time"
)

// Administration is a store as its operator sees it.
type Administration interface {
	// Backup writes all records, and returns their number. The backup has
	// secrets in it.
	Backup(ctx context.Context, to io.Writer) (records int, err error)
	// Restore puts the records of a backup into the store, and returns their
	// number. With replace, the store has exactly these records afterwards. It
	// is an error, and nothing is changed, if the file is not whole, or if the
	// store is not empty and replace is false.
	Restore(ctx context.Context, file io.ReadSeeker, replace bool) (records int, err error)
	// CreateAccessKey makes an access key. Only the result of this call has the
	// secret.
	CreateAccessKey(ctx context.Context, k NewAccessKey) (*AccessKey, error)
	// AccessKeys returns the access keys of the store in the order of their
	// ids, without their secrets.
	AccessKeys(ctx context.Context) ([]*AccessKey, error)
	// DeleteAccessKey removes an access key. It cannot be used any more
	// afterwards.
	DeleteAccessKey(ctx context.Context, id string) error
}

// NewAccessKey describes an access key to be made.
type NewAccessKey struct {
	UserName string            `json:"userName"`
	Policies []json.RawMessage `json:"policies,omitempty"` // IAM policies; without one nothing is allowed
	Expires  time.Time         `json:"expires,omitzero"`   // the zero time stands for never
	// Bearer makes a token that is sent as it is, instead of a secret that
	// signs requests.
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

// Gateway has the URLs by which clients reach a running gateway.
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
	EventsPath      = Prefix + "events"
	backupPath      = Prefix + "backup"
	restorePath     = Prefix + "restore"
	credentialsPath = Prefix + "credentials"
)

// The actions of IAM that the policies of a caller must allow.
const (
	actionBackup  = "stagedoor:Backup"
	actionRestore = "stagedoor:Restore"
	actionCreate  = "stagedoor:CreateAccessKey"
	actionList    = "stagedoor:ListAccessKeys"
	actionDelete  = "stagedoor:DeleteAccessKey"
	actionTail    = "stagedoor:Tail"
	// A caller that may read APIs may see their URLs.
	actionGateway = "apigateway:GET"
)

// restoreAnswer is the answer to a restore.
type restoreAnswer struct {
	Records int `json:"records"`
}

// accessKeyList is the answer to a list of access keys.
type accessKeyList struct {
	AccessKeys []*AccessKey `json:"accessKeys"`
}
