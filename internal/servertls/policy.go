package servertls

import (
	"crypto/tls"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// policy bounds versions and ciphers. Key exchanges are Go's own: X25519MLKEM768,
// which withstands quantum computers, then X25519 and the NIST curves.
type policy struct {
	minimum uint16
	// suites of TLS 1.2; nil stands for Go's own choice, all with forward
	// secrecy. Those of TLS 1.3 are not a matter of choice.
	suites []uint16
}

const defaultPolicy = "TLS_1_2"

var (
	compatible = policy{minimum: tls.VersionTLS12}
	// aead leaves out the CBC suites.
	aead = policy{minimum: tls.VersionTLS12, suites: []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}}
	strictest = policy{minimum: tls.VersionTLS13}
)

// policies are the names of AWS, as far as they can be kept, and three of ours.
var policies = map[string]policy{
	"compatible":   compatible,
	"intermediate": aead,
	"modern":       strictest,

	"TLS_1_2":                                 compatible,
	"SecurityPolicy_TLS13_1_2_2021_06":        compatible,
	"SecurityPolicy_TLS13_1_2_PQ_2025_09":     compatible,
	"SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09": aead,
	"SecurityPolicy_TLS13_1_3_2025_09":        strictest,
}

// CheckPolicy returns an error for a name that is no policy's. TLS_1_0 is one
// of AWS's names that are none here, and so are those that promise a FIPS
// module.
func CheckPolicy(name string) error {
	if _, ok := policies[name]; ok {
		return nil
	}
	reason := ""
	switch {
	case name == "TLS_1_0":
		reason = ": TLS before 1.2 is not offered"
	case strings.Contains(name, "FIPS"):
		reason = ": no FIPS-validated module is in use"
	}
	return fmt.Errorf("TLS policy %q does not exist%s; there are %s", name, reason, strings.Join(slices.Sorted(maps.Keys(policies)), ", "))
}

func (p policy) config(base *tls.Config) *tls.Config {
	config := base.Clone()
	config.MinVersion, config.CipherSuites = p.minimum, p.suites
	return config
}
