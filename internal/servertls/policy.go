package servertls

import (
	"crypto/tls"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Policy is the versions and ciphers that are allowed. The zero value is that
// of the name TLS_1_2. Policies that allow the same are equal, whatever their
// names. Key exchanges are Go's own: X25519MLKEM768, which withstands quantum
// computers, then X25519 and the NIST curves.
type Policy struct {
	bounds *bounds // nil: TLS 1.2 and later, with Go's own choice of suites
}

type bounds struct {
	minimum uint16
	// suites of TLS 1.2; nil stands for Go's own choice, all with forward
	// secrecy. Those of TLS 1.3 are not a matter of choice.
	suites []uint16
}

var (
	compatible = Policy{}
	// aead leaves out the CBC suites.
	aead = Policy{&bounds{minimum: tls.VersionTLS12, suites: []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}}}
	strictest = Policy{&bounds{minimum: tls.VersionTLS13}}
)

// policies are those of AWS that can be provided here, by AWS's names, and
// three of our own.
var policies = map[string]Policy{
	"compatible":   compatible,
	"intermediate": aead,
	"modern":       strictest,

	"TLS_1_2":                                 compatible,
	"SecurityPolicy_TLS13_1_2_2021_06":        compatible,
	"SecurityPolicy_TLS13_1_2_PQ_2025_09":     compatible,
	"SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09": aead,
	"SecurityPolicy_TLS13_1_3_2025_09":        strictest,
}

// ParsePolicy returns the policy with a name. It returns an error for other
// names, among them two kinds of AWS's: TLS_1_0, and those that promise a FIPS
// module.
func ParsePolicy(name string) (Policy, error) {
	if p, ok := policies[name]; ok {
		return p, nil
	}
	reason := ""
	switch {
	case name == "TLS_1_0":
		reason = ": TLS before 1.2 is not offered"
	case strings.Contains(name, "FIPS"):
		reason = ": no FIPS-validated module is in use"
	}
	return Policy{}, fmt.Errorf("TLS policy %q does not exist%s; there are %s", name, reason, strings.Join(slices.Sorted(maps.Keys(policies)), ", "))
}

// config returns a configuration with the policy's bounds.
func (p Policy) config(base *tls.Config) *tls.Config {
	config := base.Clone()
	config.MinVersion = tls.VersionTLS12
	if p.bounds != nil {
		config.MinVersion, config.CipherSuites = p.bounds.minimum, p.bounds.suites
	}
	return config
}
