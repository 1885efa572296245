package setting

import "testing"

func TestURL(t *testing.T) {
	t.Parallel()
	for text, right := range map[string]bool{
		"http://localhost:8000": true, "https://api.example.com/base/": true,
		"": false, "localhost:8000": false, "ftp://host": false, "http://": false, "http://a b": false, "//host": false,
	} {
		u, err := URL(text)
		switch {
		case right && (err != nil || u.String() != text):
			t.Errorf("%q: %v, %v", text, u, err)
		case !right && (err == nil || err.Error() != `"`+text+`" is not an http or https URL`):
			t.Errorf("%q: %v, %v", text, u, err)
		}
	}
}

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Address{
		"balancer:80": "balancer:80", "http://balancer": "balancer:80", "https://balancer/": "balancer:443", "http://[::1]:8000": "[::1]:8000",
		"balancer": "", ":80": "", "balancer:": "", "tcp://balancer": "", "": "",
	} {
		got, err := ParseAddress(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
}
