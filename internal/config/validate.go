package config

// validate finds mistakes that one value alone does not show.
func (c *Config) validate(r *report) {
	c.NATS.validate(r)
	need(r, "proxies", given{"proxyProtocol", c.Proxies.ProxyProtocol}, given{"trusted", len(c.Proxies.Trusted) > 0})
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

// given is a key, and whether it has a value.
type given struct {
	name string
	is   bool
}

// only records a mistake where more than one of some keys has a value.
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

// need records a mistake where a key has a value and another, which it needs,
// has none.
func need(r *report, path string, k, needed given) {
	if k.is && !needed.is {
		r.problem(join(path, k.name), "needs %s as well", needed.name)
	}
}
