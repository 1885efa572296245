package identity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestSecretsAreNotPrinted: not by any verb, encoding or logger, alone or
// within what has one.
func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	c := credential("KEY")
	d := newDirectory(t, c)
	k := (*d.current.Load())["KEY"]
	bad := c
	bad.User = ""
	values := []any{c.Secret, &c.Secret, c, &c, []Credential{c}, map[string]Credential{"x": c}, *k, k, d, k.identity, bad.Check()}
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s", "%T %[1]v"} {
			wantNoSecret(t, fmt.Sprintf(verb, value))
		}
		if text, err := json.Marshal(value); err == nil {
			wantNoSecret(t, string(text))
		}
		if text, err := yaml.Marshal(value); err == nil {
			wantNoSecret(t, string(text))
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("text", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "value", value)
		wantNoSecret(t, log.String())
	}
	if string(c.Secret) != secret {
		t.Error("the secret is lost")
	}
}

func wantNoSecret(t *testing.T, text string) {
	t.Helper()
	if part := secret[:16]; strings.Contains(text, part) || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", part)) {
		t.Errorf("the secret is in %s", text)
	}
}
