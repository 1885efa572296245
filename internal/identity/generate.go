package identity

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
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
