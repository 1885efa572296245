package config

import "testing"

func TestAPIEndpoint(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text, url, domain, pattern string
		has, hasNot                string
	}{
		{
			"wss://Chat.example.com:8443/_aws/execute-api/{apiId}/", "wss://Chat.example.com:8443/_aws/execute-api/a1/",
			"Chat.example.com:8443/_aws/execute-api/a1", "chat.example.com", "chat.example.com", "a.chat.example.com",
		},
		{"ws://{apiId}.example.com", "ws://a1.example.com", "a1.example.com", "*.example.com", "a1.example.com", "example.com"},
	} {
		e, err := parseAPIEndpoint(test.text)
		if err != nil {
			t.Fatal(err)
		}
		if !e.IsSet() || e.String() != test.text || e.URL("a1") != test.url || e.Domain("a1") != test.domain || e.HostPattern() != test.pattern {
			t.Errorf("%s: %q, %q, %q", e, e.URL("a1"), e.Domain("a1"), e.HostPattern())
		}
		if !e.HasHost(test.has) || e.HasHost(test.hasNot) {
			t.Errorf("%s: has %s: %t, has %s: %t", e, test.has, e.HasHost(test.has), test.hasNot, e.HasHost(test.hasNot))
		}
	}
	if e := (APIEndpoint{}); e.IsSet() || e.HasHost("") || e.HostPattern() != "" {
		t.Error("the zero value is set")
	}
	for _, text := range []string{"", "wss://example.com", "https://{apiId}.example.com", "wss:///{apiId}", "wss://{apiId"} {
		if e, err := parseAPIEndpoint(text); err == nil {
			t.Errorf("%q is %v", text, e)
		}
	}
}
