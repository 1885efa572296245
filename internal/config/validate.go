package config

import (
	"fmt"
	"slices"

	"github.com/stagedoor/stagedoor/internal/logsink"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// validate finds mistakes that lie between keys, and fills in what depends on others.
func (c *Config) validate(r *report) {
	if c.Node == NodeAuto && c.NATS.URL == "" {
		c.Node = 1
	}
	if c.Limits.LikeAWS && !r.written("limits", "connects") {
		c.Limits.Connects = usage.AWSConnects
	}
	c.NATS.validate(r)
	c.validateTLS(r)
	c.validateCredentials(r)
	c.Logs.validate(r)
	need(r, "metrics", given{"cloudwatch", c.Metrics.CloudWatch}, given{"enabled", c.Metrics.Enabled})
	only(r, "metrics", []given{{"tokenEnv", c.Metrics.Token.Env != ""}, {"tokenFile", c.Metrics.Token.File != ""}})
	need(r, "proxies", given{"proxyProtocol", c.Proxies.ProxyProtocol}, given{"trusted", len(c.Proxies.Trusted) > 0})
}

func (c *Config) validateTLS(r *report) {
	both := func(path string, p Certificate) (cert, key given) {
		cert, key = given{"cert", p.Cert != ""}, given{"key", p.Key != ""}
		need(r, path, cert, key)
		need(r, path, key, cert)
		return cert, key
	}
	for i, p := range c.TLS.Certificates {
		path := fmt.Sprintf("tls.certificates[%d]", i)
		if !r.written("", path) {
			continue // no record at all
		}
		if !r.written(path, "cert") && !r.written(path, "key") {
			r.problem(path, "has neither cert nor key")
		}
		both(path, p)
	}
	if c.TLS.Required && !c.TLS.Speaks() {
		r.problem("tls.required", "needs certificates or acme as well")
	}
	c.TLS.ACME.validate(r)
	cert, _ := both("admin.tls", c.Admin.TLS.Certificate)
	need(r, "admin.tls", given{"clientCA", c.Admin.TLS.ClientCA != ""}, cert)
}

func (a *ACME) validate(r *report) {
	const path = "tls.acme"
	domains := given{"domains", len(a.Domains) > 0}
	id, keys := given{"keyId", a.KeyID != ""}, []given{{"macKeyEnv", a.MACKey.Env != ""}, {"macKeyFile", a.MACKey.File != ""}}
	for _, k := range []given{{"email", a.Email != ""}, {"directory", a.Directory != ""}, {"ca", a.CA != ""}, id} {
		need(r, path, k, domains)
	}
	only(r, path, keys)
	for _, k := range keys {
		need(r, path, k, id)
	}
	if id.is && !keys[0].is && !keys[1].is {
		r.problem(join(path, id.name), "needs macKeyEnv or macKeyFile as well")
	}
}

func (c *Config) validateCredentials(r *report) {
	first := map[string]int{}
	for i, k := range c.Credentials {
		path := fmt.Sprintf("credentials[%d]", i)
		if !r.written("", path) {
			continue // no record at all
		}
		for _, name := range []string{"user", "accessKeyId"} {
			if !r.written(path, name) {
				r.problem(path, "has no %s", name)
			}
		}
		if before, twice := first[k.AccessKeyID]; twice && k.AccessKeyID != "" {
			r.problem(join(path, "accessKeyId"), "is that of credentials[%d]", before)
		} else {
			first[k.AccessKeyID] = i
		}
		only(r, path, []given{{"secretAccessKeyEnv", k.Secret.Env != ""}, {"secretAccessKeyFile", k.Secret.File != ""}})
		if !r.written(path, "secretAccessKeyEnv") && !r.written(path, "secretAccessKeyFile") {
			r.problem(path, "has neither secretAccessKeyEnv nor secretAccessKeyFile")
		}
	}
}

func (l *Logs) validate(r *report) {
	validatePlace(r, "logs.execution", &l.Execution)
	for i := range l.Access {
		rule, path := &l.Access[i], fmt.Sprintf("logs.access[%d]", i)
		if !r.written("", path) {
			continue // no record at all
		}
		if !r.written(path, "destination") {
			r.problem(path, "has no destination, the pattern of a DestinationArn")
		}
		if !validatePlace(r, path, &rule.Place) {
			r.problem(path, "names no place: file, stdout, syslog, cloudwatch, firehose or otlp")
		}
	}
}

// validatePlace finds mistakes in where lines go. It reports whether a place is named.
func validatePlace(r *report, path string, p *logsink.Place) bool {
	if s := join(path, "syslog"); r.written("", s) || p.Syslog != (logsink.Syslog{}) {
		p.Syslog.FillIn()
	}
	keys := []given{
		{"file", p.File != ""}, {"stdout", p.Stdout}, {"syslog", p.Syslog != (logsink.Syslog{})},
		{"cloudwatch", p.CloudWatch}, {"firehose", p.Firehose}, {"otlp", p.OTLP},
	}
	only(r, path, keys)
	return slices.ContainsFunc(keys, func(k given) bool { return k.is || r.written(path, k.name) })
}

// written reports whether a key was given a value, right or wrong.
func (r *report) written(path, name string) bool {
	_, written := r.places[join(path, name)]
	return written
}

func (n *NATS) validate(r *report) {
	only(r, "nats", []given{
		{"credentials", n.Credentials != ""}, {"nkey", n.NKey != ""}, {"user", n.User != ""},
		{"tokenEnv", n.Token.Env != ""}, {"tokenFile", n.Token.File != ""},
	})
	passwords := []given{{"passwordEnv", n.Password.Env != ""}, {"passwordFile", n.Password.File != ""}}
	only(r, "nats", passwords)
	for _, password := range passwords {
		need(r, "nats", password, given{"user", n.User != ""})
	}
	cert, key := given{"cert", n.TLS.Cert != ""}, given{"key", n.TLS.Key != ""}
	need(r, "nats.tls", cert, key)
	need(r, "nats.tls", key, cert)
}

// given says of a key whether it has a value.
type given struct {
	name string
	is   bool
}

// only records a mistake for every key with a value but the first.
func only(r *report, path string, keys []given) {
	first := ""
	for _, k := range keys {
		switch {
		case !k.is:
		case first == "":
			first = k.name
		default:
			r.problem(join(path, k.name), "cannot be used together with %s", first)
		}
	}
}

// need records a mistake where k has a value and the key that it needs has none.
func need(r *report, path string, k, needed given) {
	if k.is && !needed.is {
		r.problem(join(path, k.name), "needs %s as well", needed.name)
	}
}
