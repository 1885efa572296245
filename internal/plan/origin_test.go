package plan

import "testing"

func TestOrigins(t *testing.T) {
	t.Parallel()
	const list = "https://app.example.com, https://*.example.org http://localhost:3000 https://.example.net:8443"
	tests := []struct {
		name, tag string
		lines     []string
		want      bool
	}{
		{"the same", list, []string{"https://app.example.com"}, true},
		{"in capitals", list, []string{"HTTPS://App.Example.Com"}, true},
		{"with the scheme's own port", list, []string{"https://app.example.com:443"}, true},
		{"another port", list, []string{"https://app.example.com:8443"}, false},
		{"another scheme", list, []string{"http://app.example.com"}, false},
		{"another host", list, []string{"https://example.com"}, false},
		{"a host that ends alike", list, []string{"https://evilapp.example.com"}, false},
		{"a host that begins alike", list, []string{"https://app.example.com.evil.test"}, false},
		{"a user in front", list, []string{"https://app.example.com@evil.test"}, false},
		{"a path", list, []string{"https://app.example.com/"}, false},
		{"a query", list, []string{"https://app.example.com?x"}, false},
		{"an empty fragment", list, []string{"https://app.example.com#"}, false},
		{"an empty port", list, []string{"https://app.example.com:"}, false},
		{"a trailing dot", list, []string{"https://app.example.com."}, false},
		{"white space", list, []string{" https://app.example.com"}, false},
		{"two on one line", list, []string{"https://app.example.com, https://evil.test"}, false},
		{"two lines", list, []string{"https://app.example.com", "https://app.example.com"}, false},
		{"below a name", list, []string{"https://a.example.org"}, true},
		{"far below a name", list, []string{"https://a.b.example.org"}, true},
		{"the name itself", list, []string{"https://example.org"}, false},
		{"below a name, another port", list, []string{"https://a.example.org:444"}, false},
		{"a name that ends alike", list, []string{"https://evilexample.org"}, false},
		{"nothing below a name", list, []string{"https://.example.org"}, false},
		{"below a name, by its dot", list, []string{"https://a.example.net:8443"}, true},
		{"a port", list, []string{"http://localhost:3000"}, true},
		{"no port", list, []string{"http://localhost"}, false},
		{"no Origin", list, nil, true},
		{"an empty Origin", list, []string{""}, false},
		{"null", list, []string{"null"}, false},
		{"null that is allowed", "null", []string{"null"}, true},
		{"an asterisk", "https://*.example.org", []string{"https://*.example.org"}, false},
		{"no Origin where it is required", "required https://a.test", nil, false},
		{"an Origin where it is required", "required https://a.test", []string{"https://a.test"}, true},
		{"all", "*", []string{"https://evil.test"}, true},
		{"all, in AWS's letters", "any", []string{"null"}, true},
		{"all, but there must be one", "* required", nil, false},
		{"all, but it must be one", "*", []string{"nonsense"}, false},
		{"an IPv6 address", "http://[::1]:3000", []string{"http://[::1]:3000"}, true},
		{"an app's scheme", "capacitor://localhost", []string{"capacitor://localhost"}, true},
		{"an extension", "chrome-extension://abcdef", []string{"chrome-extension://abcdef"}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			origins, err := ParseOrigins(test.tag)
			if err != nil {
				t.Fatal(err)
			}
			if got := origins.Allows(test.lines); got != test.want {
				t.Errorf("%q on %q: %t", test.lines, test.tag, got)
			}
		})
	}
}

// Without the tag everybody may connect, as on AWS.
func TestOriginsUnset(t *testing.T) {
	t.Parallel()
	var none *Origins
	if !none.Allows(nil) || !none.Allows([]string{"https://evil.test"}) || !none.Allows([]string{"a", "b"}) {
		t.Error("refused")
	}
}

func TestParseOriginsErrors(t *testing.T) {
	t.Parallel()
	for _, tag := range []string{
		"", " , ", "required", "example.com", "https://", "https://example.com/", "https://a.*.example.com",
		"https://*", "https://*example.com", "https://*.", "https://*.127.0.0.1", "*.example.com", "https://a..b",
		"https://user@example.com", "https://example.com:x", "https://example.com:", "//example.com", "https://exämple.com",
	} {
		if origins, err := ParseOrigins(tag); err == nil {
			t.Errorf("%q is taken: %+v", tag, origins)
		}
	}
}

func FuzzOrigins(f *testing.F) {
	f.Add("https://*.example.org", "https://a.example.org")
	f.Add("http://[::1]:3000 null", "null")
	f.Fuzz(func(t *testing.T, tag, line string) {
		origins, err := ParseOrigins(tag)
		if err != nil || origins.all {
			return
		}
		if from, ok := parseOrigin(line); origins.Allows([]string{line}) && (!ok || from != origin{} && from.host == "") {
			t.Errorf("%q on %q", line, tag)
		}
	})
}
