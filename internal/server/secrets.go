package server

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/stagedoor/stagedoor/internal/config"
)

// readSecret reads a secret from where it stands; that of nowhere is empty.
// Line ends behind it in a file do not belong to it.
func readSecret(s config.Secret) (string, error) {
	secret := ""
	switch {
	case s.Env != "":
		secret = os.Getenv(s.Env)
		if secret == "" {
			return "", fmt.Errorf("the environment has no variable %s", s.Env)
		}
	case s.File != "":
		text, err := os.ReadFile(s.File)
		if err != nil {
			return "", err
		}
		if secret = strings.TrimRight(string(text), "\r\n"); secret == "" {
			return "", fmt.Errorf("%s is empty", s.File)
		}
	}
	return secret, nil
}

// checkSecrets reads all secrets of a configuration once, so that whoever starts
// a gateway is told at once of all that are missing.
func checkSecrets(c *config.Config) error {
	var missing []error
	check := func(key string, s config.Secret) {
		if _, err := readSecret(s); err != nil {
			missing = append(missing, fmt.Errorf("%s: %w", key, err))
		}
	}
	if c.NATS.URL != "" {
		check("the password of nats", c.NATS.Password)
		check("the token of nats", c.NATS.Token)
	}
	if c.Metrics.Enabled {
		check("the token of metrics", c.Metrics.Token)
	}
	check("the headers of telemetry.otlp", c.Telemetry.OTLP.Headers)
	if len(c.TLS.ACME.Domains) > 0 {
		check("the MAC key of tls.acme", c.TLS.ACME.MACKey)
	}
	for i, k := range c.Credentials {
		check(fmt.Sprintf("the secret of credentials[%d], access key %s", i, k.AccessKeyID), k.Secret)
	}
	return errors.Join(missing...)
}
