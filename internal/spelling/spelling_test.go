package spelling

import "testing"

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"RouteKey", "RouteId", "Target", "ApiId"}
	for name, want := range map[string]string{
		"RouteKy": "RouteKey", "routekey": "RouteKey", "RoutKeyy": "RouteKey", "Traget": "Target", "AipId": "ApiId",
		"Handler": "", "": "", "RouteKey": "",
	} {
		if got := Nearest(name, names); got != want {
			t.Errorf("nearest to %q is %q, want %q", name, got, want)
		}
		if got := Hint(name, names); (got != "") != (want != "") || want != "" && got != "; did you mean "+want+"?" {
			t.Errorf("the hint for %q is %q, want one at %q", name, got, want)
		}
	}
}
