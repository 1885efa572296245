package plane

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// AWS's own example of a signature, "get-vanilla" of its test suite.
func TestSign(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.amazonaws.com/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	s := &Signer{
		AccessKeyID: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		Now: func() time.Time { return time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC) },
	}
	s.Sign(r, nil, "service")
	const want = "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
	if got := r.Header.Get("Authorization"); !strings.HasSuffix(got, want) {
		t.Errorf("%s; want %s", got, want)
	}
	if got, want := escape("/prod/@connections/a%3D"), "/prod/%40connections/a%253D"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
}
