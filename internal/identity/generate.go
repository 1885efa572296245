package identity

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// Generate makes an access key of the form that AWS's have: an id of 20
// letters and digits that begins with AKIA, and a secret of 40 characters.
func Generate() (accessKeyID string, secret Secret) {
	var id [10]byte
	var key [30]byte
	_, _ = rand.Read(id[:]) // it never fails: the program would end
	_, _ = rand.Read(key[:])
	return "AKIA" + base32.StdEncoding.EncodeToString(id[:]), Secret(base64.StdEncoding.EncodeToString(key[:]))
}

// NewAccessKey makes a record for the store: an access key of a user. There may
// be no policies, and the zero time stands for a key that does not expire. The
// error has everything that is wrong with the arguments.
func NewAccessKey(user string, policies []string, now, expires time.Time) (*apigw.AccessKey, error) {
	id, secret := Generate()
	return checked(&apigw.AccessKey{
		AccessKeyId: id, SecretAccessKey: string(secret), UserName: user, Status: active,
		Policies: policies, CreatedDate: now, Expires: expires,
	})
}

// NewToken is NewAccessKey for a bearer token, which it returns too. The record
// does not contain the token, so reading the store does not reveal it.
func NewToken(user string, policies []string, now, expires time.Time) (*apigw.AccessKey, Secret, error) {
	id, token, hash := generateToken()
	record, err := checked(&apigw.AccessKey{
		AccessKeyId: id, TokenHash: hash, UserName: user, Status: active,
		Policies: policies, CreatedDate: now, Expires: expires,
	})
	return record, token, err
}

// checked returns a record, or an error if it cannot be used.
func checked(k *apigw.AccessKey) (*apigw.AccessKey, error) {
	c := fromStore(k)
	if err := c.Check(); err != nil {
		return nil, err
	}
	return k, nil
}
