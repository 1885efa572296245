package template

import "testing"

// TestSyntaxErrors checks that a syntax error names the line that the reader
// has to look at.
func TestSyntaxErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, source, want string
	}{
		{"first line", "a: [", "1: not valid YAML or JSON: did not find expected node content"},
		{"open list", "a: 1\nb: [c\nd: 2\n", "2: not valid YAML or JSON: did not find expected ',' or ']'"},
		{"open object", "{\n \"a\": {\"b\": 1,\n \"c\": 2\n", "2: not valid YAML or JSON: did not find expected ',' or '}'"},
		{"indentation", "a:\n  b: 1\n c: 2\n", "3: not valid YAML or JSON: did not find expected key"},
		{"tab", "a:\n  b:\n\tc: 1\n", "3: not valid YAML or JSON: found character that cannot start any token"},
		{"two colons", "a: 1\nb: c: d\n", "2: not valid YAML or JSON: mapping values are not allowed in this context"},
		{"open quotes", "a: 1\nb: \"c\nd: 2\n", "2: not valid YAML or JSON: found unexpected end of stream"},
		{"unknown anchor", "a: 1\nb: *c\n", " not valid YAML or JSON: unknown anchor 'c' referenced"},
		{"control character", "a: \x01\n", " not valid YAML or JSON: control characters are not allowed"},
		{"not UTF-8", "a: \xff\n", " not valid YAML or JSON: invalid leading UTF-8 octet"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := loadSource(test.source, Options{})
			if got := lines(t, err); got != test.want+"\n" {
				t.Errorf("got %swant %s", got, test.want)
			}
		})
	}
}
